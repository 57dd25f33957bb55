"""Payments as their events state them, exact to the wei."""

from fractions import Fraction
from typing import Any

from backends.log import Payment
from telemetry.names import gateway, manifest_model, uri, wallet
from telemetry.reading import Stamp
from telemetry.values import count, probability, text, wei

MAX_TICKETS = 10**9


def read_payment(data: dict[str, Any], stamp: Stamp, event: dict[str, Any]) -> Payment:
    """The payment that a `create_new_payment` states. Raises Unreadable."""
    tickets = count(data.get("numTickets"), "numTickets", MAX_TICKETS) or 0
    face_value = wei(data.get("faceValue"), "faceValue")
    chance = probability(data.get("winProb"), "winProb")
    worth = None if face_value is None else face_value * tickets
    return Payment(
        source=stamp.source,
        id=stamp.id,
        at_ms=stamp.at_ms,
        uri=uri(text(data.get("orchestrator"))),
        recipient=wallet(data.get("recipient")),
        sender=wallet(data.get("sender")),
        session_id=text(data.get("sessionID")),
        request_id=text(data.get("requestID")),
        model=manifest_model(data.get("manifestID")),
        gateway_name=gateway(event.get("gateway")),
        tickets=tickets,
        face_value_wei=None if worth is None else half_up(worth),
        fees_wei=None if worth is None or chance is None else half_up(worth * chance),
    )


def half_up(exact: Fraction) -> int:
    """A positive amount rounded half up."""
    return (2 * exact.numerator + exact.denominator) // (2 * exact.denominator)
