"""What is private is told to its owner exactly, and to nobody else in any way."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from auth.audit import LOGGER
from auth.caller import ANONYMOUS, Scope
from resolvers.page import encoded
from tests.canaries.planted import escaped
from tests.graph.owners import (
    ALICE,
    BOB,
    GAIL,
    OF_ALICE,
    OF_BOB,
    ROLES,
    SCHEMA,
    WEI,
    Counted,
    ask,
    context,
    messages,
    network,
    without,
)

DAY = '(window: {last: "P1D"})'
ALICE_S = f'orchestrator(address: "{ALICE}")'


@pytest.fixture(scope="module")
def store() -> Counted:
    return network()


async def of_alice(store: Counted, selection: str, **variables: Any) -> Any:
    declared = "query($after: String)" if variables else ""
    answer = await ask(store, ROLES["alice"], f"{declared} {{ {ALICE_S} {{ {selection} }} }}", **variables)
    assert answer.errors == []
    return answer.data["orchestrator"]


async def test_earnings_are_exact_by_hour_gateway_and_workflow(store: Counted) -> None:
    told = await of_alice(
        store,
        """earnings(window: {last: "PT3H"}, interval: HOUR) { start end partial feesWei feesEth faceValueWei tickets
           payments parts { gateway { gatewayId } workflow { name } feesWei tickets payments } }""",
    )

    part = {"gateway": {"gatewayId": GAIL}, "workflow": {"name": "sdxl"}}
    assert told["earnings"] == [
        {
            "start": "2026-01-09T12:00:00Z",
            "end": "2026-01-09T13:00:00Z",
            "partial": False,
            "feesWei": str(4 * WEI),
            "feesEth": "0.0000094",
            "faceValueWei": str(4000 * WEI),
            "tickets": 4,
            "payments": 1,
            "parts": [{**part, "feesWei": str(4 * WEI), "tickets": 4, "payments": 1}],
        },
        {
            "start": "2026-01-09T13:00:00Z",
            "end": "2026-01-09T14:00:00Z",
            "partial": True,
            "feesWei": str(4 * WEI),
            "feesEth": "0.0000094",
            "faceValueWei": str(4000 * WEI),
            "tickets": 4,
            "payments": 3,
            "parts": [{**part, "feesWei": str(4 * WEI), "tickets": 4, "payments": 3}],
        },
    ]


async def test_an_interval_below_the_hour_is_refused(store: Counted) -> None:
    answer = await ask(store, ROLES["alice"], f"{{ {ALICE_S} {{ earnings(interval: MINUTE) {{ start }} }} }}")

    assert (answer.data["orchestrator"]["earnings"], answer.codes) == (None, ["BAD_REQUEST"])


async def test_payments_come_page_by_page_the_latest_first(store: Counted) -> None:
    fields = (
        "totalCount pageInfo { hasNextPage hasPreviousPage endCursor } nodes { at requestId tickets feesWei feesEth }"
    )
    first = (await of_alice(store, f'payments(window: {{last: "P1D"}}, first: 3) {{ {fields} }}'))["payments"]
    after = first["pageInfo"]["endCursor"]
    rest = (
        await of_alice(store, f'payments(window: {{last: "P1D"}}, first: 3, after: $after) {{ {fields} }}', after=after)
    )["payments"]

    assert [(one["at"][11:19], one["requestId"], one["tickets"]) for one in first["nodes"] + rest["nodes"]] == [
        ("13:59:30", None, 1),
        ("13:10:45", None, 1),
        ("13:10:00", "request-alice", 2),
        ("12:30:00", None, 4),
    ]
    assert first["nodes"][0]["feesWei"] == str(WEI)
    assert first["nodes"][0]["feesEth"] == "0.00000235"
    assert (first["totalCount"], rest["totalCount"]) == (4, 4)
    assert (first["pageInfo"]["hasNextPage"], rest["pageInfo"]["hasNextPage"]) == (True, False)


async def test_a_page_stays_on_the_window_of_the_first_one(store: Counted) -> None:
    page = """payments(window: {last: "PT1H"}, first: 2, after: $after) {
        totalCount pageInfo { endCursor } nodes { at } }"""
    query = f"query($after: String) {{ {ALICE_S} {{ {page} }} }}"
    first = (await ask(store, ROLES["alice"], query)).data["orchestrator"]["payments"]
    later = context(store, ROLES["alice"])
    later.now += timedelta(hours=9)

    asked = {"after": first["pageInfo"]["endCursor"]}
    rest: Any = await SCHEMA.execute(query, variable_values=asked, context_value=later)

    assert rest.data["orchestrator"]["payments"]["totalCount"] == first["totalCount"] == 3
    assert [one["at"] for one in rest.data["orchestrator"]["payments"]["nodes"]] == ["2026-01-09T13:10:00.500Z"]


async def test_a_cursor_leads_into_no_other_list(store: Counted) -> None:
    page = await of_alice(store, f"payments{DAY} {{ pageInfo {{ endCursor }} }}")
    cursor = page["payments"]["pageInfo"]["endCursor"]

    for who, address, field in (("bob", BOB, "payments"), ("alice", ALICE, "incidents")):
        list_ = f'{field}(window: {{last: "P1D"}}, after: "{cursor}") {{ totalCount }}'
        answer = await ask(store, ROLES[who], f'{{ orchestrator(address: "{address}") {{ {list_} }} }}')
        assert answer.codes == ["BAD_REQUEST"]


async def test_incidents_tell_texts_and_logs(store: Counted) -> None:
    told = await of_alice(
        store,
        f"""incidents{DAY} {{ totalCount nodes {{ at kind streamId requestId gpu {{ gpuId }} workflow {{ name }}
            gateway {{ gatewayId }} restarts text logs }} }}""",
    )

    error, log = OF_ALICE["error"].text, OF_ALICE["log"].text
    shared = {"streamId": "stream-alice", "requestId": "request-alice", "gpu": {"gpuId": "GPU-alice"}}
    shared |= {"workflow": {"name": "sdxl"}, "gateway": {"gatewayId": GAIL}}
    assert told["incidents"] == {
        "totalCount": 2,
        "nodes": [
            {"at": "2026-01-09T13:10:40Z", "kind": "ERROR", **shared, "restarts": None, "text": error, "logs": []},
            {
                "at": "2026-01-09T13:10:30Z",
                "kind": "RESTART",
                **shared,
                "restarts": 1,
                "text": f"before: {error}",
                "logs": [log, "second line"],
            },
        ],
    }


async def test_distances_to_the_nearest_peers(store: Counted) -> None:
    query = 'standing(window: {last: "P1D"}) { rank of distances(first: 1) { orchestrator { address } rank points } }'
    told = (await of_alice(store, query))["standing"]

    # Both did the same, so that the address decides.
    assert told == {"rank": 1, "of": 2, "distances": [{"orchestrator": {"address": BOB}, "rank": 2, "points": 0.0}]}
    answer = await ask(store, ROLES["bob"], f"{{ {ALICE_S} {{ {query} }} }}")
    assert answer.data["orchestrator"]["standing"] == {"rank": 1, "of": 2, "distances": None}


async def test_a_gateway_sees_parameters_and_addresses_of_its_own_sessions(store: Counted) -> None:
    query = f"""{{ gateway(gatewayId: "{GAIL}") {{ streams {{ nodes {{ streamId sessions {{
        parameters {{ at prompt json }} clientAddresses }} }} }} }} }}"""
    answer = await ask(store, ROLES["gail"], query)

    prompt = OF_ALICE["prompt"].text
    assert answer.errors == []
    assert answer.data["gateway"]["streams"]["nodes"] == [
        {
            "streamId": "stream-alice",
            "sessions": [
                {
                    "parameters": [
                        {
                            "at": "2026-01-09T13:10:03Z",
                            "prompt": f"first {prompt}",
                            "json": json.dumps({"prompt": f"first {prompt}", "width": 512}, separators=(",", ":")),
                        },
                        {
                            "at": "2026-01-09T13:10:10Z",
                            "prompt": prompt,
                            "json": json.dumps({"prompt": prompt, "width": 512}, separators=(",", ":")),
                        },
                    ],
                    "clientAddresses": [OF_ALICE["address"].text],
                }
            ],
        }
    ]


async def test_the_timeline_tells_its_gateway_no_more_than_others(store: Counted) -> None:
    query = "{ streams { nodes { sessions { timeline { at type subtype orchestrator state outputFps } } } } }"

    answers = [(await ask(store, caller, query)).data for caller in ROLES.values()]

    assert all(answer == answers[0] for answer in answers)
    assert len(answers[0]["streams"]["nodes"][0]["sessions"][0]["timeline"]) > 5


PRIVATE_IN_LISTS = f"""{{
  orchestrators {{ nodes {{ address earnings{DAY} {{ feesWei }} payments{DAY} {{ nodes {{ feesWei }} }}
    incidents{DAY} {{ totalCount nodes {{ text logs }} }} standing{DAY} {{ rank distances {{ points }} }} }} }}
  streams {{ nodes {{ streamId sessions {{ requestId parameters {{ prompt }} clientAddresses }} }} }} }}"""
PUBLIC_IN_LISTS = f"""{{
  orchestrators {{ nodes {{ address standing{DAY} {{ rank }} }} }}
  streams {{ nodes {{ streamId sessions {{ requestId }} }} }} }}"""


async def test_within_lists_each_owner_gets_its_own_and_the_rest_stands() -> None:
    store = network()

    answer = await ask(store, ROLES["bob"], PRIVATE_IN_LISTS)

    alice, bob = answer.data["orchestrators"]["nodes"]
    assert (alice["address"], bob["address"]) == (ALICE, BOB)
    assert [alice[name] for name in ("earnings", "payments", "incidents")] == [None, None, None]
    assert (alice["standing"]["rank"], alice["standing"]["distances"]) == (1, None)
    assert OF_BOB["error"].text in bob["incidents"]["nodes"][0]["text"]
    assert len(bob["payments"]["nodes"]) == 4
    nodes = answer.data["streams"]["nodes"]
    assert {(node["sessions"][0]["parameters"], node["sessions"][0]["clientAddresses"]) for node in nodes} == {
        (None, None)
    }
    assert set(answer.codes) == {"FORBIDDEN"}
    assert sorted(error["path"][-1] for error in answer.errors) == sorted(
        ["earnings", "payments", "incidents", "distances", *["parameters", "clientAddresses"] * 2]
    )


@pytest.mark.parametrize("role", ["anonymous", "nobody in particular"])
async def test_what_a_caller_may_not_have_is_not_read_either(role: str) -> None:
    asked, public = network(), network()

    await ask(asked, ROLES[role], PRIVATE_IN_LISTS)
    await ask(public, ROLES[role], PUBLIC_IN_LISTS)

    assert asked.calls == public.calls


async def test_an_operator_reads_everybodys_with_one_read_of_a_kind() -> None:
    store = network()

    answer = await ask(store, ROLES["operator"], PRIVATE_IN_LISTS)

    assert answer.errors == []
    assert all(node["incidents"]["totalCount"] == 2 for node in answer.data["orchestrators"]["nodes"])
    reads = ("payments", "incidents", "incident_counts", "payment_events", "events")
    assert {name: store.calls[name] for name in reads} == dict.fromkeys(reads, 1)


async def test_another_graph_that_leads_here_opens_nothing(store: Counted) -> None:
    query = f"""query($of: [_Any!]!) {{ _entities(representations: $of) {{ ... on Orchestrator {{
        address payments{DAY} {{ totalCount }} }} }} }}"""
    of = [{"__typename": "Orchestrator", "address": address} for address in (ALICE, BOB)]

    answer = await ask(store, ROLES["bob"], query, of=of)

    assert [one["payments"] for one in answer.data["_entities"]] == [None, {"totalCount": 4}]
    assert answer.codes == ["FORBIDDEN"]


async def test_too_many_records_at_once_are_refused(store: Counted) -> None:
    many = "".join(
        f'a{n}: {ALICE_S} {{ payments(window: {{last: "PT{n + 1}H"}}) {{ nodes {{ at }} }} }} ' for n in range(21)
    )

    answer = await ask(store, ROLES["alice"], f"{{ {many} }}")

    assert set(answer.codes) == {"TOO_COMPLEX"}


EARNINGS = f"{{ {ALICE_S} {{ address earnings{DAY} {{ feesWei }} }} }}"


@pytest.mark.parametrize(
    ("caller", "code", "helps"),
    [
        (ANONYMOUS, "UNAUTHENTICATED", f"{ALICE}, or as a wallet that acts for it, with the scope earnings:read"),
        (ROLES["bob"], "FORBIDDEN", f"Log in as the orchestrator {ALICE}"),
        (without(ROLES["alice"], Scope.EARNINGS), "FORBIDDEN", "needs the scope earnings:read"),
        (without(ROLES["operator"]), "FORBIDDEN", "needs the scope earnings:read"),
    ],
)  # fmt: skip
async def test_a_refusal_says_which_login_or_scope_would_help(
    store: Counted, caller: Any, code: str, helps: str
) -> None:
    answer = await ask(store, caller, EARNINGS)

    assert answer.data == {"orchestrator": {"address": ALICE, "earnings": None}}
    assert answer.codes == [code]
    assert helps in messages(answer)[0]


async def test_a_session_of_a_gateway_without_a_wallet_is_only_for_operators() -> None:
    store = network()
    for owner, stored in store.stored.items():
        store.stored[owner] = _changed(stored, gateway="a-name")
    query = "{ streams { nodes { sessions { clientAddresses } } } }"

    refused = await ask(store, ROLES["gail"], query)
    told = await ask(store, ROLES["operator"], query)

    assert set(refused.codes) == {"FORBIDDEN"}
    assert told.errors == []


def _changed(stored: Any, **fields: Any) -> Any:
    return replace(stored, record=replace(stored.record, **fields))


def test_the_search_finds_what_escapes() -> None:
    text = OF_ALICE["error"].text
    cursor = encoded("payments", [1, text])

    for said in (text, f'"{text}"', cursor, f"x{cursor}"):
        assert escaped(said.encode(), ROLES["bob"]) == [text]
    assert escaped(text.encode(), ROLES["alice"]) == []
    key = OF_ALICE["key"].text
    assert escaped(key.encode(), ROLES["operator"]) == [key]


async def test_the_audit_log_hears_once_of_who_asks_for_what_is_not_theirs(
    store: Counted, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger=LOGGER)
    asked = f"{ALICE_S} {{ earnings {{ feesWei }} }}"
    await ask(store, ROLES["bob"], f"{{ a: {asked} b: {asked} }}")
    await ask(store, ANONYMOUS, f"{{ {ALICE_S} {{ earnings {{ feesWei }} }} }}")

    (line,) = [json.loads(one.getMessage()) for one in caplog.records if one.name == LOGGER]
    assert (line["event"], line["subject"], line["what"]) == ("forbidden", BOB, "Orchestrator.earnings")
