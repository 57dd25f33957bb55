"""`GET /v1/sla/compliance`: the score of one orchestrator, in the contract's shape."""

import pytest

from backends.log import Derivation
from metrics.dimension import DIMENSIONS, Dimension
from metrics.fact import Fact
from metrics.sighting import TRAITS, Sighting, Trait
from metrics.window import to_ms
from tests.rest.conftest import NOW, Surface

A, B = "0x" + "aa" * 20, "0x" + "bb" * 20
PATH = "/v1/sla/compliance"
AT_MS = to_ms(NOW) - 30 * 60_000


def fact(key: str, at_ms: int, values: dict[str, int], workflow: str) -> Fact:
    held = {Dimension.SOURCE: "s", Dimension.ORCHESTRATOR: A, Dimension.WORKFLOW: workflow}
    return Fact("o", key, at_ms, tuple(held.get(one) for one in DIMENSIONS), values)


def seen(wallet: str) -> Sighting:
    held = {Trait.SOURCE: "s", Trait.ORCHESTRATOR: wallet}
    return Sighting("o", wallet, AT_MS, AT_MS, tuple(held.get(one) for one in TRAITS))


@pytest.fixture
def filled(surface: Surface) -> Surface:
    served = {"sessions": 1, "served": 1, "stays": 1, "prompt_to_first_frame": 6_000_000}
    facts = [fact(str(number), AT_MS, served, "w") for number in range(5)]
    facts.append(fact("v", AT_MS, {"sessions": 1, "startup_failed": 1, "stays": 1}, "v"))
    facts.append(fact("old", AT_MS - 3_600_000, served, "w"))
    surface.store.replace(Derivation(["o"], facts, [seen(A), seen(B)]))
    return surface


async def test_the_answer_is_one_object_with_everything_it_was_made_of(filled: Surface) -> None:
    async with filled.client() as client:
        found = (
            await client.get(PATH, params={"orchestrator_id": A.upper().replace("X", "x"), "workflow": "w"})
        ).json()

    # 6000 ms of 3000 … 9000 is a half: (0.3 × 0.5 + 0.4 × 1) / 0.7; five sessions weigh as much as the prior.
    raw = 100 * 0.55 / 0.7
    latency, reliability, consistency, *_ = found.pop("subscores")
    (part,) = found.pop("workflows")
    assert found.pop("score") == part["score"] == pytest.approx((raw + 50) / 2)
    assert found == {
        "orchestrator_id": A,
        "period": "1h",
        "time_window": "2026-01-09T13:00:00Z/2026-01-09T14:00:00Z",
        "workflow": "w",
        "missing": ["consistency", "throughput", "efficiency"],
        "scoring_version": "naap-1",
        "evidence": 5,
        "prior": 50,
        "k": 5,
    }
    assert (latency["name"], latency["value"], latency["weight"]) == ("latency", 0.5, 0.3)
    assert latency["inputs"][0] == {
        "metric": "prompt_to_first_frame_latency_ms",
        "value": 6000,
        "samples": 5,
        "good": 3000,
        "bad": 9000,
        "direction": "LOWER",
        "weight": 0.5,
        "score": 0.5,
    }
    assert (reliability["value"], consistency["value"]) == (1, None)
    assert (part["raw"], part["evidence"]) == (pytest.approx(raw), 5)


async def test_over_several_workflows_each_has_its_own_part(filled: Surface) -> None:
    async with filled.client() as client:
        found = (await client.get(PATH, params={"orchestrator_id": A, "period": "24h"})).json()

    assert [(part["workflow"], part["evidence"]) for part in found["workflows"]] == [("v", 1), ("w", 6)]
    weighed = sum(part["evidence"] * part["score"] for part in found["workflows"]) / 7
    assert (found["score"], found["evidence"]) == (pytest.approx(weighed), 7)


async def test_an_orchestrator_that_did_nothing_has_no_score(filled: Surface) -> None:
    async with filled.client() as client:
        answer = await client.get(PATH, params={"orchestrator_id": B})

    found = answer.json()
    assert (answer.status_code, found["score"], found["evidence"], found["workflows"]) == (200, None, 0, [])
    assert [one["name"] for one in found["subscores"]] == found["missing"]


async def test_both_paths_answer_the_same(filled: Surface) -> None:
    async with filled.client() as client:
        asked = {"orchestrator_id": A, "period": "2026-01-09T12:00:00Z/2026-01-09T14:00:00Z"}
        one, other = await client.get(PATH, params=asked), await client.get("/v1/sla/sla/compliance", params=asked)

    assert one.json() == other.json()
    assert one.json()["evidence"] == 7


async def test_an_unknown_orchestrator_is_not_found(filled: Surface) -> None:
    async with filled.client() as client:
        answer = await client.get(PATH, params={"orchestrator_id": "0x" + "cc" * 20})

    assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")
    assert "orchestrator_id" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("query", "argument"),
    [
        ("", "orchestrator_id"),
        ("orchestrator_id=0x12", "orchestrator_id"),
        ("orchestrator_id=%00", "orchestrator_id"),
        (f"orchestrator_id={A}&orchestrator_id={A}", "orchestrator_id"),
        (f"orchestrator_id={A}&period=", "period"),
        (f"orchestrator_id={A}&period=0h", "period"),
        (f"orchestrator_id={A}&period=yesterday", "period"),
        (f"orchestrator_id={A}&period=999999w", "period"),
        (f"orchestrator_id={A}&period=2026-01-09T14:00:00Z/2026-01-09T13:00:00Z", "period"),
        (f"orchestrator_id={A}&period=2026-01-09/2026-01-10", "period"),
        (f"orchestrator_id={A}&period=a/b", "period"),
        (f"orchestrator_id={A}&period=0001-01-01T00:00:00%2B14:00/2026-01-09T13:00:00Z", "period"),
        (f"orchestrator_id={A}&workflow=%20", "workflow"),
        (f"orchestrator_id={A}&time_range=1h", "time_range"),
        (f"orchestrator_id={A}&version=naap-1", "version"),
    ],
)
async def test_a_bad_parameter_is_refused_by_name(filled: Surface, query: str, argument: str) -> None:
    async with filled.client() as client:
        answer = await client.get(f"{PATH}?{query}")

    problem = answer.json()
    assert (answer.status_code, problem["argument"]) == (400, argument)
    assert problem["code"] in ("BAD_REQUEST", "TOO_COMPLEX")
    assert argument in problem["detail"]
