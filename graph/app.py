"""GraphQL over HTTP: POST and GET, bounded, with the specification's media types and status codes."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
import strawberry
from graphql import GraphQLError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from graph import graphiql
from graph.errors import extensions_of, logged
from metrics.errors import BadRequest, GatewayError
from resolvers.context import Context
from resolvers.contributors import camel, contributors

MAX_BODY_BYTES = 256 * 1024
JSON, RESPONSE_JSON = "application/json", "application/graphql-response+json"

MakeContext = Callable[[Request], Awaitable[Context]]


@dataclass(frozen=True, slots=True)
class Operation:
    """What a client asks to execute."""

    query: str
    variables: dict[str, Any] | None = None
    name: str | None = None


class Refused(Exception):
    """A request that is answered before anything is executed."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.headers = dict(headers or {})


def graphql_routes(schema: strawberry.Schema, make_context: MakeContext, path: str = "/graphql") -> list[Route]:
    """The routes of the graph: the endpoint, and the parts of its GraphiQL page."""

    async def endpoint(request: Request) -> Response:
        try:
            return await _answer(schema, make_context, request)
        except Refused as refusal:
            return _refusal(str(refusal), refusal.status, {"code": "BAD_REQUEST"}, refusal.headers)
        except GatewayError as error:
            return _refusal(str(error), error.status, extensions_of(error))
        except Exception as error:
            return _refusal("internal error", 500, {"code": "INTERNAL", "id": logged(error)})

    return [
        Route(path, endpoint, methods=["GET", "POST"]),
        Route(f"{path}/parts/{{name}}", graphiql.part, methods=["GET"]),
    ]


async def _answer(schema: strawberry.Schema, make_context: MakeContext, request: Request) -> Response:
    if request.method != "POST" and "query" not in request.query_params and _wants_page(request):
        return graphiql.page(request.scope.get("root_path", "") + request.scope["path"])
    media = _media(request)
    asked = await _of_body(request) if request.method == "POST" else _of_url(request)
    context = await make_context(request)
    result: Any = await schema.execute(
        asked.query, variable_values=asked.variables, context_value=context, operation_name=asked.name
    )
    return _response(result, media, context)


def _response(result: Any, media: str, context: Context) -> Response:
    errors: list[GraphQLError] = result.errors or []
    body: dict[str, Any] = {}
    # Where nothing was executed there is no `data`; a client that knows the new media type gets a status for it.
    refused = result.data is None and bool(errors) and all(error.path is None for error in errors)
    if not refused:
        body["data"] = result.data
    if errors:
        body["errors"] = [error.formatted for error in errors]
    if (told := contributors(context)) is not None and not refused:
        body["extensions"] = {"backends": camel(told)}
    status = 400 if refused and media == RESPONSE_JSON else 200
    return Response(orjson.dumps(body), status, media_type=media)


def _refusal(
    message: str, status: int, extensions: Mapping[str, Any], headers: Mapping[str, str] | None = None
) -> Response:
    body = {"errors": [{"message": message, "extensions": extensions}]}
    return Response(orjson.dumps(body), status, headers, media_type=JSON)


def _accepted(request: Request) -> list[str]:
    ranges = request.headers.get("accept", "*/*").lower().split(",")
    return [one.partition(";")[0].strip() for one in ranges]


def _wants_page(request: Request) -> bool:
    return "text/html" in _accepted(request)


def _media(request: Request) -> str:
    accepted = _accepted(request)
    if RESPONSE_JSON in accepted:
        return RESPONSE_JSON
    if {JSON, "*/*", "application/*", ""}.intersection(accepted):
        return JSON
    raise Refused(406, f"answers are {RESPONSE_JSON} or {JSON}; accept one of them.")


def _of_url(request: Request) -> Operation:
    given = request.query_params
    return _operation(
        {
            "query": given.get("query"),
            "operationName": given.get("operationName"),
            "variables": _json(given["variables"].encode(), "variables") if given.get("variables") else None,
        }
    )


async def _of_body(request: Request) -> Operation:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != JSON:
        raise Refused(415, f"send the query as {JSON}, not {kind or 'nothing'}.", {"Accept-Post": JSON})
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise Refused(413, f"the body is larger than {MAX_BODY_BYTES // 1024} KiB.")
    return _operation(_json(bytes(body), "the body"))


def _json(text: bytes, what: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise Refused(400, f"{what} is not JSON: {error}.") from None


def _operation(given: Any) -> Operation:
    if not isinstance(given, dict):
        raise BadRequest("send one JSON object with `query`, and perhaps `variables` and `operationName`.", "query")
    query, variables, name = (given.get(key) for key in ("query", "variables", "operationName"))
    if not isinstance(query, str) or not query.strip():
        raise BadRequest("`query` must be the text of a GraphQL document.", "query")
    if variables is not None and not isinstance(variables, dict):
        raise BadRequest("`variables` must be a JSON object.", "variables")
    if name is not None and not isinstance(name, str):
        raise BadRequest("`operationName` must be a text.", "operationName")
    return Operation(query, variables, name or None)
