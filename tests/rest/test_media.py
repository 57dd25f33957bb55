"""JSON or CSV: what is chosen, how a table looks, and where the next page is."""

import csv
import io
import json
from urllib.parse import urljoin

import pytest

from backends.log import Derivation
from metrics.errors import BadRequest
from resolvers import media
from resolvers.tables.forms import CSV
from rest import schema
from rest.operation import Listed
from rest.routes import OPERATIONS
from rest.tables import columns, paths, rows
from tests.rest.conftest import Surface
from tests.rest.test_gpu_metrics import PATH, A, sample

LISTED = [operation for operation in OPERATIONS if isinstance(operation, Listed)]
LISTS = [operation.path for operation in LISTED]
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "found"),
    [
        ("", media.JSON),
        ("*/*", media.JSON),
        (BROWSER, media.JSON),
        ("text/csv", media.CSV),
        ("TEXT/CSV; charset=utf-8", media.CSV),
        ("text/*", media.CSV),
        ("application/json;q=0.1, text/csv;q=0.2", media.CSV),
        ("text/csv, application/json", media.JSON),
        ("text/csv;q=0, */*", media.JSON),
        ("*/*;q=0.1, text/csv", media.CSV),
        ("application/json;q=0, text/csv;q=0.001", media.CSV),
    ],
)
def test_the_type_that_is_liked_best_is_chosen(accept: str, found: str) -> None:
    assert media.chosen(accept, [media.JSON, media.CSV]) == found


@pytest.mark.parametrize("accept", ["text/html", "image/*", "application/json;q=0", "text/csv;q=nan", "x", "*/*;q=2"])
def test_where_nothing_offered_is_accepted_that_is_said(accept: str) -> None:
    with pytest.raises(BadRequest) as caught:
        media.chosen(accept, [media.JSON, media.CSV])

    assert (caught.value.status, caught.value.argument) == (406, "Accept")


ITEM = schema.record(
    {
        "name": schema.text(""),
        "metrics": schema.record({"fps": schema.number(""), "deep": schema.record({"n": schema.whole("")}, "")}, ""),
        "by": schema.mapping(schema.number(""), ""),
        "list": schema.listing(schema.text(""), ""),
        "flag": schema.boolean(""),
    },
    "",
)


def row(name: str | None, fps: float | None = None) -> dict[str, object]:
    return {"name": name, "metrics": {"fps": fps, "deep": {"n": 1}}, "by": {"a": 1.5}, "list": ["x"], "flag": True}


def table(*items: dict[str, object]) -> str:
    return CSV.write(columns(ITEM), rows(items, ITEM)).decode()


def test_a_table_has_the_items_names_and_empty_cells_for_null() -> None:
    text = table(row("a", 0.1), row(None))

    assert text == (
        "name,metrics.fps,metrics.deep.n,by,list,flag\r\n"
        'a,0.1,1,"{""a"":1.5}","[""x""]",true\r\n'
        ',,1,"{""a"":1.5}","[""x""]",true\r\n'
    )


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "\n=x", '=cmd|"/C calc"!A0'])
def test_a_text_that_a_spreadsheet_would_run_is_quoted(name: str) -> None:
    told = [*csv.reader(io.StringIO(table(row(name)), newline=""))]

    assert told[1][0] == f"'{name}"


@pytest.mark.parametrize("name", ["a,b", 'a"b', "a\nb", "é", "a=b"])
def test_other_texts_come_back_as_they_were(name: str) -> None:
    told = [*csv.reader(io.StringIO(table(row(name)), newline=""))]

    assert told[1][0] == name


@pytest.fixture
def filled(surface: Surface) -> Surface:
    facts = [sample(str(n), 5, n, orchestrator=A, gpu=f"GPU-{n}", workflow="=w", region=None) for n in range(5)]
    surface.store.replace(Derivation(["o"], facts, []))
    return surface


@pytest.mark.parametrize("asked", [{"params": {"format": "csv"}}, {"headers": {"Accept": "text/csv"}}])
async def test_a_list_is_csv_where_that_is_asked(filled: Surface, asked: dict[str, dict[str, str]]) -> None:
    async with filled.client() as client:
        answer = await client.get(PATH, **asked)

    rows = [*csv.DictReader(io.StringIO(answer.text))]
    assert answer.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    assert answer.headers["content-disposition"] == 'attachment; filename="gpu_metrics.csv"'
    assert [row["gpu_id"] for row in rows] == [f"GPU-{n}" for n in range(5)]
    assert (rows[0]["metrics.output_fps"], rows[0]["region"], rows[0]["workflow"]) == ("0.0", "", "'=w")


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("accept", ["text/csv", "application/json", "*/*"])
async def test_every_list_varies_with_accept(surface: Surface, path: str, accept: str) -> None:
    async with surface.client() as client:
        answer = await client.get(path, headers={"Accept": accept})

    assert (answer.status_code, answer.headers["vary"]) == (200, "Accept")


@pytest.mark.parametrize("operation", LISTED, ids=lambda one: one.name)
async def test_every_list_has_the_same_columns_when_it_is_empty(surface: Surface, operation: Listed) -> None:
    async with surface.client() as client:
        answer = await client.get(operation.path, params={"format": "csv"})

    assert answer.text == ",".join(".".join(path) for path in paths(operation.item)) + "\r\n"


@pytest.mark.parametrize("format", ["csv", "json"])
async def test_the_next_page_is_linked(filled: Surface, format: str) -> None:
    found, place = [], f"{PATH}?limit=2&time_range=1h&format={format}"
    async with filled.client() as client:
        for _ in range(3):
            answer = await client.get(place)
            items = (
                [row["gpu_id"] for row in csv.DictReader(io.StringIO(answer.text))]
                if format == "csv"
                else [row["gpu_id"] for row in answer.json()["data"]]
            )
            found.append(items)
            if "next" in answer.links:
                place = urljoin(str(answer.url), answer.links["next"]["url"])

    assert found == [["GPU-0", "GPU-1"], ["GPU-2", "GPU-3"], ["GPU-4"]]
    assert "link" not in answer.headers


@pytest.mark.parametrize("path", LISTS)
async def test_what_is_not_offered_is_refused(surface: Surface, path: str) -> None:
    async with surface.client() as client:
        by_header = await client.get(path, headers={"Accept": "application/xml"})
        by_name = await client.get(path, params={"format": "xml"})
        anyhow = await client.get(path, params={"format": "json"}, headers={"Accept": "application/xml"})

    assert (by_header.status_code, by_header.json()["argument"]) == (406, "Accept")
    assert (by_header.headers["content-type"], by_header.headers["vary"]) == ("application/problem+json", "Accept")
    assert (by_name.status_code, by_name.json()["code"], by_name.json()["argument"]) == (400, "BAD_REQUEST", "format")
    assert anyhow.status_code == 200


async def test_numbers_are_written_in_full(filled: Surface) -> None:
    async with filled.client() as client:
        by_csv = [*csv.DictReader(io.StringIO((await client.get(PATH, params={"format": "csv"})).text))]
        by_json = json.loads((await client.get(PATH)).text)["data"]

    assert [float(row["metrics.output_fps"]) for row in by_csv] == [row["metrics"]["output_fps"] for row in by_json]
