"""The facts of one session: what it counts for, when, and for whom."""

from collections.abc import Iterable, Iterator

from metrics import columns as c
from metrics.columns import BILLIONTHS, MICROSECONDS_PER_MS
from metrics.fact import Fact
from metrics.sighting import TRAITS, Sighting, Trait
from metrics.window import DAY_MS, MINUTE_MS
from telemetry.names import KEY, WALLET
from telemetry.reading import Reading, Status, Transport, What
from telemetry.session import ATTEMPTED, Edge, Outcome, Session
from telemetry.swaps import swap_reason
from telemetry.who import GpuAttribution, Identified

OUTCOME_COLUMNS = {
    Outcome.SERVED: c.SERVED.name,
    Outcome.UNSERVED: c.UNSERVED.name,
    Outcome.ABANDONED: c.ABANDONED.name,
    Outcome.STARTUP_FAILED: c.STARTUP_FAILED.name,
    Outcome.OUTPUT_FAILED: c.OUTPUT_FAILED.name,
    Outcome.OPEN: c.OPEN.name,
}
MAX_RATE = 10**9 * BILLIONTHS  # Mbps
LONGEST_MS = 31 * DAY_MS
LONGEST_FRAMES_MS = 10_000  # what a sample tells of the time before it
# A user who sends too little is not the orchestrator's fault: scores leave these samples out.
_UNSCORED = (
    (c.OUTPUT_FPS.name, c.UNSCORED_OUTPUT_FPS.name),
    (c.INPUT_FPS.name, c.UNSCORED_INPUT_FPS.name),
)
WORKED = ATTEMPTED | {Outcome.OPEN}


def facts_of(known: Identified, outcome: Outcome) -> Iterator[Fact]:
    """Every fact that the session alone gives."""
    yield _session(known, outcome)
    yield from latencies(known)
    if outcome in ATTEMPTED:
        yield from _stays(known)
    if outcome in WORKED:
        yield from _minutes(known)
    yield from _samples(known)
    yield from _errors(known)
    yield from _restarts(known)
    yield from _transport(known)


def _session(known: Identified, outcome: Outcome) -> Fact:
    session = known.session
    place = session.legs[-1].place
    host = known.host(place)
    values = {c.SESSIONS.name: 1, OUTCOME_COLUMNS[outcome]: 1}
    if place and host.wallet is None:
        values[c.UNRESOLVED_SESSIONS.name] = 1
    if host.attribution is GpuAttribution.AMBIGUOUS:
        values[c.AMBIGUOUS_GPU_SESSIONS.name] = 1
    values.update(dict.fromkeys(_signs(session), 1))
    return Fact(session.owner, "session", session.requested_ms, known.dims(place), values)


def _signs(session: Session) -> Iterator[str]:
    """The columns of what a session showed, whatever its outcome."""
    kinds = {reading.what for reading in session.readings}
    if What.FIRST_SEGMENT in kinds:
        yield c.FIRST_SEGMENT_SESSIONS.name
    if What.FEW_SEGMENTS in kinds:
        yield c.FEW_SEGMENTS_SESSIONS.name
    if What.SWAP in kinds:
        yield c.SWAPPED_SESSIONS.name
    samples = [status for _, _, status in session.statuses]
    if samples:
        yield c.STATUS_SESSIONS.name
        shown = [status.output_fps for status in samples if status.output_fps is not None]
        if (shown and not any(shown)) or all(status.state == "LOADING" for status in samples):
            yield c.UNVIABLE_SESSIONS.name


def latency_us(known: Identified) -> dict[str, tuple[Edge, int]]:
    """Column → (the end edge, thousandths of a millisecond; 0 where clocks disagree) of each latency there is."""
    session = known.session
    found: dict[str, tuple[Edge, int]] = {}
    if session.request_ms is None:
        return found
    for what, column in ((What.FIRST_SEGMENT, c.PROMPT_TO_FIRST_FRAME), (What.FEW_SEGMENTS, c.PROMPT_TO_PLAYABLE)):
        edge = session.edge(what)
        if edge is not None:
            found[column.name] = edge, max(0, edge.at_ms - session.request_ms) * MICROSECONDS_PER_MS
    end_to_end = _end_to_end(known)
    if end_to_end is not None:
        found[c.E2E_LATENCY.name] = end_to_end
    return found


