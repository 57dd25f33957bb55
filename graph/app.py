"""GraphQL over HTTP: POST and GET, one operation or a batch, with the specification's media types and status codes."""

from asyncio import gather
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
import strawberry
from graphql import GraphQLError, get_operation_ast, parse
from graphql import OperationType as GraphQLOperation
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket
from strawberry.schema.exceptions import InvalidOperationTypeError
from strawberry.types.graphql import OperationType

from auth.account import Account, Price
from auth.caller import ANONYMOUS, Scope
from backends.backend import Holdings
from graph import event_stream, graphiql, websocket
from graph.accept import JSON, RESPONSE_JSON, VARIANTS, names, wanted_type, wants_page, without_tables
from graph.budget import WORTH
from graph.csrf import is_forgeable
from graph.documents import Documents, Shown
from graph.errors import logged
from graph.event_stream import EVENTS, EventStream
from graph.live import Live, NotServed
from graph.operation import Operation
from graph.origin import is_welcome
from graph.request import Refused, body_of, read
from graph.response import Body, refused_body, told, with_cost, written
from graph.table import layout
from graph.table_answer import status_of, written_as
from metrics.errors import GatewayError, PersistedQueryNotFound, RateLimited
from resolvers import media
from resolvers.context import LIMITS, Context
from resolvers.contributors import camel, contributors
from resolvers.lifetime import NO_STORE, Lifetime, fingerprint, headers, lifetime
from resolvers.results import Made, Results, digest
from resolvers.tables.forms import BY_MEDIA_TYPE, Form

BATCH = 10
READING = frozenset({OperationType.QUERY})
ANYTHING = frozenset({OperationType.QUERY, OperationType.MUTATION})
# What is refused, or only estimated, costs 1 for so many characters beyond the first ones.
FREE_CHARACTERS, CHARACTERS = 2_000, 20
# Documents with these words in them may do something: they are executed each time.
DOING = ("mutation", "subscription")

