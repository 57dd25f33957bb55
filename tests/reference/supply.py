"""Supply, instant by instant: between two instants at which something changes, everything is counted afresh."""

from collections.abc import Iterator, Mapping
from fractions import Fraction
from itertools import pairwise
from typing import Any

from tests.reference.facts import busy, card_of
from tests.reference.identity import DAY, Book, Card, Places
from tests.reference.sessions import Session
from tests.reference.values import only

NOT_TOLD = {"gpuMs": None, "busyMs": None, "capacityRatePct": None}


def capacity(
    books: Mapping[str, Book],
    sessions: Mapping[str, list[Session]],
    config: Places,
    start: Any,
    end: Any,
    where: dict[str, Any],
) -> dict[str, Any]:
    """`capacityRatePct` = 100 × busy / advertised GPU time. Supply belongs to no gateway, and is neither synthetic nor
    real. (0050)"""
    wanted = {name: value for name, value in where.items() if value is not None}
    if "gateway" in wanted or "synthetic" in wanted:
        return NOT_TOLD
    have = used = 0
    for source, book in books.items():
        for uri in book.snapshots:
            # A slot's region is the one configured for its URI. (0050)
            if wanted.get("source", source) == source and wanted.get("region") in (None, config.region(None, uri)):
                for length, advertised, taken in instants(book, uri, stays(sessions[source], uri), start, end, wanted):
                    have += length * advertised
                    used += length * taken
    return {"gpuMs": have, "busyMs": used, "capacityRatePct": 100 * used / have if have else None}


def stays(sessions: list[Session], uri: str) -> list[tuple[int, int, Session]]:
    """Session running: from the request to the last event as `inferenceMinutes` has it, while its leg is at the URI."""
    return [
        (max(start, leg.start), min(end, leg.end), session)
        for session in sessions
        if session.outcome not in ("UNSERVED", "ABANDONED")
        for leg in session.legs
        if leg.place == ("uri", uri)
        for start, end in busy(session)
    ]


def instants(
    book: Book, uri: str, ran: list[tuple[int, int, Session]], start: Any, end: Any, wanted: dict[str, Any]
) -> Iterator[tuple[int, int, int]]:
    """(milliseconds, GPUs advertised, GPUs busy) for each stretch in which nothing changes."""
    told = sorted(book.snapshots[uri])
    edges = {start, end, *told, *(at + DAY for at in told), *(a for a, _, _ in ran), *(b for _, b, _ in ran)}
    for at, until in pairwise(sorted(edge for edge in edges if start <= edge <= end)):
        # "A GPU is advertised from its snapshot until the next snapshot of that URI, 24 h at most."
        last = max((t for t in told if t <= at), default=None)
        if last is None or at - last >= DAY:
            continue
        # The orchestrator is the one wallet that the snapshot names for the URI. (0050)
        if wanted.get("orchestrator") not in (None, only(book.advertisers[uri][last])):
            continue
        cards = offered(book, uri, last, wanted.get("workflow"))
        running = [session for a, b, session in ran if a <= at < b]
        running = [s for s in running if wanted.get("workflow") in (None, s.workflow)]
        if "gpu" in wanted:
            running = [s for s in running if s.card(("uri", uri)).gpu == wanted["gpu"]]
        if "gpu_model" in wanted:
            running = [s for s in running if model_of(s, uri, cards) == wanted["gpu_model"]]
        have = {
            gpu
            for gpu, model in cards.items()
            if wanted.get("gpu") in (None, gpu) and wanted.get("gpu_model") in (None, model)
        }
        # "At any instant a URI's busy GPUs = min(sessions running there, GPUs it advertises)."
        yield int(until - at), len(have), min(len(running), len(have))


