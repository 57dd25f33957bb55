"""Made-up facts, sightings and questions, with hostile text and extreme numbers."""

from hypothesis import strategies as st

from backends.backend import SessionQuestion, SessionRecord, StreamQuestion
from backends.log import Explained, StoredSession
from metrics.columns import COLUMNS, MEASURES
from metrics.dimension import DIMENSIONS, Dimension
from metrics.fact import Fact
from metrics.measure import Aggregate, Width
from metrics.question import Question
from metrics.sighting import TRAITS, Sighting, SightingQuestion
from metrics.window import DAY_MS, HOUR_MS, MINUTE_MS, Grain, Window

BASE_MS = 1_768_435_200_000  # 2026-01-15T00:00:00Z, a Thursday
HOSTILE = ("a'b", "\\x", "tab\tline\nnul\0", "é🙂", '"`', "'; DROP TABLE facts; --", "{p0:String}", "%s", "\\N", "\x7f")
TEXTS = ("a", "b", "B", *HOSTILE)

instants = st.one_of(
    st.integers(BASE_MS - 3 * DAY_MS, BASE_MS + 3 * DAY_MS),
    # Edges are where mistakes live.
    st.builds(
        lambda base, step, shift: BASE_MS + base * step + shift,
        st.integers(-3, 3),
        st.sampled_from((MINUTE_MS, HOUR_MS, DAY_MS)),
        st.sampled_from((-1, 0, 1, 30_000)),
    ),
)
texts = st.one_of(st.none(), st.sampled_from(TEXTS))
dims = st.tuples(*(texts for _ in DIMENSIONS))
SPANS = frozenset(column.name for column in COLUMNS if column.aggregates == (Aggregate.SPAN,))
OWNERS = tuple(f"owner {text}" for text in TEXTS[:6])


def _values(at_ms: int) -> st.SearchStrategy[dict[str, int]]:
    kinds = {}
    for column in COLUMNS:
        if column.name in SPANS:
            kinds[column.name] = st.integers(0, MINUTE_MS - at_ms % MINUTE_MS)
        elif column.width is Width.INT256:
            kinds[column.name] = st.one_of(st.integers(0, 1000), st.integers(0, 2**230))
        else:
            kinds[column.name] = st.one_of(st.integers(0, 100), st.integers(0, 2**63 - 1))
    common = {name: kinds[name] for name in ("samples", "output_fps", "inference_ms", "fees_wei")}
    return st.one_of(
        st.fixed_dictionaries({}, optional=common),
        st.sampled_from(sorted(kinds)).flatmap(lambda name: st.fixed_dictionaries({name: kinds[name]})),
    )


@st.composite
def facts(draw: st.DrawFn, owner: str | None = None, key: str | None = None) -> Fact:
    """One fact."""
    at_ms = draw(instants)
    return Fact(
        owner or draw(st.sampled_from(OWNERS)),
        key or draw(st.sampled_from([f"k{n}" for n in range(8)])),
        at_ms,
        draw(dims),
        draw(_values(at_ms)),
    )


def fact_lists(size: int = 25) -> st.SearchStrategy[list[Fact]]:
    """Facts whose (owner, key) are distinct."""
    return st.lists(facts(), max_size=size, unique_by=lambda fact: (fact.owner, fact.key))


@st.composite
def windows(draw: st.DrawFn) -> Window:
    """A window near the facts."""
    start, end = draw(instants), draw(instants)
    return Window.of_ms(min(start, end), max(start, end) + 1)


@st.composite
def questions(draw: st.DrawFn) -> Question:
    """Any question that is small enough to exist."""
    window = draw(windows())
    asked = draw(st.lists(st.sampled_from(MEASURES), min_size=1, max_size=6))
    where = draw(st.dictionaries(st.sampled_from(DIMENSIONS), st.lists(st.sampled_from(TEXTS), max_size=4), max_size=2))
    by = draw(st.lists(st.sampled_from(DIMENSIONS), max_size=3))
    return Question.of(asked, window, draw(st.sampled_from((None, *Grain))), by, where)


@st.composite
def sighting_lists(draw: st.DrawFn) -> list[Sighting]:
    """Sightings whose (owner, key) are distinct."""
    places = draw(st.lists(st.tuples(st.sampled_from(OWNERS), st.sampled_from("xyz")), unique=True, max_size=12))
    found = []
    for owner, key in places:
        first = draw(instants)
        traits = draw(st.tuples(*(texts for _ in TRAITS)))
        found.append(Sighting(owner, key, first, first + draw(st.integers(0, 2 * DAY_MS)), traits))
    return found


