"""How a derived session is kept and shown."""

from collections.abc import Iterable, Iterator

from backends.backend import SessionRecord
from backends.log import StoredSession
from metrics import columns as c
from metrics.fact import Fact
from metrics.histogram import bucket_of
from metrics.measure import Aggregate
from metrics.row import Sum
from telemetry.brief import Brief
from telemetry.facts import latency_us, sample_values
from telemetry.session import Outcome
from telemetry.who import Identified


def alone_facts(known: Identified) -> Iterator[Fact]:
    """The fact of a sample that belongs to no session: nothing is warm-up."""
    for leg, reading, status in known.session.statuses:
        dims = known.dims(reading.place or known.session.legs[leg].place, gpu=status.gpu)
        yield Fact(known.session.owner, f"sample/{reading.id}", reading.at_ms, dims, sample_values(status, False))


def stored_of(
    known: Identified, brief: Brief, outcome: Outcome, latest_ms: int, facts: Iterable[Fact]
) -> StoredSession:
    """The session as the log keeps it; `facts` are its own."""
    session, alone = known.session, not brief.legs
    host = known.host(session.legs[-1].place)
    places = tuple(session.named_ms)
    hosts = [known.host(place) for place in places]
    shown = {column: value or None for column, (_, value) in latency_us(known).items()}
    dims = brief.dims[""]
    record = SessionRecord(
        owner=session.owner,
        source=session.source,
        stream_id=session.stream_id,
        request_id=session.request_id,
        requested_ms=session.requested_ms,
        last_ms=session.last_ms,
        ended=alone or session.ended(latest_ms),
        outcome="" if alone else outcome.value,
        orchestrator=dims[1],
        gpu=dims[2],
        gpu_model=dims[3],
        gpu_attribution=host.attribution.value,
        workflow=dims[4],
        gateway=dims[5],
        region=dims[6],
        synthetic=known.synthetic,
        prompt_to_first_frame_us=shown.get(c.PROMPT_TO_FIRST_FRAME.name),
        prompt_to_playable_us=shown.get(c.PROMPT_TO_PLAYABLE.name),
        e2e_latency_us=shown.get(c.E2E_LATENCY.name),
        swaps=len(session.swaps),
        errors=len(session.errors),
        sums=fps_sums(facts),
        wallets={place: wallet for place in places if (wallet := known.host(place).wallet)},
    )
    return StoredSession(
        record=record,
        first_ms=min(session.first_ms, session.requested_ms),
        open=session.open and not alone,
        gateway_name=known.gateway_name,
        paid_gateway=known.paid.gateway,
        paid_workflow=known.paid.workflow,
        workflow_by_uri=known.workflow_by_uri,
        places=places,
        named_ms=tuple(session.named_ms.values()),
        claim_ms=tuple(host.claim_ms for host in hosts),
        offer_ms=tuple(host.offer_ms for host in hosts),
        state=brief.pack(),
    )


def fps_sums(facts: Iterable[Fact]) -> dict[str, Sum]:
    """The sums of the output frame rate over these facts."""
    column = c.OUTPUT_FPS
    values = [fact.values[column.name] for fact in facts if column.name in fact.values]
    histogram: dict[int, int] = {}
    for value in values:
        histogram[bucket_of(value)] = histogram.get(bucket_of(value), 0) + 1
    told: dict[Aggregate, Sum] = {
        Aggregate.COUNT: len(values),
        Aggregate.SUM: sum(values),
        Aggregate.SUMSQ: sum(value * value for value in values),
        Aggregate.MIN: min(values, default=None),
        Aggregate.MAX: max(values, default=None),
        Aggregate.HISTOGRAM: histogram,
    }
    return {column.measure(aggregate).name: value for aggregate, value in told.items()}
