"""`GET /v1/sla/datasets`: the contract's envelope, filters, pages and errors."""

import pytest

from promptsets.dataset import Catalogue
from promptsets.source import load
from tests.rest.conftest import Surface

PATH = "/v1/sla/datasets"
CATALOGUE = Catalogue.of(load(None))
NAMES = [one.name for one in CATALOGUE.datasets]


@pytest.fixture
def filled(surface: Surface) -> Surface:
    surface.datasets = CATALOGUE
    return surface


async def test_the_answer_has_the_shape_of_the_contract(filled: Surface) -> None:
    async with filled.client() as client:
        answer = await client.get(PATH, params={"workflow": "streamdiffusion", "type": "bad"})

    known = CATALOGUE.datasets[0]
    assert answer.json() == {
        "data": [
            {
                "name": "streamdiffusion-bad",
                "version": known.version,
                "workflow": "streamdiffusion",
                "type": "bad",
                "description": known.description,
                "license": "CC0-1.0",
                "prompt_count": 240,
                "sha256": known.sha256,
                "updated_at": "2026-11-20T00:00:00Z",
                "url": None,
            }
        ],
        "pagination": {"next_cursor": None, "has_more": False, "page_size": 100},
        "meta": {
            "generated_at": "2026-01-09T14:00:00Z",
            "request_id": "a-request",
            "time_window": None,
            "last_event_at": None,
        },
    }


@pytest.mark.parametrize(
    ("parameters", "found"),
    [
        ({}, NAMES),
        ({"type": "good"}, [name for name in NAMES if name.endswith("good")]),
        ({"workflow": "streamdiffusion"}, NAMES[:3]),
        ({"workflow": "nobody's"}, []),
    ],
)
async def test_filters_keep_what_they_name(filled: Surface, parameters: dict[str, str], found: list[str]) -> None:
    async with filled.client() as client:
        answer = await client.get(PATH, params=parameters)

    assert [one["name"] for one in answer.json()["data"]] == found


async def test_pages_follow_one_another_and_end(filled: Surface) -> None:
    async with filled.client() as client:
        found, cursor, pages = [], None, 0
        while pages == 0 or cursor:
            params = {"limit": "4"} | ({"cursor": cursor} if cursor else {})
            answer = (await client.get(PATH, params=params)).json()
            found += [one["name"] for one in answer["data"]]
            cursor, pages = answer["pagination"]["next_cursor"], pages + 1
            assert answer["pagination"]["has_more"] is (cursor is not None)

    assert (found, pages) == (NAMES, 3)


async def test_without_datasets_it_is_an_empty_list(surface: Surface) -> None:
    async with surface.client() as client:
        answer = await client.get(PATH)

    assert (answer.status_code, answer.json()["data"]) == (200, [])


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("type", "GOOD"),
        ("type", "worse"),
        ("limit", "0"),
        ("limit", "1001"),
        ("cursor", "nonsense"),
        ("cursor", "é"),
        ("time_range", "1h"),
        ("workflow", ""),
    ],
)
async def test_a_bad_parameter_is_a_problem_that_names_it(filled: Surface, parameter: str, value: str) -> None:
    async with filled.client() as client:
        answer = await client.get(PATH, params={parameter: value})

    assert answer.status_code == 400
    assert (answer.json()["code"], answer.json()["argument"]) == ("BAD_REQUEST", parameter)