sighting_questions = st.builds(
    SightingQuestion.of,
    st.lists(st.sampled_from(TRAITS), max_size=3),
    st.dictionaries(st.sampled_from(TRAITS), st.lists(st.sampled_from(TEXTS), max_size=4), max_size=1),
    st.one_of(st.none(), instants),
)


WALLETS = ("0x" + "a" * 40, "0x" + "b" * 40)
PLACES = ("https://one:8935", "https://two:8935", "key:0xaa", "0xwallet")
STREAMS = ("", "stream-1", "stream-2", "it's\\one")
REQUESTS = ("", "request-1", "request-2")
OUTCOMES = ("SERVED", "OPEN", "UNSERVED")
near = st.integers(BASE_MS - 2 * DAY_MS, BASE_MS + 2 * DAY_MS)


@st.composite
def stored_sessions(draw: st.DrawFn, owner: str) -> StoredSession:
    """One session as the log keeps it."""
    requested = draw(near)
    last = requested + draw(st.integers(0, DAY_MS))
    named = draw(st.lists(st.sampled_from(PLACES), unique=True, max_size=3))
    explained = st.one_of(st.just(0), near)
    name = st.sampled_from(("", "gw", "g'w"))
    record = SessionRecord(
        owner=owner,
        source=draw(st.sampled_from(("default", "other"))),
        stream_id=draw(st.sampled_from(STREAMS)),
        request_id=draw(st.sampled_from(REQUESTS)),
        requested_ms=requested,
        last_ms=last,
        ended=draw(st.booleans()),
        outcome=draw(st.sampled_from(OUTCOMES)),
        orchestrator=draw(texts),
        gpu=draw(texts),
        gpu_model=draw(texts),
        gpu_attribution=draw(st.sampled_from(("EXACT", "UNKNOWN"))),
        workflow=draw(texts),
        gateway=draw(texts),
        region=draw(texts),
        synthetic=draw(st.booleans()),
        prompt_to_first_frame_us=draw(st.one_of(st.none(), st.integers(0, 10**12))),
        prompt_to_playable_us=draw(st.one_of(st.none(), st.integers(0, 10**12))),
        e2e_latency_us=None,
        swaps=draw(st.integers(0, 3)),
        errors=0,
        sums={
            "samples": 3,
            "output_fps_sumsq": 2**100,
            "output_fps_min": None,
            "output_fps_hist": {66000: 2, 66001: 1},
        },
        wallets={place: wallet for place in named if (wallet := draw(st.sampled_from(("", *WALLETS))))},
    )
    return StoredSession(
        record=record,
        first_ms=requested - draw(st.integers(0, HOUR_MS)),
        open=draw(st.booleans()),
        gateway_name=draw(name),
        paid_gateway=draw(name),
        paid_workflow=draw(name),
        workflow_by_uri=draw(st.booleans()),
        places=tuple(named),
        named_ms=tuple(draw(near) for _ in named),
        claim_ms=tuple(draw(explained) for _ in named),
        offer_ms=tuple(draw(explained) for _ in named),
        state=draw(st.sampled_from((b"", b'{"a":1}', b"\xff\x00'"))),
    )


def session_lists() -> st.SearchStrategy[list[StoredSession]]:
    """Sessions of distinct owners."""
    chosen = st.lists(st.sampled_from(OWNERS), unique=True, max_size=len(OWNERS))
    return chosen.flatmap(lambda owners: st.tuples(*(stored_sessions(owner) for owner in owners)).map(list))


LIKE = [dimension for dimension in DIMENSIONS if dimension is not Dimension.SYNTHETIC]
session_questions = st.builds(
    SessionQuestion,
    start_ms=st.one_of(st.none(), near),
    end_ms=st.one_of(st.none(), near),
    where=st.one_of(
        st.just(()),
        st.tuples(
            st.tuples(st.sampled_from(LIKE), st.lists(st.sampled_from(TEXTS), min_size=1, max_size=4).map(tuple))
        ),
        st.just(((Dimension.SYNTHETIC, ("true",)),)),
    ),
    outcomes=st.lists(st.sampled_from(OUTCOMES), unique=True, max_size=2).map(tuple),
    stream_ids=st.one_of(st.none(), st.lists(st.sampled_from(STREAMS), max_size=2).map(tuple)),
    limit=st.sampled_from((10_000, 2)),
)
positions = st.one_of(st.none(), st.tuples(near, st.sampled_from(STREAMS)))
stream_questions = st.builds(
    StreamQuestion, session_questions, st.booleans(), after=positions, before=positions, limit=st.sampled_from((100, 1))
)
news = st.builds(
    lambda source, place, one, other, wallet: Explained(source, place, min(one, other), max(one, other), wallet),
    st.sampled_from(("default", "other")),
    st.sampled_from(PLACES),
    near,
    near,
    st.sampled_from(("", *WALLETS)),
)
