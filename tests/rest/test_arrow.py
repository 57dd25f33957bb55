"""Lists as Arrow and Parquet: the values of JSON, with types of their own."""

import io
import subprocess
import sys
from datetime import datetime
from typing import Any

import httpx
import pytest

from resolvers.tables import arrow
from resolvers.tables.forms import ARROW, PARQUET, Form
from rest.operation import Listed
from rest.routes import OPERATIONS
from rest.tables import at, columns, paths
from tests.compat.network import Network, simulated
from tests.gateway.processes import ROOT

pyarrow = pytest.importorskip("pyarrow", reason="the extra arrow is not installed")
LISTED = [operation for operation in OPERATIONS if isinstance(operation, Listed)]
FORMS = (ARROW, PARQUET)


@pytest.fixture(scope="module")
def network() -> Network:
    return simulated()


def read(form: Form, body: bytes) -> Any:
    """The table that was sent."""
    if form is ARROW:
        return pyarrow.ipc.open_stream(body).read_all()
    from pyarrow.parquet import read_table

    return read_table(io.BytesIO(body))


def plain(value: Any) -> Any:
    """An Arrow value as JSON writes it: mappings come as pairs, times as times."""
    if isinstance(value, list):
        return dict(value) if value and isinstance(value[0], tuple) else [plain(one) for one in value]
    if isinstance(value, datetime):
        text = value.isoformat(timespec="milliseconds" if value.microsecond else "seconds")
        return text.replace("+00:00", "Z")
    return value


@pytest.mark.parametrize("operation", LISTED, ids=lambda one: one.name)
@pytest.mark.parametrize("form", FORMS, ids=lambda one: one.name)
async def test_every_list_tells_in_it_what_it_tells_as_json(network: Network, operation: Listed, form: Form) -> None:
    asked = {"time_range": "24h"} if "time_range" in {one.name for one in operation.parameters} else {}
    items = (await network.get(operation.path, **asked)).json()["data"]
    answer = await network.get(operation.path, format=form.name, **asked)
    table = read(form, answer.content)

    assert answer.headers["content-type"] == form.media_type
    assert answer.headers["content-disposition"] == f'attachment; filename="{operation.name}.{form.name}"'
    assert table.column_names == [".".join(path) for path in paths(operation.item)]
    assert table.num_rows == len(items)
    for path, column in zip(paths(operation.item), table.columns, strict=True):
        told = [plain(value) for value in column.to_pylist()]
        expected = [at(one, path) for one in items]
        assert told == [[] if value == {} else value for value in expected], path  # an empty mapping has no pairs


async def test_the_lists_of_the_network_are_not_empty(network: Network) -> None:
    for path in ("/v1/sla/gpu/metrics", "/v1/sla/network/demand", "/v1/sla/network/capabilities"):
        assert (await network.get(path, **({"time_range": "24h"} if "cap" not in path else {}))).json()["data"]


async def test_columns_have_types(network: Network) -> None:
    demand = read(ARROW, (await network.get("/v1/sla/network/demand", format="arrow")).content).schema
    offers = read(ARROW, (await network.get("/v1/sla/network/capabilities", format="arrow")).content).schema

    assert demand.field("inference_minutes").type == pyarrow.float64()
    assert demand.field("total_sessions").type == pyarrow.int64()
    assert demand.field("fees_wei").type == pyarrow.string()  # up to 2²⁵⁶
    assert offers.field("last_seen_at").type == pyarrow.timestamp("ms", "UTC")
    assert offers.field("gpus").type.value_type.field("vram_bytes").type == pyarrow.int64()


@pytest.mark.parametrize("operation", LISTED, ids=lambda one: one.name)
def test_an_empty_page_has_the_columns_of_a_full_one(operation: Listed) -> None:
    for form in FORMS:
        table = read(form, form.write(columns(operation.item), []))
        assert (table.num_rows, table.column_names) == (0, [".".join(path) for path in paths(operation.item)])


async def test_accept_asks_for_it_and_pages_are_linked(network: Network) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(network.app), base_url="http://x") as client:
        answer = await client.get(
            "/v1/sla/network/demand", params={"limit": "1"}, headers={"Accept": f"{arrow.STREAM};q=0.9, */*;q=0.1"}
        )

    assert answer.headers["content-type"] == arrow.STREAM
    assert "Accept" in answer.headers["vary"].split(", ")
    assert "next" in answer.links
    assert read(ARROW, answer.content).num_rows == 1


def test_without_pyarrow_it_is_not_offered() -> None:
    imports = (
        "import sys; sys.modules['pyarrow'] = None",
        "from rest.tables import MEDIA_TYPES",
        "from graph.accept import VARIANTS",
    )
    program = "\n".join((*imports, "print(*MEDIA_TYPES, *VARIANTS)"))
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60)

    graph = ["application/json", "application/graphql-response+json", "multipart/mixed", "text/csv"]
    assert done.stdout.split() == ["json", "csv", *graph], done.stderr
