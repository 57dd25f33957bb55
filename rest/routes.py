"""The REST routes. What they need of the gateway they are given; they know no store and no loader."""

from asyncio import to_thread
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from auth.account import Account, Price
from backends.backend import Holdings
from resolvers import media
from resolvers.context import Context
from resolvers.contributors import missing_names
from resolvers.lifetime import NO_STORE, Lifetime, fingerprint, headers, lifetime
from resolvers.results import Made, Results, digest
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


@dataclass(frozen=True, slots=True)
class Written:
    """An answer as it is sent, whoever asks."""

    body: bytes
    headers: Mapping[str, str]
    media_type: str
    rows: int = 1
    life: Lifetime | None = None
    mark: str = ""


def routes(
    context: Callable[[Request], Context],
    intake: Callable[[Request], Intake],
    door: Door,
    operations: Sequence[Operation] = OPERATIONS,
    results: Results[Written] | None = None,
) -> list[Route]:
    """Every REST route. `context` and `intake` give a request its view of the stores and the way in.

    In `results` answers are kept that others ask for too; without it none are.
    """

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
            endpoint = _endpoint(operation, context, results)
            found += [Route(path, endpoint, methods=["GET"]) for path in (operation.path, *operation.aliases)]
    exchanged = [one for one in operations if isinstance(one, Exchanged)]
    for path in dict.fromkeys(one.path for one in exchanged):
        here = [one for one in exchanged if one.path == path]
        found.append(Route(path, exchange(here, context), methods=[one.method for one in here]))
    return found


def _endpoint(
    operation: Listed | Single, context: Callable[[Request], Context], results: Results[Written] | None
) -> Callable[[Request], object]:
    async def endpoint(request: Request) -> Response:
        asked = read(request.query_params, operation.parameters)
        account: Account | None = getattr(request.state, "account", None)
        paid = Price(rows_of(operation, asked) * operation.row_cost, lambda _: "Ask for a smaller limit.")
        if account is not None:
            await account.charge(paid)
            if account.only_estimate:
                return Json({"cost": account.told()}, headers={"Cache-Control": NO_STORE})
        kind = _kind(request, operation, asked)

        async def make(held: Holdings | None) -> Made[Written]:
            here = context(request)
            written = await _written(request, operation, asked, here, kind)
            if held is None or missing_names(here):
                return Made(written, 0, keep_s=0)
            life = lifetime(here.made_of, held, here.began)
            written = replace(written, life=life, mark=fingerprint(written.body))
            return Made(written, len(written.body), not life.personal, life.here_s)

        if results is None:
            written = (await make(None)).value
        else:
            texts = (text for one in sorted(asked.texts.items()) for text in one)
            written = await results.get(digest("rest", request.scope["path"], kind, *texts), make)
        if account is not None:
            await account.settle(paid, written.rows * operation.row_cost)
        if written.life is None:
            told = {**written.headers, "Vary": "Accept", "Cache-Control": NO_STORE}
        else:
            variant = kind.rpartition("/")[2]
            life = headers(written.life, written.mark, variant, "authorization" in request.headers)
            told = {**life, **written.headers}
            if "authorization" in request.headers:
                # Whatever the operation says for everybody.
                told["Cache-Control"] = life["Cache-Control"]
        return Response(written.body, 200, told, written.media_type)

    return endpoint


def rows_of(operation: Listed | Single, asked: Asked) -> int:
    """How many rows an answer has at most."""
    return asked[LIMIT] if isinstance(operation, Listed) else 1


def _kind(request: Request, operation: Listed | Single, asked: Asked) -> str:
    """The media type that is wanted. Raises NotAcceptable."""
    wanted = asked.get(FORMAT) if isinstance(operation, Listed) else None
    if wanted is None:
        return media.chosen(request.headers.get("accept", ""), [*operation.media_types])
    return MEDIA_TYPES[wanted]


async def _written(request: Request, operation: Listed | Single, asked: Asked, context: Context, kind: str) -> Written:
    if isinstance(operation, Single):
        body = encoded(await operation.answer(context, asked))
        return Written(body, {**operation.headers, **_gaps(context)}, media.JSON)
    page = await operation.answer(context, asked)
    beside = _gaps(context)
    if page.next_cursor is not None:
        beside["Link"] = _next(request, asked, page)
    form = BY_MEDIA_TYPE.get(kind)
    if form is None:
        return Written(encoded(await framed(page, context)), beside, media.JSON, len(page.items))
    beside["Content-Disposition"] = f'attachment; filename="{operation.name}.{form.name}"'
    # Beside the loop: a large table takes a while, and the first one loads what writes it.
    body = await to_thread(form.write, page.items, operation.item)
    return Written(body, beside, form.content_type, len(page.items))


def _gaps(context: Context) -> dict[str, str]:
    """A header that names the stores whose part is missing: not every answer has a place for that within."""
    names = missing_names(context)
    return {"Missing-Backends": ", ".join(names)} if names else {}


def _next(request: Request, asked: Asked, page: Paged) -> str:
    """Where the next page is. Relative: whatever names the host in front of us is the caller's own."""
    query = urlencode({**asked.texts, CURSOR.name: page.next_cursor or ""})
    return f'<{request.scope["path"]}?{query}>; rel="next"'
