"""`POST /v1/events`: wire events in, an acknowledgement out once they are durable."""

import hmac
import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

from starlette.requests import Request

from auth.caller import ANONYMOUS, Scope
from metrics.errors import Forbidden, Unauthenticated
from resolvers import media
from rest import body, schema
from rest.operation import Operation
from rest.parameter import read
from rest.params import SOURCE

# These say that each line is an event; without them the first bytes tell NDJSON from an array.
ONE_PER_LINE = ("application/x-ndjson", "application/ndjson", "application/jsonl")
# What a proxy on this machine adds: a request that carries one of these did not begin here.
FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip", "via")


class Taken(Protocol):
    """What became of the lines of a body."""

    @property
    def accepted(self) -> int: ...
    @property
    def duplicate(self) -> int: ...
    @property
    def conflicting(self) -> int: ...
    @property
    def rejected(self) -> Sequence[tuple[int, str]]: ...
    @property
    def rejected_by_reason(self) -> Mapping[str, int]: ...
    @property
    def unknown_types(self) -> Mapping[str, int]: ...


class Intake(Protocol):
    """Where events go."""

    async def take(self, source: str, content: bytes, one_per_line: bool) -> Taken:
        """Keep the events of a body; returns when they are durable. Raises RateLimited where too much waits."""


@dataclass(frozen=True, slots=True)
class Door:
    """Who may send events, and how much at once."""

    token: str | None
    max_bytes: int
    max_inflated_bytes: int


async def events(request: Request, intake: Intake, door: Door) -> dict[str, object]:
    """Take one body of events."""
    admit(request, door.token)
    source = read(request.query_params, EVENTS.parameters)[SOURCE]
    content = await body.read(request, door.max_bytes, door.max_inflated_bytes)
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    taken = await intake.take(source, content, media_type in ONE_PER_LINE)
    return {
        "accepted": taken.accepted,
        "duplicate": taken.duplicate,
        "conflicting": taken.conflicting,
        "rejected": [{"line": line, "reason": reason} for line, reason in taken.rejected],
        # Every rejected line counts here; `rejected` lists the first thousand.
        "rejected_by_reason": dict(taken.rejected_by_reason),
        "unknown_types": dict(taken.unknown_types),
    }


def admit(request: Request, token: str | None) -> None:
    """Let in whoever has the operator's token or its scope, or, where no token is configured, this machine itself."""
    caller = getattr(request.state, "caller", ANONYMOUS)
    if Scope.EVENTS in caller.scopes:
        return
    if token is not None:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), token.encode()):
            if caller.subject is not None:
                raise Forbidden("events need a token with the scope events:write, and yours has not got it.")
            raise Unauthenticated("events need the operator's token: send Authorization: Bearer <NAAP_OPERATOR_TOKEN>.")
    elif not from_this_machine(request):
        raise Forbidden(
            "events are taken from this machine only, since no operator's token is configured. "
            "Set NAAP_OPERATOR_TOKEN (or NAAP_OPERATOR_TOKEN_FILE) on the gateway and send it."
        )


def from_this_machine(request: Request) -> bool:
    """Whether the caller is a program on this machine: no proxy between, no web page of another site behind it."""
    if request.client is None or not _loopback(request.client.host):
        return False
    if any(name in request.headers for name in FORWARDED):
        return False
    # A page elsewhere can make the user's browser post here: by name (Host, DNS rebinding) or across origins.
    host = request.headers.get("host", "")
    origin = request.headers.get("origin")
    try:
        return _local_host(host) and (origin is None or urlsplit(origin).netloc == host)
    except ValueError:  # one of them is no host, or no URL
        return False


def _local_host(host: str) -> bool:
    """Whether a Host header names this machine. Raises ValueError where it is no name and port."""
    parts = urlsplit(f"//{host}")
    if parts.netloc != host or "@" in host:
        return False
    _, name = parts.port, parts.hostname or ""  # asking for the port checks it
    return name == "localhost" or _loopback(name)


def _loopback(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


RESULT = schema.record(
    {
        "accepted": schema.whole("Events that are new, and durable now.", minimum=0),
        "duplicate": schema.whole("Events that were there already.", minimum=0),
        "conflicting": schema.whole("Events with the id of another one and other content; kept beside it.", minimum=0),
        "rejected": schema.listing(
            schema.record(
                {
                    "line": schema.whole("Its line, or its place in the array, from 1.", minimum=1),
                    "reason": schema.text("Why, in a word."),
                },
                "A line that holds no event.",
            ),
            "What could not be read; the first thousand.",
        ),
        "rejected_by_reason": schema.mapping(
            schema.whole("So many.", minimum=1), "Every rejected line, by reason: also those beyond the first thousand."
        ),
        "unknown_types": schema.mapping(
            schema.whole("So many.", minimum=1), "Events of types that are not known here, kept and not counted."
        ),
    },
    "What became of the events.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent(Operation):
    """Something that is sent: a body, and who may send it."""

    body_types: Mapping[str, str]


EVENTS = Sent(
    path="/v1/events",
    name="events",
    summary="Send wire events",
    doc=(
        "Takes the network's own events, bare or as a Kafka viewer exports them, and answers once they are durable; "
        "queries show them within 5 seconds. gzip is allowed. Sending an event again changes nothing. "
        "With the operator's token or one with the scope `events:write`; where no operator's token is configured, "
        "from this machine also without."
    ),
    answers="What became of the events.",
    own=(SOURCE,),
    method="POST",
    result=RESULT,
    refusals=(401, 403, 408, 413),
    body_types={
        "application/x-ndjson": "Each line is an event.",
        media.JSON: "An array of events, an event, or an event per line: the first bytes tell.",
    },
)
