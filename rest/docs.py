"""The reference as a page that needs nothing from elsewhere: plain HTML made from the OpenAPI document."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from metrics.errors import GatewayError
from metrics.window import Window, from_ms
from resolvers.context import Context
from rest.events import Sent
from rest.openapi import CONDITIONS, TITLE, Document, codes
from rest.operation import Exchanged, Listed, Operation
from rest.page import interval
from rest.schema import is_record

STYLE = Path(__file__).parent / "static" / "docs.css"
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
# A Host header is the caller's own: what looks like a host and a port is shown, anything else is not.
ORIGIN = re.compile(r"https?://(?:[A-Za-z0-9.-]{1,253}|\[[0-9a-fA-F:.]{2,45}\])(?::[0-9]{1,5})?")
DEFAULT_ORIGIN = "http://127.0.0.1:8000"


async def docs(request: Request, context: Context, document: Document, operations: Sequence[Operation]) -> Response:
    """The page. Its examples end at the latest event, so that over an old dump they are not empty."""
    text = page(document, operations, _origin(request), await _day(context))
    return Response(text, media_type="text/html", headers={"Content-Security-Policy": POLICY})


def page(document: Document, operations: Sequence[Operation], origin: str, day: str) -> str:
    """The reference, with examples that ask the gateway at `origin` about the time range `day`."""
    info = document["info"]
    body = [
        f"<h1>{_text(info['title'])}: the REST surface</h1>",
        f"<p>{_prose(info['description'])}</p>",
        "<p>For programs: <a href='openapi.json'>openapi.json</a> (OpenAPI 3.1). "
        "Questions of your own: <a href='graphql'>graphql</a>.</p>",
        *(_section(document, operation, origin, day) for operation in operations),
        _errors(),
    ]
    return (
        f"<!doctype html><html lang='en'><head><meta charset='utf-8'><title>{TITLE}: REST</title>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<style>{_style()}</style></head><body><div class='page'>{_menu(operations)}<main>{''.join(body)}</main></div>"
        "</body></html>"
    )


def examples(operation: Operation, origin: str, day: str) -> list[str]:
    """Commands that work as they stand."""
    if isinstance(operation, Sent):
        kind = next(iter(operation.body_types))
        return [f"curl --data-binary @events.ndjson -H 'Content-Type: {kind}' '{origin}{operation.path}'"]
    if isinstance(operation, Exchanged):  # these need a wallet: docs/auth.md shows how
        return []
    if not operation.example and any(one.required for one in operation.parameters):
        return []
    query = operation.example.replace("{range}", day)
    address = f"{origin}{operation.path}{'?' if query else ''}{query}"
    found = [f"curl '{address}'"]
    if isinstance(operation, Listed):
        found.append(f"curl -H 'Accept: text/csv' '{address}'")
    return found


def _menu(operations: Sequence[Operation]) -> str:
    entries = [
        f"<li><a href='#{one.name}'>{_text(one.summary)}</a><small>{one.method} {_text(one.path)}</small></li>"
        for one in operations
    ]
    return f"<nav><b>{TITLE}</b><ol>{''.join(entries)}<li><a href='#errors'>Errors</a></li></ol></nav>"


def _section(document: Document, operation: Operation, origin: str, day: str) -> str:
    described = document["paths"][operation.path][operation.method.lower()]
    aliases = "".join(f"<br><b>{operation.method}</b> {_text(path)}" for path in operation.aliases)
    parts = [
        f"<section id='{operation.name}'><h2>{_text(operation.summary)}</h2>",
        f"<p class='path'><b>{operation.method}</b> {_text(operation.path)}{aliases}</p>",
        f"<p>{_prose(operation.doc)}</p>",
        *(f"<pre><code>{_text(command)}</code></pre>" for command in examples(operation, origin, day)),
        "<h3>Parameters</h3>",
        _table(("name", "is", "means"), (_parameter(one) for one in described["parameters"])),
        _body(operation),
        _result(operation),
        "</section>",
    ]
    return "".join(parts)


def _body(operation: Operation) -> str:
    if isinstance(operation, Exchanged) and operation.body is not None:
        return "<h3>Body</h3>" + _table(("name", "is", "means"), _fields(operation.body))
    if not isinstance(operation, Sent):
        return ""
    rows = ((_code(kind), "", _prose(doc)) for kind, doc in operation.body_types.items())
    return "<h3>Body</h3>" + _table(("Content-Type", "", "holds"), rows)


def _result(operation: Operation) -> str:
    listed = isinstance(operation, Listed)
    schema = operation.item if isinstance(operation, Listed) else operation.result
    frame = " as JSON with <code>pagination</code> and <code>meta</code> around, or as CSV" if listed else ""
    title = "An item" if listed else "The answer"
    return f"<h3>{title}{frame}</h3>" + _table(("name", "is", "means"), _fields(schema))


def _fields(schema: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str, str]]:
    # Of a mapping, whatever its keys are.
    named = schema["properties"] if is_record(schema) else {"…": schema["additionalProperties"]}
    for name, said in named.items():
        yield _code(before + name), f"<span class='kind'>{_kind(said)}</span>", _prose(said["description"])
        if "properties" in said or "properties" in said.get("additionalProperties", ()):
            yield from _fields(said, f"{before}{name}.")
        elif "properties" in said.get("items", ()):
            yield from _fields(said["items"], f"{before}{name}[].")


def _parameter(parameter: Mapping[str, Any]) -> tuple[str, str, str]:
    schema = parameter["schema"]
    more = f" Default: {_code(str(schema['default']))}." if "default" in schema else ""
    more = " Required." if parameter.get("required") else more
    return _code(parameter["name"]), _allowed(schema), _prose(parameter["description"]) + more


def _allowed(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return ", ".join(map(_code, schema["enum"]))
    if schema["type"] == "integer":
        return f"<span class='kind'>{schema['minimum']} to {schema['maximum']:,}</span>"
    return "<span class='kind'>text</span>"


def _kind(schema: Mapping[str, Any]) -> str:
    kinds = [schema["type"]] if isinstance(schema["type"], str) else [*schema["type"]]
    if kinds[0] == "string":
        kinds[0] = "time" if schema.get("format") == "date-time" else "text"
    return " or ".join(kinds)


def _errors() -> str:
    rows = (
        (str(status), ", ".join(map(_code, codes(status))), _prose(condition))
        for status, condition in CONDITIONS.items()
    )
    said = (
        "Each is `application/problem+json` with `status`, `code`, `detail`, `request_id` and, where one was wrong, "
        "`argument`. A method that a path does not take is 405 `BAD_REQUEST` with the header `Allow`."
    )
    table = _table(("status", "code", "when"), rows)
    return f"<section id='errors'><h2>Errors</h2><p>{_prose(said)}</p>{table}</section>"


def _table(names: Sequence[str], rows: Iterator[tuple[str, str, str]]) -> str:
    head = "".join(f"<th>{name}</th>" for name in names)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _code(text: str) -> str:
    return f"<code>{_text(text)}</code>"


def _prose(text: str) -> str:
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", _text(text))


def _text(text: str) -> str:
    return escape(text, quote=True)


def _origin(request: Request) -> str:
    said = f"{request.scope['scheme']}://{request.headers.get('host', '')}"
    return said if ORIGIN.fullmatch(said) else DEFAULT_ORIGIN


async def _day(context: Context) -> str:
    try:
        latest_ms = (await context.holds()).latest_ms
    except GatewayError:
        latest_ms = None
    end = context.now if latest_ms is None else from_ms(latest_ms + 1)
    return interval(Window.last(timedelta(days=1), now=end))


@cache
def _style() -> str:
    return STYLE.read_text(encoding="utf-8")
