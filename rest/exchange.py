"""Operations about the caller: a small JSON body is read and checked by its schema, and no cache keeps the answer."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from metrics.errors import BadRequest, Unauthenticated
from resolvers.context import Context
from rest import body
from rest.json import Json
from rest.operation import Exchanged, Visit
from rest.parameter import read
from rest.schema import Schema

MAX_BYTES = 16 * 1024
MAX_TEXTS = 32


def exchange(operations: Sequence[Exchanged], context: Callable[[Request], Context]) -> Callable[[Request], object]:
    """The endpoint of the operations of one path, each a method."""
    methods = {one.method: one for one in operations}

    async def endpoint(request: Request) -> Response:
        operation = methods["GET" if request.method == "HEAD" else request.method]
        asking = context(request)
        asking.attempt(operation.name)
        if operation.signed_in and asking.caller.subject is None:
            raise Unauthenticated("sign in with a wallet first: POST /auth/nonce, then /auth/login.")
        visit = Visit(
            asking.door,
            asking.caller,
            asking.client,
            read(request.query_params, operation.parameters),
            {} if operation.body is None else await _body(request, operation.body),
        )
        return Json(await operation.serve(visit), headers={"Cache-Control": operation.cache})

    return endpoint


async def _body(request: Request, schema: Schema) -> Mapping[str, Any]:
    content = await body.read(request, MAX_BYTES, MAX_BYTES)
    needed = schema["required"]
    if not content.strip() and not needed:
        return {}
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":  # a page of another site can send other types without being asked
        raise BadRequest("send the body as application/json.", "Content-Type")
    try:
        given = orjson.loads(content)
    except orjson.JSONDecodeError:
        raise BadRequest("the body is not JSON.", "body") from None
    if not isinstance(given, dict):
        raise BadRequest(f"the body must be a JSON object of {', '.join(schema['properties'])}.", "body")
    for name, value in given.items():
        _checked(name, value, schema["properties"])
    for name in needed:
        if name not in given:
            raise BadRequest(f"{name} is missing. {schema['properties'][name]['description']}", name)
    return given


def _checked(name: str, value: object, properties: Mapping[str, Schema]) -> None:
    if name not in properties:
        raise BadRequest(f"{name[:40]!r} is not known here. There are: {', '.join(properties)}.", name[:40])
    if properties[name]["type"] == "array":
        if not isinstance(value, list) or len(value) > MAX_TEXTS or not all(isinstance(one, str) for one in value):
            raise BadRequest(f"{name} must be a list of at most {MAX_TEXTS} texts.", name)
    elif not isinstance(value, str):
        raise BadRequest(f"{name} must be a text.", name)
