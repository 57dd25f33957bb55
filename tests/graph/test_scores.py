"""Scores, the leaderboard, standings and targets as they are answered."""

import pytest

from metrics.scoring.versions import VERSIONS
from tests.graph.world import ALICE, BOB, NOW_MS, CountingStore, ask, fact, sighting, small_network
from tests.scoring.by_hand import SLA_SCORE, check

DAY_MS = 86_400_000
NAMES = tuple(version.name for version in VERSIONS)


def scored(store: CountingStore, address: str, served: int, failed: int = 0, workflow: str = "w", **dims: str) -> None:
    """An orchestrator with so many sessions an hour ago."""
    told = {"orchestrator": address, "workflow": workflow, **dims}
    store.add(sighting(f"{address}{workflow}", NOW_MS - DAY_MS, NOW_MS - 1, **told))
    for number in range(served + failed):
        outcome = "served" if number < served else "startup_failed"
        owner = f"{address}/{workflow}/{number}"
        store.add(fact(owner, NOW_MS - 3_600_000, {"sessions": 1, outcome: 1, "stays": 1}, **told))


def address(number: int) -> str:
    return f"0x{number:040x}"


async def board(store: CountingStore, **arguments: object) -> list[tuple[int, int, float, int]]:
    """(rank, number of the orchestrator, score, evidence) of each entry."""
    answer = await ask(
        store,
        """query($workflow: String, $region: ID, $version: String, $first: Int) {
          leaderboard(window: {last: PT24H}, workflow: $workflow, region: $region, version: $version, first: $first) {
            rank orchestrator { address } score { value evidence } } }""",
        **arguments,
    )
    assert answer.errors == []
    return [
        (
            one["rank"],
            int(one["orchestrator"]["address"], 16),
            round(one["score"]["value"], 6),
            one["score"]["evidence"],
        )
        for one in answer.data["leaderboard"]
    ]


async def test_the_leaderboard_breaks_ties_by_evidence_and_then_by_address() -> None:
    store = CountingStore()
    for number, served, failed in ((3, 5, 0), (1, 5, 0), (2, 0, 5), (4, 0, 0), (5, 15, 0)):
        scored(store, address(number), served, failed)
    scored(store, address(6), 5, 0, "a")

    found = await board(store)

    assert found == [(1, 5, 87.5, 15), (2, 1, 75, 5), (3, 3, 75, 5), (4, 6, 75, 5), (5, 2, 40, 5)]
    assert await board(store, first=2) == found[:2]
    assert await board(store, first=0) == []
    assert await board(store, workflow="a") == [(1, 6, 75, 5)]
    assert await board(store, workflow="nothing") == []
    assert await board(store, version="quality-benchmark-1", first=1)


async def test_a_tie_goes_to_the_one_with_more_evidence() -> None:
    store = CountingStore()
    # Not drawn to a prior, so that evidence does not change the score.
    for number, count in ((1, 2), (2, 7)):
        for each in range(count):
            values = {"sessions": 1, "served": 1, "status_sessions": 1}
            store.add(fact(f"{number}/{each}", NOW_MS - 5, values, orchestrator=address(number), workflow="w"))

    found = await board(store, version="quality-benchmark-1")

    assert [(rank, number, evidence) for rank, number, _, evidence in found] == [(1, 2, 7), (2, 1, 2)]
    assert found[0][2] == found[1][2]


@pytest.mark.parametrize(
    ("arguments", "argument"),
    [
        ("first: -1", "first"),
        ("first: 501", "first"),
        ('version: "naap-2"', "version"),
        ('version: ""', "version"),
        ("window: {last: PT0S}", "window.last"),
    ],
)
async def test_a_wrong_argument_of_the_leaderboard_is_named(arguments: str, argument: str) -> None:
    answer = await ask(small_network(), f"{{ leaderboard({arguments}) {{ rank }} }}")

    assert answer.codes == ["BAD_REQUEST"]
    assert answer.errors[0]["extensions"]["argument"] == argument


async def test_an_unknown_version_is_told_those_that_there_are() -> None:
    answer = await ask(
        small_network(), f'{{ orchestrator(address: "{ALICE}") {{ slaScore(version: "x") {{ value }} }} }}'
    )

    assert answer.data == {"orchestrator": {"slaScore": None}}
    assert "naap-1, quality-benchmark-1" in answer.errors[0]["message"]


