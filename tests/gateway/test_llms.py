"""llms.txt: fresh in the repository, served, and true."""

import json
import re

import httpx

from auth.account import READ
from auth.budget import Tiers
from gateway.app import PLACES
from gateway.llms import page
from gateway.settings import Settings
from metrics.catalogue import BY_NAME
from resolvers.tables.forms import ARROW, PARQUET
from tests.gateway.conftest import Running
from tests.gateway.processes import ROOT
from tests.served import Served

TEXT = page(Settings())


def test_the_repositorys_copy_is_fresh() -> None:
    assert (ROOT / "llms.txt").read_text(encoding="utf-8") == TEXT, "run `make docs`"


async def test_it_is_served_with_what_is_configured_here() -> None:
    gateway = Running(Settings(public_url="https://gateway.example", budgets=Tiers(1_234, 0, 0), introspection=False))
    async with gateway.app.router.lifespan_context(gateway.app), gateway.client:
        answer = await gateway.client.get(PLACES["llms"])

    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert "This gateway is at https://gateway.example." in answer.text
    assert "may spend 1,234 in 60 seconds (with a token without limit)" in answer.text
    assert "introspection is off here" in answer.text


async def test_its_queries_answer() -> None:
    served = Served()
    (query,), (variables,) = (
        re.findall(r"```graphql\n(.*?)```", TEXT, re.S),
        re.findall(r"```json\n(.*?)```", TEXT, re.S),
    )
    (first,) = re.findall(r"Ask `(.*?)` first", TEXT)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(served.app), base_url="http://127.0.0.1") as client:
        for body in ({"query": query, "variables": json.loads(variables)}, {"query": first}):
            answer = (await client.post("/graphql", json=body)).json()
            assert "errors" not in answer, answer
            assert answer["data"]


def test_it_tells_the_price_of_reads_news_and_tables() -> None:
    for told in (
        f"and {READ} for each read",
        "text/event-stream",
        ARROW.media_type,
        PARQUET.media_type,
        "`/dashboard/graphql`",
    ):
        assert told in TEXT


def test_it_knows_every_metric_and_no_placeholder_is_left() -> None:
    assert len(re.findall(r"^- `\w+` \(.*\): ", TEXT, re.M)) == len(BY_NAME)
    assert not re.search(r"\{\w+\}", TEXT)
