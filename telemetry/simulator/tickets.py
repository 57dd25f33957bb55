"""Payments: which tickets a gateway sends to an orchestrator, and what they are worth."""

from dataclasses import dataclass
from random import Random

from telemetry.simulator import wire
from telemetry.simulator.chance import Names, chance
from telemetry.simulator.world import Gateway, Slot

TEN_DIGITS = 10**10
BASE_WEI = 2_350_000_000_000_000
BASE_ODDS = 10_000_000


@dataclass(frozen=True, slots=True)
class Ticket:
    """A face value and a win probability in the words of the wire, and both as whole numbers."""

    face_text: str
    odds_text: str
    face_wei: int
    odds: int

    def expected_wei(self, tickets: int) -> int:
        """Face value × win probability × tickets, rounded half up."""
        return (2 * self.face_wei * self.odds * tickets + TEN_DIGITS) // (2 * TEN_DIGITS)


def ticket(style: str, rng: Random) -> Ticket:
    """A ticket in one orchestrator's style: always the same, varied with the gas price, or told in ETH."""
    if style == "eth":
        return Ticket("0.012 ETH", "0.0001958300", 12 * 10**15, 1_958_300)
    if style == "plain" or rng.random() < 0.6:
        return Ticket(f"{BASE_WEI} WEI", "0.0010000000", BASE_WEI, BASE_ODDS)
    face = BASE_WEI + 240_000_000_000 * rng.randint(1, 60)
    odds = BASE_WEI * BASE_ODDS // face
    return Ticket(f"{face} WEI", f"0.{odds:010d}", face, odds)


@dataclass(slots=True)
class Account:
    """A payment session between a gateway and a service URI for one workflow; streams one after another share it."""

    session_id: str
    manifest_id: str
    streams_left: int
    fresh: bool = True


class Accounts:
    """The payment sessions that are open."""

    def __init__(self, seed: int) -> None:
        self._names = Names(seed, "payment session")
        self._rng = chance(seed, "payment sessions")
        self._open: dict[tuple[Gateway, Slot], Account] = {}

    def own(self) -> Account:
        """A payment session that no other stream will share."""
        return Account(self._names.take(), self._names.take(), 0)

    def shared(self, gateway: Gateway, slot: Slot) -> Account:
        """The payment session that streams of this gateway at this place use one after another."""
        found = self._open.get((gateway, slot))
        if found is None or found.streams_left == 0:
            found = Account(self._names.take(), self._names.take(), self._rng.randint(1, 5))
            self._open[gateway, slot] = found
        found.streams_left -= 1
        return found


def pay(account: Account, gateway: Gateway, slot: Slot, request: str, client: str, worth: Ticket, tickets: int) -> str:
    """The data of one payment. The first of a payment session names the workflow, all others hide it."""
    manifest = f"35_{slot.workflow.name}" if account.fresh else account.manifest_id
    account.fresh = False
    return wire.payment(
        uri=slot.place.uri,
        tickets=tickets,
        sender=gateway.wallet,
        face_value=worth.face_text,
        price=f"{slot.workflow.price_wei}.{slot.workflow.price_wei % 1000:03d}",
        request=request,
        win_probability=worth.odds_text,
        recipient=slot.place.orchestrator.wallet,
        session=account.session_id,
        manifest=manifest,
        client=client,
    )
