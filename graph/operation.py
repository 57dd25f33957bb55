"""What a client asks to be executed, as it comes in a URL or a body."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from metrics.errors import BadRequest

HASH_PREFIX = "sha256:"


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: its document, as text or by the id that stands for it, or both; variables; which of several."""

    query: str | None = None
    document_id: str | None = None
    variables: dict[str, Any] | None = None
    name: str | None = None


def of_url(given: Mapping[str, str]) -> Operation:
    """The operation of a query string. Raises BadRequest naming the parameter that is wrong."""
    parsed: dict[str, object] = {
        name: _json(given[name], name) for name in ("variables", "extensions") if given.get(name)
    }
    texts = {name: given[name] for name in ("query", "operationName", "documentId") if given.get(name)}
    return operation_of({**texts, **parsed})


def of_body(text: bytes, most: int) -> Operation | Sequence[Operation]:
    """The operation of a body, or those of a batch of `most` at most. Raises BadRequest naming what is wrong."""
    given = _json(text, "the body")
    if not isinstance(given, list):
        return operation_of(given)
    if most < 2:
        raise BadRequest("operations come one at a time here: send an object, not an array.")
    if not 1 <= len(given) <= most:
        raise BadRequest(f"a batch has from 1 to {most:,} operations, not {len(given):,}.")
    return [operation_of(one) for one in given]


def _json(text: str | bytes, what: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"{what} is not JSON: {error}.", None if isinstance(text, bytes) else what) from None


def operation_of(given: Any) -> Operation:
    """The operation of a JSON value. Raises BadRequest naming what is wrong."""
    if not isinstance(given, dict):
        raise BadRequest("send a JSON object with `query`, and perhaps `variables` and `operationName`.", "query")
    query = _text(given, "query")
    document_id = _text(given, "documentId") or _hash(given.get("extensions"))
    if not (query and query.strip()) and not document_id:
        raise BadRequest("`query` must be the text of a GraphQL document.", "query")
    variables = given.get("variables")
    if variables is not None and not isinstance(variables, dict):
        raise BadRequest("`variables` must be a JSON object.", "variables")
    id = document_id and document_id.removeprefix(HASH_PREFIX)
    return Operation(query or None, id or None, variables, _text(given, "operationName") or None)


def _text(given: dict[str, Any], name: str) -> str | None:
    value = given.get(name)
    if value is not None and not isinstance(value, str):
        raise BadRequest(f"`{name}` must be a text.", name)
    return value


def _hash(extensions: Any) -> str | None:
    """The SHA-256 that stands for the document, as Apollo's clients and others send it."""
    if extensions is not None and not isinstance(extensions, dict):
        raise BadRequest("`extensions` must be a JSON object.", "extensions")
    said = (extensions or {}).get("persistedQuery")
    if said is None:
        return None
    hash = said.get("sha256Hash") if isinstance(said, dict) and said.get("version") == 1 else None
    if not isinstance(hash, str) or not hash:
        message = "`persistedQuery` must have 1 as its `version`, and the SHA-256 of the document as its `sha256Hash`."
        raise BadRequest(message, "extensions.persistedQuery")
    return hash
