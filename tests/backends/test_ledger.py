"""Payments and incidents of wallets: what every store answers, page by page."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backends.backend import PAYMENT_OWNER, IncidentRecord, PageQuestion, PaymentRecord
from backends.log import Batch, Derivation, Event, Payment, Statements
from backends.memory import MemoryStore
from metrics.dimension import DIMENSIONS
from metrics.fact import Fact
from metrics.window import HOUR_MS
from tests.backends.made import BASE_MS, HOSTILE
from tests.backends.stores import wait

A, B, C = ("0x" + letter * 40 for letter in "abc")
WEI = 24_000_000_086_328
EVER = (0, BASE_MS * 2)


def payment(who: str, at_ms: int, id: str, source: str = "default", request: str = "", **said: Any) -> Payment:
    fields = {"tickets": 2, "face_value_wei": 10**30, "fees_wei": WEI} | said
    return Payment(source, id, at_ms, "https://a:1", who, "0x" + "9" * 40, "", request, "", "", **fields)


def counts(owner: str, key: str, at_ms: int, values: dict[str, int], source: str = "default", **dims: str) -> Fact:
    told = {"source": source, "synthetic": "false", **dims}
    return Fact(owner, key, at_ms, tuple(told.get(one.value) for one in DIMENSIONS), values)


def event(owner: str, id: str, at_ms: int, body: bytes, source: str = "default") -> Event:
    return Event(source, id, (id.encode() * 32)[:32].ljust(32, b"0"), at_ms, owner, "ai_stream_events", body)


def paid(store: Any, *wallets: str, span: tuple[int, int] = EVER, **page: Any) -> list[PaymentRecord]:
    return list(wait(store.payments(PageQuestion(wallets, *span, **page))))


def met(store: Any, *wallets: str, span: tuple[int, int] = EVER, **page: Any) -> list[IncidentRecord]:
    return list(wait(store.incidents(PageQuestion(wallets, *span, **page))))


def test_a_payment_is_told_with_what_its_fact_counts_for(store: Any) -> None:
    store.state(Statements(payments=[payment(A, BASE_MS, "p1", request="r"), payment(A, BASE_MS + 1, "p2")]))
    owner = f"{PAYMENT_OWNER}default/p1"
    store.replace(
        Derivation(
            [owner], [counts(owner, "payment", BASE_MS, {"payments": 1}, orchestrator=A, gateway="g", workflow="w")]
        )
    )

    assert paid(store, A) == [
        PaymentRecord(A, BASE_MS + 1, "default", "p2", "", None, None, 2, 10**30, WEI),
        PaymentRecord(A, BASE_MS, "default", "p1", "r", "g", "w", 2, 10**30, WEI),
    ]


def test_each_wallet_has_a_page_of_its_own_and_the_window_is_half_open(store: Any) -> None:
    rows = [payment(who, BASE_MS + n, f"{who[2]}{n}") for who in (A, B, C) for n in range(4)]
    store.state(Statements(payments=[*rows, payment("", BASE_MS, "nobody's", face_value_wei=None, fees_wei=None)]))

    assert [one.id for one in paid(store, B, A, limit=2)] == ["a3", "a2", "b3", "b2"]
    assert [one.id for one in paid(store, A, span=(BASE_MS + 1, BASE_MS + 3))] == ["a2", "a1"]
    assert [one.id for one in paid(store, A, after=(BASE_MS + 2, "default", "a2"))] == ["a1", "a0"]
    assert paid(store) == paid(store, "") == []


def test_a_withdrawn_payment_is_paid_to_nobody(store: Any) -> None:
    store.state(Statements(payments=[payment(A, BASE_MS, "p1", request="r")]))
    store.state(Statements(withdrawn=[("default", "p1")]))

    assert paid(store, A) == []


def test_the_event_of_a_payment_is_found_by_its_request(store: Any) -> None:
    store.append(Batch([event("", f"p{n}", BASE_MS + n, b"body %d" % n) for n in range(3)]))
    store.state(Statements(payments=[payment(A, BASE_MS + n, f"p{n}", request=f"r{n % 2}") for n in range(3)]))

    found = wait(store.payment_events(["r0", "r7", ""]))

    assert [(one.request_id, one.id, one.body) for one in found] == [("r0", "p0", b"body 0"), ("r0", "p2", b"body 2")]


def test_an_incident_brings_the_body_of_its_event(store: Any) -> None:
    store.append(Batch([event("s", "e1", BASE_MS, b"\xff\x00'"), event("s", "e/2", BASE_MS + 1, b"two")]))
    dims = {"orchestrator": A, "gpu": "G", "workflow": "w", "gateway": "g"}
    facts = [
        counts("s", "error/e1", BASE_MS, {"error_events": 1}, **dims),
        counts("s", "restart/e/2", BASE_MS + 1, {"restarts": 3}, orchestrator=A),
        counts("s", "sample/e1", BASE_MS, {"samples": 1}, **dims),
        counts("s", "error/gone", BASE_MS - HOUR_MS, {"error_events": 1}, orchestrator=A),
        counts("s", "error/nobody", BASE_MS, {"error_events": 1}),
    ]
    store.replace(Derivation(["s"], facts))

    assert met(store, A, B) == [
        IncidentRecord(A, BASE_MS + 1, "default", "restart/e/2", None, None, None, 3, b"two"),
        IncidentRecord(A, BASE_MS, "default", "error/e1", "G", "w", "g", None, b"\xff\x00'"),
        IncidentRecord(A, BASE_MS - HOUR_MS, "default", "error/gone", None, None, None, None, b""),
    ]
    assert [one.key for one in met(store, A, after=(BASE_MS, "default", "error/e1"))] == ["error/gone"]
    assert wait(store.incident_counts(PageQuestion((A, B, ""), BASE_MS, BASE_MS + 1))) == {A: 1}


def test_what_is_derived_otherwise_is_no_incident_any_more(store: Any) -> None:
    fact = counts("s", "error/e1", BASE_MS, {"error_events": 1}, orchestrator=A)
    store.replace(Derivation(["s"], [fact]))
    store.replace(Derivation(["s"], [counts("s", "error/e1", BASE_MS, {"error_events": 1}, orchestrator=B)]))

    assert (len(met(store, A)), len(met(store, B))) == (0, 1)


texts = st.sampled_from(("a", "B", *HOSTILE))
# Around the edge of an hour, within a minute, and hours away.
times = (
    st.integers(BASE_MS - 3, BASE_MS + 3)
    | st.integers(BASE_MS + 61_000, BASE_MS + 61_003)
    | st.sampled_from((BASE_MS - HOUR_MS, BASE_MS + HOUR_MS))
)
wallets = st.sampled_from((A, B, ""))
sources = st.sampled_from(("a", *HOSTILE[:3]))
payments = st.lists(
    st.builds(payment, wallets, times, texts, sources, texts, fees_wei=st.none() | st.integers(0, 2**200)),
    max_size=12,
    unique_by=lambda one: (one.source, one.id),
)


@st.composite
def incidents(draw: st.DrawFn) -> tuple[list[Event], list[Fact]]:
    """Events with the facts that say they are incidents, of which some have lost their event."""
    events, facts = [], []
    for id, source in draw(st.lists(st.tuples(texts, sources), unique=True, max_size=8)):
        owner, at_ms = draw(st.sampled_from(("s1", "s2"))), draw(times)
        if draw(st.integers(0, 3)):
            events.append(event(owner, id, at_ms, id.encode(), source))
        for kind, column in (("error", "error_events"), ("restart", "restarts"), ("sample", "samples")):
            if draw(st.booleans()):
                dims = {"source": source, "orchestrator": draw(wallets) or None, "gpu": draw(sources)}
                facts.append(counts(owner, f"{kind}/{id}", at_ms, {column: draw(st.integers(1, 9))}, **dims))
    return events, list({(fact.owner, fact.key): fact for fact in facts}.values())


@pytest.fixture(scope="module")
def twin(shared: Any) -> MemoryStore:
    """What the shared store must agree with."""
    return MemoryStore()


def owner_of(paid: Payment) -> str:
    """The owner of the payment's fact."""
    return f"{PAYMENT_OWNER}{paid.source}/paid {paid.id}"