def latencies(known: Identified) -> Iterator[Fact]:
    """Each latency in the request's bucket, for the place that its end edge names; after a swap for no orchestrator."""
    session = known.session
    found = {
        column: (edge, {column: value_us} if value_us > 0 else {c.CLOCK_SKEW.name: 1})
        for column, (edge, value_us) in latency_us(known).items()
    }
    since_start = _start_to_playable(session)
    if since_start is not None:
        # One edge, one fact; where the request is missing, this is all that it says.
        edge, value_us = since_start
        found.setdefault(c.PROMPT_TO_PLAYABLE.name, (edge, {}))[1][c.START_TO_PLAYABLE.name] = value_us
    for key, (edge, values) in found.items():
        dims = known.dims(edge.place, blamed=not edge.after_swap)
        yield Fact(session.owner, key, session.requested_ms, dims, values)


def _start_to_playable(session: Session) -> tuple[Edge, int] | None:
    """From the start that the first status states until it can be played; None where clocks disagree."""
    edge = session.edge(What.FEW_SEGMENTS)
    start_ms = next((s.start_ms for _, _, s in session.statuses if s.start_ms is not None), None)
    if edge is None or start_ms is None or edge.at_ms <= start_ms:
        return None
    return edge, (edge.at_ms - start_ms) * MICROSECONDS_PER_MS


def _end_to_end(known: Identified) -> tuple[Edge, int] | None:
    """Of the places that have both edges, the one with the earliest end edge; else the earliest stated value."""
    session = known.session
    starts: dict[str, int] = {}
    ends: dict[str, Edge] = {}
    stated: tuple[Edge, int] | None = None
    swapped = False
    for index, reading in enumerate(session.readings):
        if reading.what is What.INPUT_SENT:
            starts.setdefault(session.place_of(index), reading.at_ms)
        elif reading.what is What.OUTPUT_SENT:
            ends.setdefault(session.place_of(index), Edge(reading.at_ms, session.place_of(index), swapped))
        if reading.e2e_us is not None and stated is None:
            stated = Edge(reading.at_ms, session.place_of(index), swapped), reading.e2e_us
        swapped = swapped or reading.what is What.SWAP
    both = next((edge for place, edge in ends.items() if place and place in starts), None)
    if both is None:
        return stated
    return both, max(0, both.at_ms - starts[both.place]) * MICROSECONDS_PER_MS


def _stays(known: Identified) -> Iterator[Fact]:
    """One stay per orchestrator, at the first of its places, and the reason of the first swap that left it."""
    session = known.session
    stays: dict[str, str] = {}
    for place in session.named_ms:
        stays.setdefault(known.host(place).wallet or place, place)
    left: dict[str, str] = {}
    for swap, place in session.swaps:
        if place and swap.said is not None:
            left.setdefault(known.host(place).wallet or place, getattr(swap.said, "text", ""))
    for number, (who, place) in enumerate(stays.items()):
        values = {c.STAYS.name: 1}
        if who in left:
            values |= {c.SWAPS.name: 1, c.SWAPS_BY_REASON[swap_reason(left[who])].name: 1}
        yield Fact(session.owner, f"stay/{number}", session.requested_ms, known.dims(place), values)


def _minutes(known: Identified) -> Iterator[Fact]:
    """The time of each leg, cut at whole minutes."""
    for number, leg in enumerate(known.session.legs):
        dims = known.dims(leg.place)
        for begun_ms, ended_ms in stretches(known.session):
            start_ms, last_ms = max(leg.start_ms, begun_ms), min(leg.end_ms, ended_ms)
            while start_ms < last_ms:
                end_ms = min(last_ms, start_ms - start_ms % MINUTE_MS + MINUTE_MS)
                key = f"minute/{number}/{start_ms}"
                yield Fact(known.session.owner, key, start_ms, dims, {c.INFERENCE_MS.name: end_ms - start_ms})
                start_ms = end_ms


