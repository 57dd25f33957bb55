"""The OpenAPI document and the page say what the operations do."""

import html
import re
import shlex
from datetime import UTC, datetime
from typing import Any

import jsonschema_rs
import pytest
import schemathesis

from metrics import errors
from metrics.catalogue import BY_NAME
from metrics.window import from_ms
from promptsets.dataset import Catalogue
from promptsets.source import load
from rest.docs import page
from rest.events import EVENTS
from rest.gpu_metrics import NAMES, REST_NAMES
from rest.openapi import CONDITIONS, codes, document
from rest.operation import Listed, Single
from rest.routes import OPERATIONS
from telemetry.loader import Loader
from telemetry.regions import Regions
from tests.rest.conftest import Surface
from tests.simulator.runs import run

DOCUMENT = document(OPERATIONS)
DAY = "2026-01-08T14:00:00Z/2026-01-09T14:00:00Z"


def test_it_is_a_valid_document() -> None:
    assert DOCUMENT["openapi"] == "3.1.0"
    schemathesis.openapi.from_dict(dict(DOCUMENT)).validate()


def test_every_operation_is_there_with_its_parameters() -> None:
    for operation in OPERATIONS:
        for path in (operation.path, *operation.aliases):
            said = DOCUMENT["paths"][path][operation.method.lower()]
            assert [one["name"] for one in said["parameters"]] == [one.name for one in operation.parameters]
            assert said["description"] == operation.doc
    names = [said["operationId"] for item in DOCUMENT["paths"].values() for said in item.values()]
    assert len(names) == len({*names})


def test_every_list_has_limit_cursor_and_format() -> None:
    lists = [operation for operation in OPERATIONS if isinstance(operation, Listed)]
    assert all([one.name for one in each.parameters[-3:]] == ["limit", "cursor", "format"] for each in lists)
    assert EVENTS.path in DOCUMENT["paths"]