@pytest.mark.parametrize("version", NAMES)
async def test_orchestrators_gpus_and_workflows_have_scores_that_can_be_worked_out_again(version: str) -> None:
    score = f'slaScore(window: {{last: PT24H}}, version: "{version}") {{ {SLA_SCORE} }}'

    answer = await ask(
        small_network(),
        f"""{{ orchestrators {{ nodes {{ address {score} gpus {{ nodes {{ gpuId {score} }} }} }} }}
              workflows {{ nodes {{ name {score} orchestrators {{ nodes {{ {score} }} }} }} }}
              gpus {{ nodes {{ {score} }} }}
              leaderboard(window: {{last: PT24H}}, version: "{version}") {{ score {{ {SLA_SCORE} }} }} }}""",
    )

    assert answer.errors == []
    alice, bob, carol = answer.data["orchestrators"]["nodes"]
    for one in (alice, bob, carol, *bob["gpus"]["nodes"], *answer.data["gpus"]["nodes"]):
        check(one["slaScore"])
        assert one["slaScore"]["version"] == version
    for entry in answer.data["leaderboard"]:
        check(entry["score"])
    assert [one["slaScore"]["evidence"] for one in (alice, bob, carol)] == [1, 2, 0]
    assert carol["slaScore"]["value"] is None
    assert [one["workflow"] for one in bob["slaScore"]["workflows"]] == ["flux", "sdxl"]
    assert sorted(entry["score"]["evidence"] for entry in answer.data["leaderboard"]) == [1, 2]


async def test_a_region_and_a_workflow_narrow_a_score() -> None:
    answer = await ask(
        small_network(),
        f"""{{ orchestrator(address: "{BOB}") {{
              all: slaScore(window: {{last: PT24H}}) {{ evidence workflows {{ workflow }} }}
              one: slaScore(window: {{last: PT24H}}, workflow: "flux") {{ evidence workflows {{ workflow }} }}
              fra: slaScore(window: {{last: PT24H}}, region: "fra") {{ evidence }}
              none: slaScore(window: {{last: PT24H}}, region: "fra", workflow: "flux") {{
                evidence value missing }} }} }}""",
    )

    assert answer.data["orchestrator"] == {
        "all": {"evidence": 2, "workflows": [{"workflow": "flux"}, {"workflow": "sdxl"}]},
        "one": {"evidence": 1, "workflows": [{"workflow": "flux"}]},
        "fra": {"evidence": 1},
        "none": {
            "evidence": 0,
            "value": None,
            "missing": ["latency", "reliability", "consistency", "throughput", "efficiency"],
        },
    }


@pytest.mark.parametrize("version", NAMES)
async def test_a_page_of_scores_makes_a_constant_number_of_reads(version: str) -> None:
    page = f"""{{ orchestrators(first: 50) {{ nodes {{ address
      slaScore(window: {{last: PT24H}}, version: "{version}") {{ {SLA_SCORE} }}
      standing(window: {{last: PT24H}}) {{ rank }}
      gpus {{ nodes {{ slaScore(window: {{last: PT24H}}, version: "{version}") {{ value }} }} }}
      workflows {{ slaScore(window: {{last: PT24H}}, version: "{version}") {{ value }} targets {{ outputFps }} }} }} }}
      leaderboard(window: {{last: PT24H}}, version: "{version}") {{ orchestrator {{ nodeVersion }} score {{ value }}
        metrics {{ sessions }} }} }}"""
    calls = []
    for size in (2, 50):
        store = CountingStore()
        for number in range(size):
            for workflow in ("a", "b"):
                scored(store, address(number), number % 5, 1, workflow, gpu=f"GPU-{number}")
        answer = await ask(store, page)
        assert answer.errors == []
        calls.append(dict(store.calls))

    assert len(answer.data["leaderboard"]) == 50
    assert calls[0] == calls[1]
    assert sum(calls[1].values()) <= 16


