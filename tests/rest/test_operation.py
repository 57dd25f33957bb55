"""A new path is a declaration: here are two, and what comes of them."""

from collections.abc import Mapping

import httpx
import pytest
import schemathesis
from starlette.applications import Starlette
from starlette.requests import Request

from metrics.errors import GatewayError, NotFound
from metrics.window import Window
from resolvers.context import Context
from rest import params, schema
from rest.events import Door
from rest.openapi import document
from rest.operation import Listed, Single
from rest.page import Listing, Paged
from rest.parameter import Asked, Parameter
from rest.problem import of_error
from rest.routes import routes
from tests.rest.conftest import Kept, Surface

KIND = Parameter("kind", params.one_of("good", "bad"), {"type": "string", "enum": ["good", "bad"]}, "Only these.")
WALLET = params.wallet("orchestrator_id", "Which orchestrator.", required=True)
PERIOD = Parameter("period", params.length, {"type": "string"}, "How long until now.", "24h")
NOBODY = "0x" + "00" * 20
NAMES = ("a", "b", "c")


async def things(context: Context, asked: Asked) -> Paged:
    listing = Listing.of("things", asked, "", Window.of_ms(0, 1), 1)
    names = [name for name in NAMES if asked.get(KIND) != "bad" or name == "b"]
    page, following = listing.cut(names, lambda name: (name,))
    return listing.paged([{"name": name} for name in page], following)


async def thing(context: Context, asked: Asked) -> Mapping[str, object]:
    if asked[WALLET] == NOBODY:
        raise NotFound("there is no such thing.")
    return {"orchestrator_id": asked[WALLET], "hours": asked[PERIOD].total_seconds() / 3600}


THINGS = Listed(
    path="/v1/things",
    name="things",
    summary="Things",
    doc="Every thing.",
    answers="A page of things.",
    own=(KIND,),
    item=schema.record({"name": schema.text("Its name.")}, "A thing."),
    answer=things,
)
THING = Single(
    path="/v1/thing",
    aliases=("/v1/old/thing",),
    name="thing",
    summary="A thing",
    doc="One thing.",
    answers="The thing.",
    own=(WALLET, PERIOD),
    result=schema.record({"orchestrator_id": schema.text("Whose."), "hours": schema.number("How long.")}, "A thing."),
    refusals=(404, 406),
    answer=thing,
)


@pytest.fixture
def client(surface: Surface) -> httpx.AsyncClient:
    def context(_: Request) -> Context:
        return Context(surface.store, surface.now, lambda body: pytest.fail("no timeline here"), "a-request")

    async def failed(_: Request, error: Exception) -> object:
        assert isinstance(error, GatewayError)
        return of_error(error, "a-request")

    app = Starlette(
        routes=routes(context, lambda _: Kept(), Door(None, 1, 1), (THINGS, THING)),
        exception_handlers={GatewayError: failed},  # type: ignore[dict-item]
    )
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway.example")


async def test_a_list_is_paged_filtered_and_csv(client: httpx.AsyncClient) -> None:
    first = (await client.get("/v1/things", params={"limit": "2"})).json()
    cursor = first["pagination"]["next_cursor"]
    second = (await client.get("/v1/things", params={"limit": "2", "cursor": cursor})).json()

    assert [one["name"] for one in first["data"] + second["data"]] == [*NAMES]
    assert (await client.get("/v1/things?format=csv&kind=bad")).text == "name\r\nb\r\n"
    assert (await client.get("/v1/things", params={"kind": "bad", "cursor": cursor})).json()["argument"] == "cursor"
    assert (await client.get("/v1/things?kind=ugly")).json()["argument"] == "kind"


@pytest.mark.parametrize("path", ["/v1/thing", "/v1/old/thing"])
async def test_an_object_is_answered_at_each_of_its_paths(client: httpx.AsyncClient, path: str) -> None:
    wallet = "0x" + "AB" * 20

    answer = await client.get(path, params={"orchestrator_id": wallet, "period": "7d"})

    refused = await client.get(path, params={"orchestrator_id": wallet}, headers={"Accept": "text/csv"})

    assert answer.json() == {"orchestrator_id": wallet.lower(), "hours": 168.0}
    assert (await client.get(path, params={"orchestrator_id": wallet})).json()["hours"] == 24.0
    assert (await client.get(path, params={"orchestrator_id": NOBODY})).json()["code"] == "NOT_FOUND"
    assert (await client.get(path)).json()["argument"] == "orchestrator_id"
    assert refused.status_code == 406
    assert (await client.get(path, params={"orchestrator_id": wallet, "period": "1y"})).json()["argument"] == "period"
    assert (await client.get(path, params={"limit": "1"})).json()["argument"] == "limit"


async def test_both_are_described(client: httpx.AsyncClient) -> None:
    described = (await client.get("/openapi.json")).json()

    assert described == document((THINGS, THING))
    schemathesis.openapi.from_dict(described).validate()
    assert next(one["name"] for one in described["paths"]["/v1/things"]["get"]["parameters"]) == "kind"
    assert "404" in described["paths"]["/v1/thing"]["get"]["responses"]
    assert described["paths"]["/v1/thing"]["get"]["parameters"][0]["required"] is True
    assert described["paths"]["/v1/old/thing"]["get"]["deprecated"] is True
    assert "Every thing." in (await client.get("/docs")).text
