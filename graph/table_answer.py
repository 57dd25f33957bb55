"""An answer sent as a table; what cannot be told in one is told in JSON, with a status."""

from asyncio import to_thread
from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from starlette.responses import Response

from graph.table import Layout
from metrics.errors import GatewayError, every_error
from resolvers.tables.forms import Form


def status_of(errors: Iterable[Mapping[str, Any]]) -> int:
    """The status of an answer with these errors: the highest of those that they have by themselves."""
    known = {one.code: one.status for one in reversed([*every_error()])}
    return max((known.get(one["extensions"]["code"], GatewayError.status) for one in errors), default=200)


async def written_as(form: Form, layout: Layout, body: Mapping[str, Any], headers: Mapping[str, str]) -> Response:
    """The `data` of a body without errors, as a table. Raises TooComplex."""
    # Beside the loop: a large table takes a while, and the first one loads what writes it.
    table = await to_thread(_table, layout, form, body["data"])
    beside = {"Vary": "Accept", **headers, "Content-Disposition": form.disposition(layout.name)}
    # Of a gateway over several stores: a table has no place for what is missing.
    missing = [one["name"] for one in body.get("extensions", {}).get("backends", ()) if one["isMissing"]]
    if missing:
        beside["Missing-Backends"] = ", ".join(missing)
    return Response(table, 200, beside, media_type=form.content_type)


def _table(layout: Layout, form: Form, data: Any) -> bytes:
    # It is kept as it was written.
    return form.write(layout.columns, layout.rows(orjson.loads(orjson.dumps(data))))
