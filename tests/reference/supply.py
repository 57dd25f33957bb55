"""Supply, instant by instant: between two instants at which something changes, everything is counted afresh."""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from tests.reference.facts import busy
from tests.reference.identity import DAY, Book, Places
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
