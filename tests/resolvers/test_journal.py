"""A request's journal: every read is in it, no value that was asked for is."""

import asyncio
import json

import pytest

from backends.backend import Backend, PageQuestion, SessionQuestion, StakeQuestion, StreamQuestion
from backends.memory import MemoryStore
from metrics.columns import SESSIONS
from metrics.dimension import Dimension
from metrics.errors import StoreTimeout
from metrics.evidence import EvidenceQuestion
from metrics.question import Question
from metrics.sighting import SightingQuestion, Trait
from metrics.window import Window
from resolvers.journal import MOST, Journal
from resolvers.timed import Timed

SECRET = "0x" + "5e" * 20
SESSION = SessionQuestion(where=((Dimension.ORCHESTRATOR, (SECRET,)),), stream_ids=(SECRET,))
PAGE = PageQuestion((SECRET,), 0, 1)
ASKED = {
    "holds": (),
    "rows": (Question.of(SESSIONS.measures, Window.of_ms(0, 60_000), where={Dimension.ORCHESTRATOR: [SECRET]}),),
    "seen": (SightingQuestion.of([Trait.GPU], {Trait.ORCHESTRATOR: [SECRET]}),),
    "evidence": (EvidenceQuestion(0, 1, (SESSIONS,), SESSION.where),),
    "sessions": (SESSION,),
    "streams": (StreamQuestion(SESSION, after=(0, SECRET)),),
    "stream_count": (SESSION,),
    "events": ([SECRET],),
    "stakes": (StakeQuestion((SECRET,), 0, 1),),
    "payments": (PAGE,),
    "incidents": (PAGE,),
    "incident_counts": (PAGE,),
    "payment_events": ([SECRET],),
    "ping": (),
}


def test_every_read_of_a_store_is_tried_here() -> None:
    reads = {name for name in vars(Backend) if not name.startswith("_")} - {"name", "close"}

    assert ASKED.keys() == reads


@pytest.mark.parametrize("name", ASKED)
async def test_a_read_is_told_without_what_it_asked_for(name: str) -> None:
    heard: list[str] = []
    journal = Journal(lambda read: heard.append(read.name))

    await getattr(Timed(MemoryStore(), journal), name)(*ASKED[name])

    told = journal.told()
    assert [read["name"] for read in told["others"]] == heard == [name]
    assert told["reads"] == 1
    assert SECRET not in json.dumps(told)


class Failing(MemoryStore):
    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error

    async def holds(self) -> object:  # type: ignore[override]
        raise self.error


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (StoreTimeout("slow"), "STORE_TIMEOUT"),
        (ValueError(SECRET), "INTERNAL"),
        (asyncio.CancelledError(), "CANCELLED"),
    ],
)
async def test_what_fails_is_told_by_its_code(error: BaseException, code: str) -> None:
    heard: list[str | None] = []
    journal = Journal(lambda read: heard.append(read.error))

    with pytest.raises(type(error)):
        await Timed(Failing(error), journal).holds()

    assert [read["error"] for read in journal.told()["others"]] == heard == [code]


async def test_reads_that_a_plan_begins_are_its_own_also_in_other_tasks() -> None:
    journal = Journal()
    store = Timed(MemoryStore(), journal)

    async def plan(name: str) -> None:
        with journal.planning(name, 2):
            await asyncio.gather(store.holds(), store.ping())

    await asyncio.gather(plan("one"), plan("two"))

    told = journal.told()
    assert [(plan["name"], [read["name"] for read in plan["reads"]]) for plan in told["plans"]] == [
        ("one", ["holds", "ping"]),
        ("two", ["holds", "ping"]),
    ]
    assert told["others"] == []


async def test_what_goes_on_for_ever_is_heard_of_and_not_kept() -> None:
    heard: list[str] = []
    journal = Journal(lambda read: heard.append(read.name))
    store = Timed(MemoryStore(), journal)
    for _ in range(MOST + 10):
        with journal.planning("holds", 1):
            pass
        await store.holds()
        journal.executed("{ x }")

    assert len(heard) == MOST + 10
    assert (len(journal.plans), len(journal.others), len(journal.documents)) == (MOST, MOST, MOST)