async def test_a_standing_is_the_place_on_the_leaderboard() -> None:
    store = CountingStore()
    for number, served, failed in ((1, 5, 0), (2, 3, 2), (3, 0, 5)):
        scored(store, address(number), served, failed)
    scored(store, address(4), 1, 0, "other")
    store.add(sighting("idle", 1, 2, orchestrator=address(5)))

    answer = await ask(
        store,
        """{ orchestrators { nodes { all: standing(window: {last: PT24H}) { rank of percentile version }
             own: standing(window: {last: PT24H}, workflow: "w") { rank of percentile } } } }""",
    )

    assert answer.errors == []
    assert [node["own"] for node in answer.data["orchestrators"]["nodes"]] == [
        {"rank": 1, "of": 3, "percentile": 100},
        {"rank": 2, "of": 3, "percentile": 50},
        {"rank": 3, "of": 3, "percentile": 0},
        {"rank": None, "of": 3, "percentile": None},
        {"rank": None, "of": 3, "percentile": None},
    ]
    assert answer.data["orchestrators"]["nodes"][3]["all"]["of"] == 4


async def test_who_stands_alone_stands_before_nobody() -> None:
    store = CountingStore()
    scored(store, address(1), 1)

    answer = await ask(store, "{ orchestrators { nodes { standing(window: {last: PT24H}) { rank of percentile } } } }")

    assert answer.data["orchestrators"]["nodes"][0]["standing"] == {"rank": 1, "of": 1, "percentile": None}


async def test_metrics_are_held_against_the_targets_of_one_workflow_only() -> None:
    store = small_network()
    fields = "outputFps { target met } startupTimeS { target met } e2eLatencyMs { target }"
    answer = await ask(
        store,
        f"""{{ network {{ all: metrics {{ {fields} }} one: metrics(workflow: "sdxl") {{ {fields} }}
                         series(workflow: "sdxl", interval: HOUR) {{
                           buckets {{ metrics {{ outputFps {{ target met }} }} }} }} }}
              workflow(name: "sdxl") {{ metrics {{ {fields} }} targets {{ version isDefault outputFps gpuModels }}
                orchestrators {{ nodes {{ metrics {{ outputFps {{ value target met }} }} }} }} }}
              noop: network {{ metrics(workflow: "noop") {{ {fields} }} }} }}""",
    )

    assert answer.errors == []
    held = {"target": 15, "met": True}
    nothing = {"target": None, "met": None}
    network = answer.data["network"]
    assert network["all"] == {"outputFps": nothing, "startupTimeS": nothing, "e2eLatencyMs": {"target": 3000}}
    assert network["one"]["outputFps"] == held
    assert network["one"]["startupTimeS"] == nothing
    assert network["series"]["buckets"] == [{"metrics": {"outputFps": held}}]
    assert answer.data["workflow"]["metrics"]["outputFps"] == held
    assert [node["metrics"]["outputFps"]["met"] for node in answer.data["workflow"]["orchestrators"]["nodes"]] == [
        True,
        True,
    ]
    assert answer.data["workflow"]["targets"]["isDefault"] is True
    assert answer.data["noop"]["metrics"]["outputFps"] == {"target": 24, "met": None}
    assert answer.data["noop"]["metrics"]["startupTimeS"]["target"] == 5


async def test_a_failing_store_makes_a_null_score_beside_its_error() -> None:
    from metrics.errors import StoreTimeout

    store = small_network()
    store.fail["rows"] = StoreTimeout("too slow")

    answer = await ask(
        store, "{ orchestrators { nodes { address slaScore { value } standing { rank } } } leaderboard { rank } }"
    )

    assert answer.data["leaderboard"] is None
    assert [node["slaScore"] for node in answer.data["orchestrators"]["nodes"]] == [None] * 3
    assert set(answer.codes) == {"STORE_TIMEOUT"}


async def test_the_versions_tell_weights_and_thresholds() -> None:
    answer = await ask(
        small_network(),
        """{ scoringVersions { name isDefault prior k hasCoverage subscores { name weight
               inputs { metric unit formula weight good bad thresholds enough } } } }""",
    )

    assert answer.errors == []
    naap, benchmark = answer.data["scoringVersions"]
    assert (naap["name"], naap["isDefault"], naap["prior"], naap["k"]) == ("naap-1", True, 50, 5)
    assert {one["name"]: one["weight"] for one in naap["subscores"]} == {
        "latency": 0.3,
        "reliability": 0.4,
        "consistency": 0.15,
        "throughput": 0.1,
        "efficiency": 0.05,
    }
    assert (benchmark["prior"], benchmark["k"], benchmark["hasCoverage"]) == (None, None, True)
    for version in (naap, benchmark):
        for subscore in version["subscores"]:
            for one in subscore["inputs"]:
                assert (one["good"] is None) == (one["thresholds"] is not None)
                assert one["formula"]