questions = st.builds(
    PageQuestion,
    st.lists(wallets, unique=True, max_size=3).map(tuple),
    times,
    times,
    st.none()
    | st.tuples(times, texts, texts.map(lambda text: f"paid {text}") | texts.map(lambda text: f"error/{text}")),
    st.integers(1, 3),
)


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    rows=payments,
    happened=incidents(),
    asked=st.lists(questions, min_size=1, max_size=5),
    requests=st.lists(texts, max_size=3),
)
def test_a_store_agrees_with_memory(
    shared: Any,
    twin: MemoryStore,
    rows: list[Payment],
    happened: tuple[list[Event], list[Fact]],
    asked: list[PageQuestion],
    requests: list[str],
) -> None:
    # What an earlier example left is withdrawn from both alike.
    of_payments = [
        counts(owner_of(p), "payment", p.at_ms, {"payments": 1}, p.source, gateway="g", workflow="w") for p in rows[::2]
    ]
    owners = {"s1", "s2", *map(owner_of, rows), *twin.facts}
    new = [*happened[0], *(event("", f"paid {p.id}", p.at_ms, b"paid", p.source) for p in rows)]
    batch = Batch(new, superseded=list(twin.raw.values()))
    paying = [p._replace(id=f"paid {p.id}") for p in rows]
    said = Statements(payments=paying, withdrawn=list(twin.payings))
    for one in (shared, twin):
        one.append(batch)
        one.state(said)
        one.replace(Derivation(sorted(owners), [*happened[1], *of_payments]))

    for question in asked:
        assert list(wait(shared.payments(question))) == wait(twin.payments(question))
        assert list(wait(shared.incidents(question))) == wait(twin.incidents(question))
        assert wait(shared.incident_counts(question)) == wait(twin.incident_counts(question))
    assert list(wait(shared.payment_events(requests))) == wait(twin.payment_events(requests))
