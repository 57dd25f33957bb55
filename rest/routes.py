"""The REST routes. What they need of the gateway they are given; they know no store and no loader."""

from asyncio import to_thread
from collections.abc import Callable, Sequence
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from auth.account import Price
from resolvers import media
from resolvers.context import Context
from resolvers.contributors import missing_names
from rest.capabilities import CAPABILITIES
from rest.compliance import COMPLIANCE
from rest.datasets import DATASETS
from rest.demand import DEMAND
from rest.docs import docs
from rest.events import EVENTS, Door, Intake, events
from rest.exchange import exchange
from rest.explorer import EXPLORER
from rest.gpu_metrics import GPU_METRICS
from rest.json import Json, encoded
from rest.login import LOGIN_OPERATIONS
from rest.openapi import document
from rest.operation import Exchanged, Listed, Operation, Single
from rest.page import Paged, framed
from rest.parameter import Asked, read
from rest.params import CURSOR, FORMAT, LIMIT
from rest.tables import BY_MEDIA_TYPE, MEDIA_TYPES

OPENAPI_PATH, DOCS_PATH = "/openapi.json", "/docs"
# Every operation, in the order of the reference. A new path is a line here.
OPERATIONS: Sequence[Operation] = (
    GPU_METRICS, DEMAND, COMPLIANCE, CAPABILITIES, DATASETS, EVENTS, *LOGIN_OPERATIONS, *EXPLORER,
)  # fmt: skip


def routes(
    context: Callable[[Request], Context],
    intake: Callable[[Request], Intake],
    door: Door,
    operations: Sequence[Operation] = OPERATIONS,
) -> list[Route]:
    """Every REST route. `context` and `intake` give a request its view of the stores and the way in."""

    async def post_events(request: Request) -> Response:
        return Json(await events(request, intake(request), door))

    described = document(operations)

    async def get_openapi(_: Request) -> Response:
        return Json(described)

    async def get_docs(request: Request) -> Response:
        return await docs(request, context(request), described, operations)

    found = [
        Route(EVENTS.path, post_events, methods=["POST"]),
        Route(OPENAPI_PATH, get_openapi, methods=["GET"]),
        Route(DOCS_PATH, get_docs, methods=["GET"]),
    ]
    for operation in operations:
        if isinstance(operation, Listed | Single):
            endpoint = _endpoint(operation, context)
            found += [Route(path, endpoint, methods=["GET"]) for path in (operation.path, *operation.aliases)]
    exchanged = [one for one in operations if isinstance(one, Exchanged)]
    for path in dict.fromkeys(one.path for one in exchanged):
        here = [one for one in exchanged if one.path == path]
        found.append(Route(path, exchange(here, context), methods=[one.method for one in here]))
    return found


def _endpoint(operation: Listed | Single, context: Callable[[Request], Context]) -> Callable[[Request], object]:
    async def endpoint(request: Request) -> Response:
        asked = read(request.query_params, operation.parameters)
        here = context(request)
        paid = Price(rows_of(operation, asked) * operation.row_cost, lambda _: "Ask for a smaller limit.")
        if here.account is not None:
            await here.account.charge(paid)
            if here.account.only_estimate:
                return Json({"cost": here.account.told()})
        if isinstance(operation, Listed):
            return await _list(request, operation, asked, here, paid)
        media.chosen(request.headers.get("accept", ""), [*operation.media_types])
        return Json(await operation.answer(here, asked), headers={**operation.headers, **_gaps(here)})

    return endpoint


def rows_of(operation: Listed | Single, asked: Asked) -> int:
    """How many rows an answer has at most."""
    return asked[LIMIT] if isinstance(operation, Listed) else 1


async def _list(request: Request, operation: Listed, asked: Asked, context: Context, paid: Price) -> Response:
    wanted = asked.get(FORMAT)
    if wanted is None:
        kind = media.chosen(request.headers.get("accept", ""), [*operation.media_types])
    else:
        kind = MEDIA_TYPES[wanted]
    page = await operation.answer(context, asked)
    if context.account is not None:
        await context.account.settle(paid, len(page.items) * operation.row_cost)
    headers = {"Vary": "Accept", **_gaps(context)}
    if page.next_cursor is not None:
        headers["Link"] = _next(request, asked, page)
    form = BY_MEDIA_TYPE.get(kind)
    if form is None:
        return Response(encoded(await framed(page, context)), 200, headers, media.JSON)
    headers["Content-Disposition"] = f'attachment; filename="{operation.name}.{form.name}"'
    # Beside the loop: a large table takes a while, and the first one loads what writes it.
    body = await to_thread(form.write, page.items, operation.item)
    return Response(body, 200, headers, form.content_type)


def _gaps(context: Context) -> dict[str, str]:
    """A header that names the stores whose part is missing: not every answer has a place for that within."""
    names = missing_names(context)
    return {"Missing-Backends": ", ".join(names)} if names else {}


def _next(request: Request, asked: Asked, page: Paged) -> str:
    """Where the next page is. Relative: whatever names the host in front of us is the caller's own."""
    query = urlencode({**asked.texts, CURSOR.name: page.next_cursor or ""})
    return f'<{request.scope["path"]}?{query}>; rel="next"'