def test_metrics_are_described_in_the_words_of_the_catalogue() -> None:
    item = DOCUMENT["paths"]["/v1/sla/gpu/metrics"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    said = item["properties"]["data"]["items"]["properties"]["metrics"]["properties"]
    for name in NAMES:
        if metric := BY_NAME.get(name):
            told = said[REST_NAMES.get(name, name)]
            assert metric.doc in told["description"]
            assert metric.unit in told["description"]
            assert told["minimum"] == 0
            assert (told.get("maximum") == 100) is (metric.unit == "%")


def test_every_code_of_an_error_is_told() -> None:
    told = {code for status in CONDITIONS for code in codes(status)}
    every = {
        one.code for one in vars(errors).values() if isinstance(one, type) and issubclass(one, errors.GatewayError)
    }

    assert every == told
    for said in (said for item in DOCUMENT["paths"].values() for said in item.values()):
        assert {"400", "429", "500", "503", "504"} <= said["responses"].keys()
    assert "Retry-After" in DOCUMENT["components"]["responses"]["429"]["headers"]


def closed(schema: Any) -> Any:
    """The schema, allowing no property that it does not name."""
    if isinstance(schema, dict):
        made = {key: closed(value) for key, value in schema.items()}
        return made | {"additionalProperties": False} if "properties" in schema and "type" in schema else made
    return [closed(one) for one in schema] if isinstance(schema, list) else schema


def test_defaults_and_shared_ranges_pass_their_own_schema() -> None:
    for operation in OPERATIONS:
        for parameter in DOCUMENT["paths"][operation.path][operation.method.lower()]["parameters"]:
            if "default" in parameter["schema"]:
                assert jsonschema_rs.is_valid(parameter["schema"], parameter["schema"]["default"])
            if parameter["name"] == "time_range":
                assert jsonschema_rs.is_valid(parameter["schema"], DAY)
                assert not jsonschema_rs.is_valid(parameter["schema"], "yesterday")


@pytest.mark.parametrize("operation", [one for one in OPERATIONS if isinstance(one, Listed)], ids=lambda one: one.name)
async def test_an_answer_has_what_its_schema_names_and_nothing_else(surface: Surface, operation: Listed) -> None:
    surface.loader = Loader(surface.store, lambda: datetime(2100, 1, 1, tzinfo=UTC), Regions())
    surface.loader.load("default", run(2, 0.5, 5)[0])
    surface.loader.derive()
    surface.datasets = Catalogue.of(load(None))
    surface.now = from_ms((await surface.store.holds()).latest_ms or 0)
    async with surface.client() as client:
        answer = (await client.get(operation.path)).json()

    assert answer["data"]
    jsonschema_rs.validator_for(closed(operation.media_types["application/json"])).validate(answer)


@pytest.mark.parametrize(
    "error",
    [
        errors.StoreTimeout("too slow."),
        errors.StoreUnavailable("away."),
        errors.StoreFull("full."),
        errors.RateLimited("too much.", 7),
        errors.TooComplex("too big.", "time_range"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_a_failure_of_the_store_is_as_it_is_described(surface: Surface, error: errors.GatewayError) -> None:
    async def failing(_: object) -> object:
        raise error

    surface.store.rows = failing  # type: ignore[method-assign,assignment]
    async with surface.client() as client:
        answer = await client.get("/v1/sla/network/demand")

    said = DOCUMENT["components"]["responses"][str(answer.status_code)]
    schema = {**said["content"]["application/problem+json"]["schema"], "components": DOCUMENT["components"]}
    jsonschema_rs.validator_for(schema).validate(answer.json())
    assert (answer.status_code, answer.json()["code"], answer.json()["detail"]) == (
        error.status,
        error.code,
        str(error),
    )
    assert all(name in answer.headers for name in said.get("headers", ()))


async def test_it_is_served(surface: Surface) -> None:
    async with surface.client() as client:
        answer = await client.get("/openapi.json")

    assert (answer.headers["content-type"], answer.json()) == ("application/json", DOCUMENT)


async def test_the_page_needs_nothing_from_elsewhere_and_may_not(surface: Surface) -> None:
    async with surface.client() as client:
        answer = await client.get("/docs")

    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; style-src 'unsafe-inline'")
    assert re.findall(r"<(script|link|img|iframe)|\ssrc=|@import|url\(", answer.text) == []
    for operation in OPERATIONS:
        assert html.escape(operation.path) in answer.text
        assert all(f"<code>{one.name}</code>" in answer.text for one in operation.parameters)


async def test_its_examples_work(surface: Surface) -> None:
    async with surface.client() as client:
        text = (await client.get("/docs")).text
        commands = [html.unescape(found) for found in re.findall(r"<pre><code>(curl .*?)</code>", text, re.S)]
        asked = [one for one in OPERATIONS if isinstance(one, Single) and not any(each.required for each in one.own)]
        assert len(commands) == 2 * len([one for one in OPERATIONS if isinstance(one, Listed)]) + len(asked) + 1
        for command in commands:
            words = shlex.split(command)
            headers = dict(words[at + 1].split(": ", 1) for at, word in enumerate(words) if word == "-H")
            if "--data-binary" in words:
                answer = await client.post(words[-1], content=b'{"type": "x"}', headers=headers)
            else:
                answer = await client.get(words[-1], headers=headers)
            assert answer.status_code == 200, (command, answer.text)
            assert answer.headers["content-type"].startswith(headers.get("Accept", "application/json"))


async def test_its_examples_end_at_the_latest_event(surface: Surface) -> None:
    surface.loader.load("default", [b'{"type": "x", "timestamp": "1767000000000"}'])
    async with surface.client() as client:
        text = (await client.get("/docs")).text

    assert "time_range=2025-12-28T09:20:00.001Z/2025-12-29T09:20:00.001Z" in text


@pytest.mark.parametrize("host", ["<script>", "a'b", "a b", "[", "a/b", "a:b", "user@host"])
async def test_the_host_that_a_caller_names_is_shown_only_where_it_is_one(surface: Surface, host: str) -> None:
    async with surface.client() as client:
        text = (await client.get("/docs", headers={"Host": host})).text
        good = (await client.get("/docs", headers={"Host": "naap.example:8443"})).text

    assert "curl &#x27;http://127.0.0.1:8000/v1/" in text
    assert "curl &#x27;http://naap.example:8443/v1/" in good


def test_what_is_said_of_an_operation_is_text_and_no_markup() -> None:
    assert "<b>x</b>" not in page({**DOCUMENT, "info": {"title": "<b>x</b>", "description": "<b>x</b>"}}, (), "", "")
