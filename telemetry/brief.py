"""What other sessions and payments need to know of a session: small enough to keep beside it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import orjson

from backends.log import StoredSession
from metrics import columns as c
from metrics.fact import Dims
from telemetry.facts import WORKED, latency_us, stretches
from telemetry.names import KEY, WALLET
from telemetry.session import Leg, Outcome, Session
from telemetry.slots import Run
from telemetry.who import Identified


@dataclass(frozen=True, slots=True)
class FirstFrame:
    """A session's first processed segment: how long after the request, when, where, and for whom it counts."""

    latency_us: int
    at_ms: int
    place: str
    dims: Dims


@dataclass(frozen=True, slots=True)
class Brief:
    """A session seen from outside. A job, and a sample that stands alone, has no legs."""

    owner: str
    source: str
    stream_id: str
    request_id: str
    requested_ms: int
    last_ms: int
    workflow: str | None
    synthetic: bool
    legs: Sequence[Leg]
    dims: Mapping[str, Dims]  # by place, and under "" those of the last leg
    first_frame: FirstFrame | None
    restarts: Sequence[tuple[str, int]]  # (place, instant), as its samples state them
    ran: Sequence[tuple[int, int]] = ()  # when it ran, from … to, as its minutes count

    def pack(self) -> bytes:
        """As JSON."""
        return orjson.dumps(self, default=tuple)  # a Leg is not taken for the tuple it is

    @classmethod
    def of(cls, known: Identified, outcome: Outcome) -> "Brief":
        """The brief of a session that went so."""
        session = known.session
        alone = not (session.stream_id or session.request_id)
        edge = latency_us(known).get(c.PROMPT_TO_FIRST_FRAME.name)
        frame = None
        if edge is not None and edge[1] > 0:
            dims = known.dims(edge[0].place, blamed=not edge[0].after_swap)
            frame = FirstFrame(edge[1], edge[0].at_ms, edge[0].place, dims)
        stated = {(r.place or session.legs[leg].place, s.last_restart_ms) for leg, r, s in session.statuses}
        return cls(
            owner=session.owner,
            source=session.source,
            stream_id=session.stream_id,
            request_id=session.request_id,
            requested_ms=session.requested_ms,
            last_ms=session.last_ms,
            workflow=known.workflow,
            synthetic=known.synthetic,
            legs=() if alone else tuple(session.legs),
            dims={place: known.dims(place) for place in session.named_ms} | {"": known.dims(session.legs[-1].place)},
            first_frame=frame,
            restarts=sorted((place, at_ms) for place, at_ms in stated if at_ms is not None),
            ran=list(stretches(session)) if outcome in WORKED and not alone else (),
        )

    @property
    def runs(self) -> Iterator[tuple[str, Run]]:
        """Each stay at a service URI while the session ran, with the URI."""
        for leg in self.legs:
            if leg.place and not leg.place.startswith((KEY, WALLET)):
                for begun_ms, ended_ms in self.ran:
                    start_ms, end_ms = max(leg.start_ms, begun_ms), min(leg.end_ms, ended_ms)
                    if start_ms < end_ms:
                        yield leg.place, Run(start_ms, end_ms, self.dims[leg.place])

    @classmethod
    def span(cls, session: Session) -> "Brief":
        """A session as payments see it before it is identified: its name and when it ran."""
        return cls(
            owner=session.owner,
            source=session.source,
            stream_id=session.stream_id,
            request_id=session.request_id,
            requested_ms=session.requested_ms,
            last_ms=session.last_ms,
            workflow=None,
            synthetic=False,
            legs=(),
            dims={},
            first_frame=None,
            restarts=(),
        )

    @classmethod
    def unpack(cls, stored: StoredSession) -> "Brief":
        """The brief that is kept beside a session."""
        said = orjson.loads(stored.state)
        frame = said.pop("first_frame")
        return cls(
            legs=tuple(Leg(*leg) for leg in said.pop("legs")),
            dims={place: tuple(dims) for place, dims in said.pop("dims").items()},
            first_frame=frame and FirstFrame(**{**frame, "dims": tuple(frame["dims"])}),
            restarts=[(place, at_ms) for place, at_ms in said.pop("restarts")],
            ran=[(start_ms, end_ms) for start_ms, end_ms in said.pop("ran", ())],
            **said,
        )
