"""What a memory or a cache that many share must never mix: parts and wholes, origins, those who say who they are."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from urllib.parse import quote

import httpx
import pytest

from auth.access import Access
from auth.caller import Caller
from backends.asking import Member
from backends.backend import Holdings
from backends.federated import Federated
from backends.memory import MemoryStore
from backends.part import Part
from gateway.app import Parts, build_app
from gateway.settings import Settings
from metrics.errors import StoreUnavailable
from metrics.question import Question
from metrics.row import Row
from telemetry.loader import Loader
from telemetry.regions import Regions
from tests.canaries.planting import plant
from tests.gateway.conftest import NOW
from tests.gateway.test_caching import CLOSED, CSV, FREE, NUMBER, opened
from tests.graph.owners import ALICE, BOB, GAIL, HAL, OF_ALICE, OF_BOB, events

JSON = CSV.replace("format=csv&", "")
SCORES = "/api/aggregated_stats?since=1767960000&until=1767965400"
GRAPH = f"/graphql?query={quote(NUMBER % CLOSED)}"
CATALOGUE = "/graphql?query=%7BmetricCatalogue%7Bname%20description%7D%7D"
PAGES = ("https://one.example", "https://other.example")


class Leaving(MemoryStore):
    """A store of which some calls fail while it is away."""

    def __init__(self) -> None:
        super().__init__()
        self.away: frozenset[str] = frozenset()

    def _here(self, name: str) -> None:
        if name in self.away:
            raise StoreUnavailable("it went away.")

    async def rows(self, question: Question) -> Sequence[Row]:
        self._here("rows")
        return await super().rows(question)

    async def holds(self) -> Holdings:
        self._here("holds")
        return await super().holds()


class Two:
    """A gateway over two stores: Alice's, and Bob's, which leaves and comes back."""

    def __init__(self) -> None:
        members, self.leaving = [], Leaving()
        for source, store, owner in (
            ("a", MemoryStore(), (ALICE, GAIL, "alice", OF_ALICE)),
            ("b", self.leaving, (BOB, HAL, "bob", OF_BOB)),
        ):
            loader = Loader(plant(store), lambda: NOW, Regions())
            loader.load(source, events(*owner))
            loader.derive()
            members.append(Member(source, store, Part(frozenset({source}))))
        self.parts = Parts(Settings(**FREE), Federated(members, 5.0), None, Regions(), lambda: NOW)
        self.app = build_app(self.parts)
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://127.0.0.1:8000")


@asynccontextmanager
async def two() -> AsyncIterator[Two]:
    gateway = Two()
    async with gateway.app.router.lifespan_context(gateway.app), gateway.client:
        yield gateway


@pytest.fixture(autouse=True)
def tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Access, "known", lambda _, header: Caller(ALICE, frozenset()))


@pytest.mark.parametrize("away", [{"rows"}, {"rows", "holds"}], ids=["while it answers", "before it is asked"])
@pytest.mark.parametrize("path", [GRAPH, JSON, CSV, SCORES], ids=["graph", "rest", "csv", "explorer"])
async def test_an_answer_without_one_store_is_kept_by_nobody_and_the_next_is_whole(path: str, away: set[str]) -> None:
    async with two() as gateway:
        gateway.leaving.away = frozenset(away)
        partial = await gateway.client.get(path)
        kept = gateway.parts.results.counts.answers
        gateway.leaving.away = frozenset()
        whole = await gateway.client.get(path)
        again = await gateway.client.get(path, headers={"If-None-Match": whole.headers["etag"]})

    assert (partial.status_code, whole.status_code, again.status_code) == (200, 200, 304)
    assert (partial.headers["cache-control"], kept) == ("no-store", 0)
    assert "etag" not in partial.headers
    assert len(partial.content) < len(whole.content) or '"sessions":1' in partial.text
    assert BOB not in partial.text
    assert whole.headers["cache-control"].startswith("public, max-age=")
    assert gateway.parts.results.counts.hits == 1


async def test_a_query_sent_by_post_is_whole_again_too() -> None:
    async with two() as gateway:
        numbers = []
        for away in ({"rows"}, set[str]()):
            gateway.leaving.away = frozenset(away)
            answer = (await gateway.client.post("/graphql", json={"query": NUMBER % CLOSED})).json()
            numbers.append(answer["data"]["network"]["metrics"]["sessions"])

    assert numbers == [1, 2]


@pytest.mark.parametrize("path", [GRAPH, CATALOGUE, JSON, "/openapi.json", "/graphql?query={"])
async def test_a_page_never_gets_what_another_page_may_read(path: str) -> None:
    async with opened(cors_origins=PAGES) as gateway:
        answers = {page: await gateway.client.get(path, headers={"Origin": page}) for page in PAGES}
        stranger = await gateway.client.get(path, headers={"Origin": "https://stranger.example"})
        nobody = await gateway.client.get(path)
        tag = nobody.headers.get("etag", "")
        known = [await gateway.client.get(path, headers={"Origin": page, "If-None-Match": tag}) for page in PAGES]

    for page, answer in (*answers.items(), *zip(PAGES, known, strict=True)):
        assert answer.headers["access-control-allow-origin"] == page
    assert {one.status_code for one in known} == {304 if tag else nobody.status_code}
    for answer in (stranger, nobody):
        assert "access-control-allow-origin" not in answer.headers
    # Whoever keeps any of these answers keeps it for that origin alone.
    for answer in (*answers.values(), stranger, nobody, *known):
        assert "Origin" in answer.headers["vary"].split(", ")


async def test_what_an_answer_depends_on_is_told() -> None:
    async with opened(cors_origins=PAGES) as gateway:
        for path in (CATALOGUE, JSON):
            told = (await gateway.client.get(path, headers={"Origin": PAGES[0], "Accept-Encoding": "gzip"})).headers
            assert {*told["vary"].split(", ")} == {"Accept", "Authorization", "Accept-Encoding", "Origin"}


@pytest.mark.parametrize("path", [GRAPH, CATALOGUE, JSON, CSV, SCORES, "/openapi.json"])
async def test_an_answer_to_one_who_says_who_it_is_stays_there(path: str) -> None:
    async with opened() as gateway:
        known, anybody, again = [
            await gateway.client.get(path, headers=headers)
            for headers in ({"Authorization": "Bearer alice"}, {}, {"Authorization": "Bearer bob"})
        ]

    assert (known.status_code, anybody.status_code) == (200, 200)
    for answer in (known, again):
        assert answer.headers["cache-control"].split(", ")[0] == "private"
    assert "private" not in anybody.headers["cache-control"]
    if path != "/openapi.json":
        assert "Authorization" in anybody.headers["vary"]