MakeContext = Callable[[Request], Awaitable[Context]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What an operation was answered; the status counts where it is not one of a batch."""

    body: Body
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    # How long it may be told again, and the fingerprint of its data; None: not at all.
    life: Lifetime | None = None
    mark: str = ""
    # What it cost, beside the 1 of its request.
    worth: int = 0


@dataclass(frozen=True, slots=True)
class Graph:
    """The schema as it is served: what a request sees, which documents may be named or sent, how many in a batch."""

    schema: strawberry.Schema
    make_context: MakeContext
    documents: Documents
    batch: int
    live: Live | None = None
    # Where answers are kept that others ask for too, and what this graph is called there; None: nowhere.
    results: Results[Answer] | None = None
    name: str = ""


def graphql_routes(
    schema: strawberry.Schema,
    make_context: MakeContext,
    path: str = "/graphql",
    documents: Documents | None = None,
    batch: int = BATCH,
    live: Live | None = None,
    results: Results[Answer] | None = None,
) -> list[BaseRoute]:
    """The routes of the graph: the endpoint, for WebSockets too where it is live, and the parts of GraphiQL's page."""
    graph = Graph(schema, make_context, Shown() if documents is None else documents, batch, live, results, path)

    async def endpoint(request: Request) -> Response:
        if request.method != "POST" and wants_page(request) and "query" not in request.query_params:
            return graphiql.page(request.scope.get("root_path", "") + request.scope["path"])
        account = _account(request)
        try:
            wanted = wanted_type(request, live is not None)
        except media.NotAcceptable as error:
            return written(with_cost(refused_body(error), account), error.status, JSON)
        # A request that is refused has a status, and no events.
        plain = JSON if wanted == EVENTS else without_tables(wanted)
        try:
            return await _answer(graph, request, wanted)
        except ClientDisconnect:
            raise  # nobody is left to answer, and nothing is wrong here
        except Refused as error:
            return written(with_cost(refused_body(error), account), error.status, plain, error.headers)
        except GatewayError as error:
            waits = {"Retry-After": str(error.retry_after_s)} if isinstance(error, RateLimited) else None
            return written(with_cost(refused_body(error), account), error.status, plain, waits)
        except Exception as error:
            body = told("internal error", {"code": "INTERNAL", "id": logged(error)})
            return written(with_cost(body, account), 500, plain)

    async def socket(connection: WebSocket) -> None:
        assert live is not None
        await websocket.serve(live, connection)

    return [
        *([WebSocketRoute(path, socket)] if live else []),
        Route(path, endpoint, methods=["GET", "POST"]),
        Route(f"{path}/parts/{{name}}", graphiql.part, methods=["GET"]),
    ]


@dataclass(frozen=True, slots=True)
class Asking:
    """How the operations of one request are asked."""

    graph: Graph
    make_context: Callable[[], Awaitable[Context]]
    allowed: frozenset[OperationType]
    failed: int
    account: Account | None
    # Does it want no answer that was made for others?
    is_own: bool
    shows_plan: bool


async def _answer(graph: Graph, request: Request, wanted: str) -> Response:
    is_post = request.method == "POST"
    if not is_post and is_forgeable(request.headers):
        raise Refused(
            403, "a query by GET from another site needs the header GraphQL-Require-Preflight: 1. Or send it by POST."
        )
    asked = read(await body_of(request) if is_post else request.scope["query_string"], graph.batch if is_post else None)
    if graph.live and isinstance(asked, Operation) and _is_subscription(graph, asked) and names(EVENTS, request):
        return await _streamed(graph.live, asked, request, wanted)
    allowed = ANYTHING if is_post else READING
    form = BY_MEDIA_TYPE.get(wanted)
    if form is not None and not isinstance(asked, Operation):
        raise media.NotAcceptable("a batch has no table: ask for one operation, or accept application/json.", "Accept")
    # To a client that knows only JSON a status tells of the request, not of what was asked in it.
    failed = 400 if without_tables(wanted) == RESPONSE_JSON else 200
    account = _account(request)
    # Who may see the plan, or wants an estimate, wants that of its own request.
    shows_plan = Scope.PLAN in request.scope.get("state", {}).get("caller", ANONYMOUS).scopes
    is_own = shows_plan or (account is not None and account.only_estimate)
    if isinstance(asked, Operation):
        asking = Asking(graph, lambda: graph.make_context(request), allowed, failed, account, is_own, shows_plan)
        if form is not None:
            return await _as_table(form, asking, asked, request)
        answer = await _executed(asking, asked)
        if is_post:
            return written(with_cost(answer.body, account), answer.status, wanted, answer.headers)
        # What caches may keep is the same for everybody: what is left of a budget stands in headers.
        body = with_cost(answer.body, account if answer.life is None else None)
        return written(body, answer.status, wanted, {**answer.headers, **_cached(answer, request, wanted)})
    # Of one request, so that they share its reads and its bounds.
    context = await graph.make_context(request)
    asking = Asking(graph, lambda: _ready(context), allowed, failed, account, is_own, shows_plan)
    answers = await gather(*(_executed(asking, one) for one in asked))
    bodies = [with_cost(one.body, account) for one in answers]
    if all(one.status == RateLimited.status for one in answers):
        return written(bodies, RateLimited.status, wanted, answers[-1].headers)
    return written(bodies, 200, wanted)


async def _as_table(form: Form, asking: Asking, asked: Operation, request: Request) -> Response:
    """The answer as a table; in JSON where there are errors, and where only the cost is wanted."""
    graph, account = asking.graph, asking.account
    # Before it is executed: what has no table need not be paid.
    table = layout(graph.schema._schema, graph.documents.text(asked), asked)
    answer = await _executed(asking, asked)
    beside = {**answer.headers, **({} if request.method == "POST" else _cached(answer, request, form.media_type))}
    errors = answer.body.get("errors", ())
    if table is not None and not errors and not (account and account.only_estimate):
        return await written_as(form, table, answer.body, beside)
    status = max(answer.status, status_of(errors))
    return written(with_cost(answer.body, account), status, RESPONSE_JSON, beside)


async def _streamed(live: Live, asked: Operation, request: Request, wanted: str) -> Response:
    """A subscription as events. What stops it before it begins has a status, as with any other operation."""
    if not is_welcome(request, live.origins):
        raise Refused(403, "pages of this origin may not subscribe here.")
    headers, account = request.headers, getattr(request.state, "account", None)
    updates = live.updates(asked, request, headers.get("authorization"), headers.get("last-event-id") or None, account)
    try:
        first = await anext(updates, None)
    except NotServed as error:
        return event_stream.failed(error.errors)
    if first is None:  # only the price was asked
        return written(with_cost({"data": None}, account), 200, without_tables(wanted))
    return EventStream(first, updates, live)


def _is_subscription(graph: Graph, asked: Operation) -> bool:
    """Is it one, as far as can be told before it is checked?"""
    try:
        text = graph.documents.text(asked)
        # Most are none, which is seen without reading them.
        document = parse(text, max_tokens=LIMITS.max_tokens) if "subscription" in text else None
    except (GatewayError, GraphQLError):
        return False
    found = get_operation_ast(document, asked.name) if document else None
    return found is not None and found.operation is GraphQLOperation.SUBSCRIPTION


async def _ready(context: Context) -> Context:
    return context


def _cached(answer: Answer, request: Request, wanted: str) -> Mapping[str, str]:
    if answer.life is None or wanted not in VARIANTS:
        return {"Cache-Control": NO_STORE}
    return headers(answer.life, answer.mark, VARIANTS[wanted], "authorization" in request.headers)


async def _executed(asking: Asking, asked: Operation) -> Answer:
    graph, is_made = asking.graph, False
    try:
        text = graph.documents.text(asked)
    except PersistedQueryNotFound as error:
        return Answer(refused_body(error), asking.failed)
    except GatewayError as error:
        return Answer(refused_body(error), error.status)

    async def make(held: Holdings | None) -> Made[Answer]:
        nonlocal is_made
        is_made = True
        return await _made(asking, asked, text, held)

    if graph.results is None or asking.is_own or any(word in text for word in DOING):
        answer = (await make(None)).value
    else:
        variables = orjson.dumps(asked.variables, option=orjson.OPT_SORT_KEYS)
        key = digest(graph.name, text, asked.name or "", variables, str(asking.failed), str(len(asking.allowed)))
        answer = await graph.results.get(key, make)
    if "data" in answer.body:
        graph.documents.shown(asked)
    return answer if is_made or asking.account is None else await _paid(answer, asking.account, asking.failed)


async def _paid(answer: Answer, account: Account, failed: int) -> Answer:
    """An answer that was made for others, once it is paid for: what it was worth, for nothing need be put aside."""
    try:
        await account.charge(Price(answer.worth))
    except RateLimited as error:
        return _later(error)
    except GatewayError as error:
        return Answer(refused_body(error), failed)
    return answer


def _later(error: RateLimited) -> Answer:
    return Answer(refused_body(error), error.status, {"Retry-After": str(error.retry_after_s)})


async def _made(asking: Asking, asked: Operation, text: str, held: Holdings | None) -> Made[Answer]:
    """The answer, executed; how long it may be told depends on what was `held` before."""
    context, allowed, account = await asking.make_context(), asking.allowed, asking.account
    # Reading and checking a long document takes time, whatever comes of it.
    pledge = max(0, len(text) - FREE_CHARACTERS) // CHARACTERS if account is not None else 0
    if account is not None and pledge:
        try:
            await account.pledge(pledge)
        except RateLimited as error:
            return Made(_later(error), 0, shared=False)
    context.journal.executed(text)
    result: Any = await asking.graph.schema.execute(
        text,
        variable_values=asked.variables,
        context_value=context,
        operation_name=asked.name,
        allowed_operation_types=allowed,
    )
    errors: list[GraphQLError] = result.errors or []
    body: Body = {}
    data = orjson.dumps(result.data)
    # Where nothing was executed there is no `data`.
    refused = result.data is None and bool(errors) and all(error.path is None for error in errors)
    if account is not None and pledge and not refused and not account.only_estimate:
        await account.release(pledge)
    if not refused:
        body["data"] = orjson.Fragment(data)
    if errors:
        body["errors"] = [error.formatted for error in errors]
        context.journal.errors.update(str((error.extensions or {}).get("code")) for error in errors)
    extensions = dict(result.extensions or {})
    worth: int = extensions.pop(WORTH, 0)
    # Told to each caller for itself.
    extensions.pop("cost", None)
    if (stores := contributors(context)) is not None and not refused:
        extensions["backends"] = camel(stores)
    if asking.shows_plan:
        extensions["plan"] = context.journal.told()
    if extensions:
        body["extensions"] = extensions
    wait_s = max((int((error.extensions or {}).get("retryAfterSeconds", 0)) for error in errors), default=0)
    if refused and wait_s:
        return Made(Answer(body, RateLimited.status, {"Retry-After": str(wait_s)}), 0, shared=False)
    if allowed is READING and any(_is_mutation(error.original_error) for error in errors):
        return Made(Answer(body, 405, {"Allow": "POST"}), 0, shared=False)
    if refused:
        return Made(Answer(body, asking.failed), 0, shared=False)
    is_partial = context.several is not None and context.several.partial
    if errors or is_partial or held is None:
        # Whoever asked in the same moment would have found the same.
        return Made(Answer(body, worth=worth), len(data), shared=not context.made_of.caller, keep_s=0)
    life = lifetime(context.made_of, held, context.began)
    answer = Answer(body, life=life, mark=fingerprint(orjson.dumps(body)), worth=worth)
    return Made(answer, len(data), not life.personal, life.here_s)


def _is_mutation(error: Exception | None) -> bool:
    return isinstance(error, InvalidOperationTypeError) and error.operation_type is OperationType.MUTATION


def _account(request: Request) -> Account | None:
    account: Account | None = request.scope.get("state", {}).get("account")
    return account