def stretches(session: Session) -> Iterator[tuple[int, int]]:
    """When the session ran: from its request on, without silences of more than a day, 31 days at most.

    Without these bounds two events with broken clocks would make a fact for every minute of the years between.
    """
    begun_ms = last_ms = session.requested_ms
    most_ms = session.requested_ms + LONGEST_MS
    for reading in session.readings:
        if reading.at_ms > most_ms:
            break
        if reading.at_ms - last_ms > DAY_MS:
            yield begun_ms, last_ms
            begun_ms = reading.at_ms
        last_ms = max(last_ms, reading.at_ms)
    yield begun_ms, last_ms


def _samples(known: Identified) -> Iterator[Fact]:
    session = known.session
    warm: dict[str, int] = {}  # orchestrator → its first frame
    placed = [(r.place or session.legs[leg].place, r, status) for leg, r, status in session.statuses]
    for place, reading, status in placed:
        if status.output_fps:
            warm.setdefault(known.host(place).wallet or place, reading.at_ms)
    last_ms: int | None = None
    for place, reading, status in placed:
        first = warm.get(known.host(place).wallet or place)
        warming = status.output_fps == 0 and first is not None and reading.at_ms < first
        dims = known.dims(place, gpu=status.gpu)
        values = sample_values(status, warming)
        if last_ms is not None and status.output_fps is not None and (figures := known.flops.known(dims)):
            elapsed_ms = min(reading.at_ms - last_ms, LONGEST_FRAMES_MS)
            values |= {c.SHOWN_SAMPLES.name: 1, c.SHOWN_FLOPS.name: status.output_fps * elapsed_ms * figures[1]}
        last_ms = reading.at_ms
        yield Fact(session.owner, f"sample/{reading.id}", reading.at_ms, dims, values)
    yield from _bandwidth(known, placed)


def sample_values(status: Status, warming: bool) -> dict[str, int]:
    """The values of one status sample."""
    values = {c.SAMPLES.name: 1}
    if warming:
        values[c.WARM_UP.name] = 1
    elif status.output_fps is not None:
        values[c.OUTPUT_FPS.name] = status.output_fps
        if status.input_fps is not None:
            values[c.INPUT_FPS.name] = status.input_fps
    if status.state.startswith("DEGRADED"):
        values[c.DEGRADED.name] = 1
        if status.state == "DEGRADED_INPUT":
            values[c.DEGRADED_INPUT.name] = 1
            for column, unscored in _UNSCORED:
                if column in values:
                    values[unscored] = values[column]
    if status.achieved_flops is not None and status.peak_flops:
        values |= {c.ACHIEVED_FLOPS.name: status.achieved_flops, c.PEAK_FLOPS.name: status.peak_flops}
        values[c.STATED_SAMPLES.name] = 1
    return values


def _bandwidth(known: Identified, placed: Iterable[tuple[str, Reading, Status]]) -> Iterator[Fact]:
    """What the runner's own counters say, between consecutive samples of one GPU; an unknown one is that place's."""
    before: dict[str, tuple[Reading, Status]] = {}
    for place, reading, status in placed:
        gpu = status.gpu or known.host(place).gpu or f"at {place}"
        last = before.get(gpu)
        before[gpu] = reading, status
        if last is None or reading.at_ms <= last[0].at_ms:
            continue
        elapsed_ms = reading.at_ms - last[0].at_ms
        values = rates(
            elapsed_ms,
            (c.BANDWIDTH_UP_MBPS.name, last[1].sent_bytes, status.sent_bytes),
            (c.BANDWIDTH_DOWN_MBPS.name, last[1].received_bytes, status.received_bytes),
        )
        if values:
            dims = known.dims(place, gpu=status.gpu)
            yield Fact(known.session.owner, f"bandwidth/{reading.id}", reading.at_ms, dims, values)


