"""How long an answer may be told: here from memory, and by the caches of clients and of networks between.

No window is ever closed for good: an event may come however late (docs/decisions/0160). So here an answer is told as
long as the data's version stands, and caches, which cannot see it, are given a tenth of the time that the data have
had to settle, and the ETag to ask again with.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b

from backends.backend import Holdings
from metrics.window import to_ms
from resolvers.made_of import MadeOf

SHARE = 10
LEAST_S, MOST_OPEN_S, MOST_CLOSED_S = 1, 60, 365 * 24 * 3600
# HTTP tells ages in whole seconds: what is younger than one was made now.
MOMENT_S = 1.0
NO_STORE = "no-store"
VARY = "Accept, Authorization"


@dataclass(frozen=True, slots=True)
class Lifetime:
    """How long an answer may be told from memory while the data stand (None: as long), and by caches. In seconds."""

    here_s: float | None
    caches_s: int
    # Nobody else's: neither memory nor any cache may keep it.
    personal: bool = False

    def control(self, authorized: bool) -> str:
        """`Cache-Control`; with `authorized` the request said who asks, and its answer stays with that client."""
        if self.personal:
            return f"private, {NO_STORE}"
        whose = "private" if authorized else "public"
        return f"{whose}, max-age={self.caches_s}, stale-while-revalidate={self.caches_s}"


def lifetime(made_of: MadeOf, held: Holdings, now: datetime) -> Lifetime:
    """How long an answer that was made of this, from what was held, may be told."""
    if made_of.caller:
        return Lifetime(0, 0, personal=True)
    here_s = MOMENT_S if made_of.clock else None
    latest_ms = held.latest_ms
    if latest_ms is None:
        return Lifetime(here_s, LEAST_S)
    if made_of.clock or made_of.present or held.pending or (made_of.until_ms or 0) > latest_ms + 1:
        # Open. Where the data lag by an hour, a minute more tells nobody anything else.
        return Lifetime(here_s, _tenth(to_ms(now) - latest_ms, MOST_OPEN_S))
    if made_of.until_ms is None:
        # What a release or its settings say.
        return Lifetime(here_s, MOST_OPEN_S)
    return Lifetime(here_s, _tenth(latest_ms + 1 - made_of.until_ms, MOST_CLOSED_S))


def fingerprint(body: bytes) -> str:
    """What tells a body from all others."""
    return blake2b(body, digest_size=12).hexdigest()


def headers(life: Lifetime, mark: str, variant: str, authorized: bool) -> Mapping[str, str]:
    """What a GET is answered beside the body that has this fingerprint; `variant` tells apart its media types."""
    told = {"Cache-Control": life.control(authorized), "Vary": VARY}
    return told if life.personal else {**told, "ETag": f'"{mark}-{variant}"'}


def _tenth(length_ms: int, most_s: int) -> int:
    return min(max(length_ms // (SHARE * 1000), LEAST_S), most_s)
