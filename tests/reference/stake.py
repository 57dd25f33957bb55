"""Stake: what an orchestrator had staked at an instant. (0031)"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from tests.reference.values import ADDRESS, BadNumber, text

if TYPE_CHECKING:
    from tests.reference.event import Event


class BadAddress(ValueError):
    """A stake of nobody."""


def numbers(body: dict[str, Any]) -> dict[str, Fraction | None]:
    """The LPT, "at most 18 digits after the point, no exponent, at most 10¹² LPT"; raises BadAddress, BadNumber."""
    if not ADDRESS.fullmatch((text(body.get("address")) or "").lower()):
        raise BadAddress(body.get("address"))
    said = body.get("lpt")
    written = "" if isinstance(said, bool) else str(said).strip()
    if not re.fullmatch(r"[0-9]+(\.[0-9]{1,18})?", written) or Fraction(written) > 10**12:
        raise BadNumber(said)
    return {"lpt": Fraction(written)}


def stake_at(events: list[Event], orchestrator: str, at: Fraction) -> Fraction | None:
    """The latest at or before the instant; of one instant the one with the smallest (source, id). (0031 §1)"""
    own = [e for e in events if text(e.data["address"]).lower() == orchestrator and e.at <= at]  # type: ignore[union-attr]
    if not own:
        return None
    latest = [event for event in own if event.at == max(e.at for e in own)]
    return min(latest, key=lambda e: (e.source, e.id)).numbers["lpt"]
