"""Answers as tables: which columns and rows, whatever the answer is; and what no table can tell."""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest
from graphql import (
    GraphQLNonNull,
    GraphQLObjectType,
    get_nullable_type,
    get_operation_ast,
    is_enum_type,
    is_leaf_type,
    is_list_type,
    parse,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from graph import table
from graph.operation import Operation
from graph.table import Layout, Room, layout
from metrics.errors import BadRequest, TooComplex
from resolvers.media import NotAcceptable
from resolvers.tables import arrow
from resolvers.tables.csv import FORMULA
from resolvers.tables.forms import ARROW, CSV, PARQUET, Form
from tests.graph.world import NOW, SCHEMA

CORE = SCHEMA._schema
# Documents, and the columns that are expected of them: by the way in the answer, `*` for each list.
DOCUMENTS: dict[str, dict[str, str]] = {
    """{ network(region: "fra") { lastEventAt series { timeZone freshness { asOf lagSeconds partial } starts
        fps: values(metric: "outputFps") sessions: values(metric: "sessions") } } }""": {
        "network.lastEventAt": "network.lastEventAt",
        "network.series.timeZone": "network.series.timeZone",
        "network.series.freshness.asOf": "network.series.freshness.asOf",
        "network.series.freshness.lagSeconds": "network.series.freshness.lagSeconds",
        "network.series.freshness.partial": "network.series.freshness.partial",
        "starts": "network.series.starts.*",
        "fps": "network.series.fps.*",
        "sessions": "network.series.sessions.*",
    },
    """{ gpus { totalCount pageInfo { endCursor } edges { cursor node { gpuId vramBytes lastSeenAt
        demandSeries { interval starts m: values(metric: "sessions") } } } } }""": {
        "gpus.totalCount": "gpus.totalCount",
        "gpus.pageInfo.endCursor": "gpus.pageInfo.endCursor",
        "cursor": "gpus.edges.*.cursor",
        "node.gpuId": "gpus.edges.*.node.gpuId",
        "node.vramBytes": "gpus.edges.*.node.vramBytes",
        "node.lastSeenAt": "gpus.edges.*.node.lastSeenAt",
        "node.demandSeries.interval": "gpus.edges.*.node.demandSeries.interval",
        "node.demandSeries.starts": "gpus.edges.*.node.demandSeries.starts.*",
        "node.demandSeries.m": "gpus.edges.*.node.demandSeries.m.*",
    },
    """{ top: leaderboard { rank who: orchestrator { address serviceUris stakeLpt }
        score { subscores { name inputs { metric value samples direction } } } } }""": {
        "rank": "top.*.rank",
        "who.address": "top.*.who.address",
        "who.serviceUris": "top.*.who.serviceUris",
        "who.stakeLpt": "top.*.who.stakeLpt",
        "score.subscores.name": "top.*.score.subscores.*.name",
        "score.subscores.inputs.metric": "top.*.score.subscores.*.inputs.*.metric",
        "score.subscores.inputs.value": "top.*.score.subscores.*.inputs.*.value",
        "score.subscores.inputs.samples": "top.*.score.subscores.*.inputs.*.samples",
        "score.subscores.inputs.direction": "top.*.score.subscores.*.inputs.*.direction",
    },
    """{ nodes(ids: []) { __typename id ... on Gpu { model } ...More } }
        fragment More on Measured { demand { feesWei window { start } sessions } }""": {
        "__typename": "nodes.*.__typename",
        "id": "nodes.*.id",
        "model": "nodes.*.model",
        "demand.feesWei": "nodes.*.demand.feesWei",
        "demand.window.start": "nodes.*.demand.window.start",
        "demand.sessions": "nodes.*.demand.sessions",
    },
    "{ network { demand { feesWei faceValueWei } supply { workflow gpuMinutes } } }": {
        "network.demand.feesWei": "network.demand.feesWei",
        "network.demand.faceValueWei": "network.demand.faceValueWei",
        "workflow": "network.supply.*.workflow",
        "gpuMinutes": "network.supply.*.gpuMinutes",
    },
    "{ a: network { gpuCount lastEventAt } b: viewer { scopes roles } scoring: __typename }": {
        "a.gpuCount": "a.gpuCount",
        "a.lastEventAt": "a.lastEventAt",
        "b.scopes": "b.scopes",
        "b.roles": "b.roles",
        "scoring": "scoring",
    },
}
SCALARS: dict[str, st.SearchStrategy[Any]] = {
    "Int": st.integers(-(2**31), 2**31 - 1),
    "Float": st.floats(allow_nan=False, allow_infinity=False),
    "Boolean": st.booleans(),
    "DateTime": st.integers(-(10**12), 10**13).map(lambda ms: text_of(NOW + timedelta(milliseconds=ms))),
    "Wei": st.integers(0, 2**256).map(str),
}
TEXTS = st.text(st.characters(codec="utf-8"), max_size=6) | st.sampled_from(["=1+1", "", ",", '"', "\r\n", "'", "0"])


def made(text: str, variables: Mapping[str, Any] | None = None) -> Layout:
    """The layout of a document."""
    found = layout(CORE, text, Operation(text, variables=dict(variables or {})))
    assert found is not None
    return found


@st.composite
def answers(draw: st.DrawFn, text: str) -> dict[str, Any]:
    """Any `data` of a document that has no variables or conditions."""
    document = parse(text)
    fragments = {one.name.value: one for one in document.definitions if hasattr(one, "type_condition")}

    def value(type_: Any, nodes: Sequence[Any], length: int | None = None) -> Any:
        if not isinstance(type_, GraphQLNonNull) and draw(st.integers(0, 3)) == 0:
            return None
        plain = get_nullable_type(type_)
        if is_list_type(plain):
            count = draw(st.integers(0, 3)) if length is None else length
            return [value(plain.of_type, nodes) for _ in range(count)]
        if is_enum_type(plain):
            return draw(st.sampled_from([*plain.values]))
        if is_leaf_type(plain):
            return draw(SCALARS.get(plain.name, TEXTS))
        return thing(plain, nodes)

    def thing(type_: Any, nodes: Sequence[Any]) -> dict[str, Any]:
        if not isinstance(type_, GraphQLObjectType):
            type_ = draw(st.sampled_from(CORE.get_possible_types(type_)))
        rows, told = draw(st.integers(0, 3)), {}
        waiting = [one for node in nodes for one in node.selection_set.selections]
        while waiting:
            node = waiting.pop(0)
            if node.kind == "field":
                name = node.name.value
                key = (node.alias or node.name).value
                is_column = name in ("starts", "values")
                told[key] = (
                    type_.name
                    if name == "__typename"
                    else value(type_.fields[name].type, [node], rows if is_column else None)
                )
                continue
            inner = fragments[node.name.value] if node.kind == "fragment_spread" else node
            on = CORE.type_map[inner.type_condition.name.value]
            if type_ is on or type_ in getattr(CORE.get_implementations(on), "objects", ()):
                waiting = [*inner.selection_set.selections, *waiting]
        return told

    operation = get_operation_ast(document)
    return thing(CORE.query_type, [operation])


def expected(data: Any, columns: Mapping[str, str]) -> list[list[Any]]:
    """The rows, found another way: each value by the numbers of the items that it lies in."""
    found: dict[str, dict[tuple[int, ...], Any]] = {}

    def walk(name: str, value: Any, path: Sequence[str], numbers: tuple[int, ...]) -> None:
        if not path:
            found[name][numbers] = value
        elif path[0] == "*":
            for number, item in enumerate(value or ()):
                walk(name, item, path[1:], (*numbers, number))
        else:
            walk(name, (value or {}).get(path[0]), path[1:], numbers)

    for name, path in columns.items():
        found[name] = {}
        walk(name, data, path.split("."), ())
    depths = {name: path.count("*") for name, path in columns.items()}
    deepest = max(depths.values())
    told = {key for name, depth in depths.items() if depth == deepest for key in found[name]}
    # What stands around a list in which there is nothing has a row of its own.
    for depth in reversed(range(deepest)):
        own = [found[name] for name in columns if depths[name] == depth]
        there = {key for values in own for key, value in values.items() if value is not None}
        told |= {key for key in there if not any(other[:depth] == key for other in told)}
    return [
        [found[name].get(key[:depth]) if len(key) >= depth else None for name, depth in depths.items()]
        for key in sorted(told)
    ]


ARROW_IS_HERE = pytest.mark.skipif(not arrow.is_here(), reason="the extra arrow is not installed")
WHATEVER = pytest.mark.parametrize("text", DOCUMENTS, ids=lambda text: re.findall(r"\w+", text)[0])


def test_columns_stand_from_the_outside_in() -> None:
    for text, columns in DOCUMENTS.items():
        assert [column.name for column in made(text).columns] == sorted(
            columns, key=lambda one: columns[one].count("*")
        )


@WHATEVER
@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_as_csv_it_tells_what_the_answer_tells(text: str, data: Any) -> None:
    answer, found = data.draw(answers(text)), made(text)
    written = CSV.write(found.columns, found.rows(answer)).decode()
    header, *told = csv.reader(io.StringIO(written, newline=""))

    rows = expected(answer, DOCUMENTS[text])
    assert len(told) == len(rows)
    for row, cells in zip(rows, told, strict=True):
        for name, value in zip(DOCUMENTS[text], row, strict=True):
            cell = cells[header.index(name)]
            assert cell == "" if value is None else is_said(value, cell), (name, value, cell)


@ARROW_IS_HERE
@WHATEVER
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_as_arrow_and_parquet_it_tells_what_the_answer_tells(text: str, data: Any) -> None:
    answer, found = data.draw(answers(text)), made(text)
    rows = expected(answer, DOCUMENTS[text])

    for form in (ARROW, PARQUET):
        told = read(form, form.write(found.columns, found.rows(answer)))
        for at, name in enumerate(DOCUMENTS[text]):
            assert [*map(text_of, told.column(name).to_pylist())] == [row[at] for row in rows], name


def is_said(value: Any, cell: str) -> bool:
    """Does the cell of CSV say this, and not something that a spreadsheet would run?"""
    if isinstance(value, str):
        return cell == (f"'{value}" if value.startswith(FORMULA) else value)
    read: Any = orjson.loads(cell)
    return read == value and isinstance(read, type(value))


def read(form: Form, body: bytes) -> Any:
    """The table that was written."""
    import pyarrow

    if form is ARROW:
        return pyarrow.ipc.open_stream(body).read_all()
    from pyarrow.parquet import read_table

    return read_table(io.BytesIO(body))


def text_of(value: Any) -> Any:
    """Times as the graph writes them."""
    if not isinstance(value, datetime):
        return value
    return value.isoformat(timespec="milliseconds").replace(".000", "").replace("+00:00", "Z")


@ARROW_IS_HERE
def test_columns_have_types_whether_there_is_anything_in_them_or_not() -> None:
    text = """{ network { demand { feesWei feesEth capacityRatePct sessions window { start } }
        series { freshness { partial } interval starts fps: values(metric: "outputFps") } } }"""
    found = made(text)
    empty, full = ({"network": None}, {"network": {"series": {"starts": ["2026-01-09T13:00:00Z"], "fps": [None]}}})

    for data, count in ((empty, 0), (full, 1)):
        told = read(ARROW, ARROW.write(found.columns, found.rows(data)))
        assert told.num_rows == count
        assert {field.name.rpartition(".")[2]: str(field.type) for field in told.schema} == {
            "feesWei": "string",  # up to 2²⁵⁶
            "feesEth": "string",
            "capacityRatePct": "double",
            "sessions": "int64",
            "start": "timestamp[ms, tz=UTC]",
            "partial": "bool",
            "interval": "string",
            "starts": "timestamp[ms, tz=UTC]",
            "fps": "double",
        }


def test_what_stands_around_an_empty_list_is_told_once() -> None:
    found = made("{ gpus { totalCount nodes { gpuId workflows { name } } } }")

    assert found.rows({"gpus": {"totalCount": 0, "nodes": []}}) == [(0, None, None)]
    assert found.rows({"gpus": {"totalCount": 1, "nodes": [{"gpuId": "a", "workflows": []}]}}) == [(1, "a", None)]
    assert made("{ gpus { nodes { gpuId } } }").rows({"gpus": {"nodes": []}}) == []


def test_variables_say_which_columns_there_are() -> None:
    text = """query ($a: Boolean!, $b: Boolean = false) { gpus { nodes {
        gpuId @include(if: $a) ... @skip(if: $b) { model }
        region: __typename } } }"""

    def names(**variables: bool) -> list[str]:
        return [column.name for column in made(text, variables).columns]

    assert names(a=True) == ["gpuId", "model", "region"]
    assert names(a=False) == ["model", "region"]
    assert names(a=False, b=True) == ["region"]


def test_of_different_types_one_name_may_be_of_different_types() -> None:
    text = "{ nodes(ids: []) { ... on Stream { x: workflow { pipeline } } ... on Gpu { x: demand { sessions } } } }"
    nodes = [{"x": {"pipeline": "live"}}, {"x": {"sessions": 0}}, {"x": None}, None]

    assert [column.name for column in made(text).columns] == ["x.pipeline", "x.sessions"]
    assert made(text).rows({"nodes": nodes}) == [("live", None), (None, 0), (None, None), (None, None)]


@pytest.mark.parametrize("number", ["query ($x: ID = {}) {{ node(id: $x) {{ id }} }}", "{{ node(id: {}) {{ id }} }}"])
def test_a_number_of_too_many_digits_is_no_fault(number: str) -> None:
    text = number.format("1" * 5_000)

    assert layout(CORE, text, Operation(text)) is not None  # an id may be one


SIDE_BY_SIDE = [
    ("{ gpus { nodes { gpuId } } workflows { nodes { name } } }", "gpus.nodes", "workflows.nodes"),
    ("{ a: gpus { nodes { gpuId } } b: gpus { nodes { gpuId } } }", "a.nodes", "b.nodes"),
    ("{ gpus { nodes { gpuId } edges { cursor } } }", "gpus.nodes", "gpus.edges"),
    (
        "{ gpus { nodes { workflows { name } orchestrators { address } } } }",
        "gpus.nodes.workflows",
        "gpus.nodes.orchestrators",
    ),
    ("{ network { series { starts buckets { start } } } }", "network.series.starts", "network.series.buckets"),
    (
        "{ network { series { starts } d: demandSeries { starts } } }",
        "network.series.starts",
        "network.d.starts",
    ),
    (
        "{ gpus { nodes { ...A } } } fragment A on Gpu { series { starts } ... on Gpu { workflows { name } } }",
        "gpus.nodes.series.starts",
        "gpus.nodes.workflows",
    ),
]


@pytest.mark.parametrize(("text", "first", "second"), SIDE_BY_SIDE)
def test_two_lists_side_by_side_are_refused_by_their_names(text: str, first: str, second: str) -> None:
    with pytest.raises(BadRequest) as caught:
        made(text)

    assert f"`{first}` and `{second}` are two lists side by side" in str(caught.value)
    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("{ __typename gpus { nodes { __typename } } }", "__typename"),
        ("{ a: network { b: lastEventAt } gpus { nodes { a: workflows { b: name } } } }", "a.b"),
    ],
)
def test_two_columns_of_one_name_are_refused(text: str, name: str) -> None:
    with pytest.raises(BadRequest, match=f"`{name}`.*alias"):
        made(text)


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "{ nothing }",
        "{ network }",
        "{ gpus { nodes { ...A } } } fragment A on Gpu { orchestrators { gpus { nodes { ...A } } } }",
        "query A { __typename } query B { __typename }",
        "{ " + " ".join(f"a{n}: __typename" for n in range(300)) + " }",
        "{ network { " + "... { " * 1_600 + "__typename" + " }" * 1_600 + " } }",
    ],
)
def test_what_is_not_executed_is_left_to_who_refuses_it(text: str) -> None:
    assert layout(CORE, text, Operation(text)) is None


@pytest.mark.parametrize("text", ["mutation { logout }", "subscription { metricsUpdated { cursor } }"])
def test_only_queries_have_tables(text: str) -> None:
    with pytest.raises(NotAcceptable):
        made(text)


def test_what_is_told_again_in_each_row_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    text = '{ _service { sdl } network { series { starts n: values(metric: "sessions") } } }'
    series = {"starts": ["2026-01-09T13:00:00Z"] * 1_440, "n": [1.0] * 1_440}
    answer = {"_service": {"sdl": "x" * 100_000}, "network": {"series": series}}

    with pytest.raises(TooComplex, match="32 MiB"):
        made(text).rows(answer)
    monkeypatch.setattr(Room, "take", lambda *_: None)  # without the guard it is a table of 144 MB
    assert sum(len(row[0]) for row in made(text).rows(answer)) > 4 * table.MOST_REPEATED_BYTES


def test_what_is_told_once_has_no_bound() -> None:
    found = made("{ datasets { nodes { description } } }")
    nodes = [{"description": "x" * 1_000_000}] * 40

    assert len(found.rows({"datasets": {"nodes": nodes}})) == 40