def offered(book: Book, uri: str, at: int, workflow: str | None) -> dict[str, str | None]:
    """Each GPU's model by its id, "once per URI, whatever it offers"; by workflow, of those that are offered for it."""
    rows = [row for row in book.snapshots[uri][at] if row.gpu]
    fit = {row.gpu for row in rows if workflow is None or row.workflow == workflow}
    return {gpu: only(r.gpu_model for r in rows if r.gpu == gpu and r.gpu_model) for gpu in fit if gpu}


def model_of(session: Session, uri: str, cards: dict[str, str | None]) -> str | None:
    """What the snapshot in force calls the session's GPU; where it does not offer it, what the session's own said."""
    card = session.card(("uri", uri))
    return cards.get(card.gpu or "", card.gpu_model)


def efficiency(
    sessions: Mapping[str, list[Session]],
    config: Places,
    flops: dict[str, dict[str, int]],
    start: Any,
    end: Any,
    where: dict[str, Any],
) -> dict[str, Any]:
    """Tier `PROXY`: Σ frames shown on the GPU × FLOPs per frame / (peak × time in which at least one session ran
    there); "a model or GPU without a published figure gives null, never a guess; 100 at most". By gateway and by
    synthetic, null. A session without figures takes part in neither. (0051)"""
    wanted = {name: value for name, value in where.items() if value is not None}
    shown, samples, running = Fraction(0), 0, Fraction(0)
    spans: dict[tuple[Any, ...], list[tuple[int, int]]] = {}
    for source, some in sessions.items():
        for session in some:
            for frames, place, card in frames_of(session, start, end):
                if fits(session, place, card, source, config, wanted) and known(session, card, flops):
                    shown += frames * flops["workflows"][str(session.workflow)]
                    samples += 1
            for place in session.named:
                card = session.card(place)
                counts = known(session, card, flops) and fits(session, place, card, source, config, wanted)
                if counts and place[0] == "uri":
                    key = (source, place, session.wallets[place], card.gpu, card.gpu_model)
                    spans.setdefault(key, []).extend((a, b) for a, b, _ in stays([session], place[1]))
    for (*_, model), ran in spans.items():
        edges = sorted({start, end, *(edge for span in ran for edge in span if start <= edge <= end)})
        length = sum(b - a for a, b in pairwise(edges) if any(since <= a < until for since, until in ran))
        running += Fraction(length) / 1000 * flops["gpus"][str(model)]
    if "gateway" in wanted or "synthetic" in wanted or not running:
        return {"value": None, "samples": 0, "tier": None, "confidence": None}
    value = float(min(Fraction(100), 100 * shown / running)) if samples else None
    return {"value": value, "samples": samples, "tier": value and "PROXY", "confidence": value and "LOW"}


def frames_of(session: Session, start: Any, end: Any) -> Iterator[tuple[Fraction, Any, Card]]:
    """ "A frame count being fps × the time since the session's last sample, 10 s at most."""
    for before, event in pairwise(session.samples):
        if event.numbers["fps"] is not None and start <= event.at < end:
            length = min(event.at - before.at, 10_000)
            place = session.place_of(event)
            card = session.card(place) if event.gpu in (None, session.card(place).gpu) else card_of(session, event)
            yield event.numbers["fps"] * Fraction(length, 1000), place, card


def known(session: Session, card: Card, flops: dict[str, dict[str, int]]) -> bool:
    """Both figures are published, and it is known which GPU it was."""
    return bool(card.gpu) and card.gpu_model in flops["gpus"] and session.workflow in flops["workflows"]


def fits(session: Session, place: Any, card: Card, source: str, config: Places, wanted: dict[str, Any]) -> bool:
    """Does what the session did at a place count for this filter?"""
    uri = place[1] if place and place[0] == "uri" else None
    has = {
        "source": source,
        "orchestrator": session.wallets[place] if place else None,
        "gpu": card.gpu,
        "gpu_model": card.gpu_model,
        "workflow": session.workflow,
        "region": session.stated_region or config.region(session.gateway, uri),
    }
    return all(has[name] == value for name, value in wanted.items() if name in has)
