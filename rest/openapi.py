"""OpenAPI 3.1 of the REST surface, made from its operations."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from http import HTTPStatus
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from metrics.errors import BadRequest, GatewayError
from resolvers.media import JSON
from rest import problem
from rest.events import Sent
from rest.operation import Exchanged, Listed, Operation
from rest.parameter import Parameter

Document = Mapping[str, Any]

TITLE = "naap-gateway"
ABOUT = (
    "Service levels of the Livepeer AI network, from its own event log. `null` means that there is no evidence; `0` is "
    "a measurement. Times are UTC and windows half-open: start included, end excluded. Lists come page by page: pass "
    "`pagination.next_cursor` back as `cursor`, or follow the header `Link`; rows that appear meanwhile neither repeat "
    "nor hide others. Errors are `application/problem+json` with a stable `code`. The same data, and more of it, is at "
    "`/graphql`."
)
CONDITIONS = {
    400: "A parameter is wrong; `argument` names it. Nothing ever falls back to a default.",
    401: "A token or signature is missing or not good; the message says which.",
    403: "You may not, or not from here.",
    404: "There is no such thing, or no such path.",
    406: "No media type that Accept allows is offered.",
    408: "The body stopped arriving.",
    413: "The body is too large.",
    429: "Too much at once: wait as long as Retry-After says.",
    500: "Something went wrong inside. The log has it under `request_id`.",
    503: "The store cannot be reached or used.",
    504: "The store did not answer in time: ask for less.",
}
RETRY = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}}}
CHALLENGE = {"WWW-Authenticate": {"description": "How to say who you are.", "schema": {"type": "string"}}}
NEXT = {
    "Link": {"description": 'The next page, `rel="next"`; not there on the last one.', "schema": {"type": "string"}}
}


def document(operations: Sequence[Operation]) -> Document:
    """The OpenAPI document of these operations."""
    return {
        "openapi": "3.1.0",
        "info": {"title": TITLE, "version": _version(), "description": ABOUT},
        "servers": [{"url": "/", "description": "This gateway."}],
        "paths": _all_paths(operations),
        "components": {
            "schemas": {"Problem": problem.SCHEMA},
            "responses": {str(status): _refusal(status) for status in _statuses(operations)},
            "securitySchemes": {
                "operator": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "NAAP_OPERATOR_TOKEN of the gateway, or a token with the scope events:write.",
                },
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An access token of /auth/login, or an API key.",
                },
            },
        },
    }


def codes(status: int) -> list[str]:
    """The codes that an error of this status can have."""
    found = {one.code for one in _errors(GatewayError) if one.status == status}
    # A refusal for a reason of HTTP's own (a body too large, say) is a BAD_REQUEST with that status.
    return sorted(found or {BadRequest.code})


def _all_paths(operations: Sequence[Operation]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for operation in operations:
        for path, item in _paths(operation):
            found.setdefault(path, {}).update(item)
    return found


def _paths(operation: Operation) -> Iterator[tuple[str, Document]]:
    yield operation.path, {operation.method.lower(): _described(operation, operation.name)}
    for number, path in enumerate(operation.aliases, 2):
        said = {**_described(operation, f"{operation.name}_{number}"), "deprecated": True}
        yield path, {operation.method.lower(): said | {"summary": f"The same as {operation.path}"}}


def _described(operation: Operation, name: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        "operationId": name,
        "summary": operation.summary,
        "description": operation.doc,
        "parameters": [_parameter(one) for one in operation.parameters],
        "responses": {"200": _answer(operation)}
        | {str(status): {"$ref": f"#/components/responses/{status}"} for status in operation.statuses},
    }
    if isinstance(operation, Sent):
        found["security"] = [{"operator": []}, {}]
        found["requestBody"] = {
            "required": False,  # no body is no event
            "content": {media: {"schema": {"description": doc}} for media, doc in operation.body_types.items()},
        }
    if isinstance(operation, Exchanged):
        if operation.signed_in:
            found["security"] = [{"token": []}]
        if operation.body is not None:
            content = {JSON: {"schema": {**operation.body, "additionalProperties": False}}}
            found["requestBody"] = {"required": bool(operation.body["required"]), "content": content}
    return found


def _parameter(parameter: Parameter[Any]) -> Document:
    schema = dict(parameter.schema)
    if parameter.default is not None:
        schema["default"] = int(parameter.default) if schema["type"] == "integer" else parameter.default
    found = {"name": parameter.name, "in": "query", "description": parameter.doc, "schema": schema}
    return found | {"required": True} if parameter.required else found


def _answer(operation: Operation) -> Document:
    content = {media: {"schema": schema} for media, schema in operation.media_types.items()}
    found: dict[str, Any] = {"description": operation.answers, "content": content}
    if isinstance(operation, Listed):
        found["headers"] = NEXT
    return found


def _refusal(status: int) -> Document:
    schema = {
        "allOf": [
            {"$ref": "#/components/schemas/Problem"},
            {"properties": {"status": {"const": status}, "code": {"enum": codes(status)}}},
        ]
    }
    found: dict[str, Any] = {
        "description": f"{HTTPStatus(status).phrase}. {CONDITIONS[status]}",
        "content": {problem.MEDIA_TYPE: {"schema": schema}},
    }
    headers = {429: RETRY, 401: CHALLENGE}.get(status)
    return found | {"headers": headers} if headers else found


def _statuses(operations: Sequence[Operation]) -> list[int]:
    return sorted({status for operation in operations for status in operation.statuses})


def _errors(root: type[GatewayError]) -> Iterator[type[GatewayError]]:
    yield root
    for one in root.__subclasses__():
        yield from _errors(one)


@cache
def _version() -> str:
    try:
        return version(TITLE)
    except PackageNotFoundError:  # run from a directory that is not installed
        return "0"