def rates(elapsed_ms: int, *counters: tuple[str, int | None, int | None]) -> dict[str, int]:
    """Mbps in billionths for each counter that rose or stood still: Δbytes × 8 / Δt / 10^6, rounded half to even.

    A rate that no line carries comes of a broken counter, and is none.
    """
    found: dict[str, int] = {}
    for name, old, new in counters:
        if old is not None and new is not None and new >= old:
            top, bottom = (new - old) * 8 * BILLIONTHS, elapsed_ms * 1000
            whole, rest = divmod(top, bottom)
            if whole < MAX_RATE:
                found[name] = whole + (rest * 2 > bottom or (rest * 2 == bottom and whole & 1))
    return found


def _errors(known: Identified) -> Iterator[Fact]:
    session = known.session
    for leg, reading in session.errors:
        dims = known.dims(reading.place or session.legs[leg].place)
        yield Fact(session.owner, f"error/{reading.id}", reading.at_ms, dims, {c.ERROR_EVENTS.name: 1})


def _restarts(known: Identified) -> Iterator[Fact]:
    """Rises of the restart counter within a leg."""
    session = known.session
    counters: dict[int, int] = {}
    for leg, reading, status in session.statuses:
        if status.restart_count is None:
            continue
        rise = status.restart_count - counters.get(leg, status.restart_count)
        counters[leg] = status.restart_count
        if rise > 0:
            dims = known.dims(session.legs[leg].place, gpu=status.gpu)
            yield Fact(session.owner, f"restart/{reading.id}", reading.at_ms, dims, {c.RESTARTS.name: rise})


def _transport(known: Identified) -> Iterator[Fact]:
    """Rates and packets between consecutive transport events."""
    session = known.session
    last: tuple[Reading, Transport] | None = None
    for leg, reading in zip(session.leg_of, session.readings, strict=True):
        said = reading.said
        if not isinstance(said, Transport):
            continue
        if last is not None and reading.at_ms > last[0].at_ms:
            values = _between(reading.at_ms - last[0].at_ms, last[1], said)
            if values:
                dims = known.dims(session.legs[leg].place)
                yield Fact(session.owner, f"transport/{reading.id}", reading.at_ms, dims, values)
        last = reading, said


def _between(elapsed_ms: int, old: Transport, new: Transport) -> dict[str, int]:
    values = rates(
        elapsed_ms,
        (c.INGEST_MBPS.name, old.received_bytes, new.received_bytes),
        (c.EGRESS_MBPS.name, old.sent_bytes, new.sent_bytes),
    )
    before = {name: (lost, received) for name, lost, received in old.tracks}
    for name, lost, received in new.tracks:
        lost_before, received_before = before.get(name, (None, None))
        if lost is None or received is None or lost_before is None or received_before is None:
            continue
        if lost >= lost_before and received >= received_before:
            steps = (c.PACKETS_LOST, lost - lost_before), (c.PACKETS_RECEIVED, received - received_before)
            for column, step in (*steps, (c.PACKET_SAMPLES, 1)):
                values[column.name] = values.get(column.name, 0) + step
    return values


def sightings_of(known: Identified) -> Iterator[Sighting]:
    """Who was seen with whom, leg by leg."""
    for number, leg in enumerate(known.session.legs):
        dims = known.dims(leg.place)
        uri = "" if leg.place.startswith((KEY, WALLET)) else leg.place
        said = {
            Trait.SOURCE: dims[0],
            Trait.ORCHESTRATOR: dims[1],
            Trait.SERVICE_URI: uri or None,
            Trait.GPU: dims[2],
            Trait.GPU_MODEL: dims[3],
            Trait.WORKFLOW: dims[4],
            Trait.GATEWAY: dims[5],
            Trait.GATEWAY_NAME: known.gateway_name or None,
            Trait.REGION: dims[6],
        }
        traits = tuple(said.get(trait) for trait in TRAITS)
        yield Sighting(known.session.owner, f"leg/{number}", leg.start_ms, leg.end_ms, traits)
