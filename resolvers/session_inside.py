"""What a session's events hold for its gateway's eyes: the parameters that were set, and where the user came from."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from backends.backend import SessionRecord
from metrics.window import from_ms
from resolvers.context import Context


@dataclass(frozen=True, slots=True)
class Parameters:
    """Parameters as they were set: the prompt, and all of them as JSON."""

    at: datetime
    prompt: str | None
    json: str


async def parameters(context: Context, session: SessionRecord) -> list[Parameters]:
    """The parameters of a session in order of time, each where they first are others than before."""
    context.spend_timeline()
    told: list[Parameters] = []
    for event in await context.events(session.owner):
        inside = context.insides(event.body)
        if inside.parameters is not None and (not told or told[-1].json != inside.parameters):
            told.append(Parameters(from_ms(event.at_ms), inside.prompt, inside.parameters))
    return told


async def client_addresses(context: Context, session: SessionRecord) -> Sequence[str]:
    """The network addresses of the user, as events of the session and payments for its request state them."""
    context.spend_timeline()
    bodies = [event.body for event in await context.events(session.owner)]
    if session.request_id:
        paid = await context.payment_events(session.request_id)
        bodies += [event.body for event in paid if event.source == session.source]
    stated = (context.insides(body).client_address for body in bodies)
    return list(dict.fromkeys(address for address in stated if address))
