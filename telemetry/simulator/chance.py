"""Chance that follows from the seed alone: random sources, identifiers, addresses."""

import math
from hashlib import sha256
from random import Random


def digest(seed: int, *names: object) -> bytes:
    """Thirty-two bytes that belong to these names under this seed."""
    return sha256("/".join([str(seed), *map(str, names)]).encode()).digest()


def chance(seed: int, *names: object) -> Random:
    """The random source of one entity. Entities never share one, so adding one leaves the others as they were."""
    return Random(int.from_bytes(digest(seed, *names)[:16], "big"))  # noqa: S311 - repeatable, not secret


def address(seed: int, *names: object) -> str:
    """An invented address in mixed case, as the chain's tools print them (the case is no checksum)."""
    raw = digest(seed, "address", *names)
    letters = raw[:20].hex()
    return "0x" + "".join(c.upper() if raw[20 + i % 12] >> (i % 8) & 1 else c for i, c in enumerate(letters))


def client_address(seed: int, stream_id: str) -> str:
    """The invented address of a stream's user, of the networks that are set aside for examples (RFC 5737)."""
    raw = digest(seed, "client", stream_id)
    return f"{('192.0.2', '198.51.100', '203.0.113')[raw[0] % 3]}.{raw[1]}"


def uuid_of(number: int) -> str:
    """128 bits in the form of a random UUID."""
    h = f"{number:032x}"
    return f"{h[:8]}-{h[8:12]}-4{h[13:16]}-a{h[17:20]}-{h[20:]}"


def base36(number: int) -> str:
    """A number in lower-case base 36, as stream names carry it."""
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
    return digits or "0"


def poisson(rng: Random, mean: float) -> int:
    """How many arrivals come where `mean` are expected."""
    if mean > 50:
        return max(0, round(rng.gauss(mean, math.sqrt(mean))))
    threshold, count, product = math.exp(-mean), 0, rng.random()
    while product > threshold:
        count, product = count + 1, product * rng.random()
    return count


class Names:
    """Short identifiers that never repeat within a simulation."""

    def __init__(self, seed: int, kind: str) -> None:
        self._next = int.from_bytes(digest(seed, "names", kind)[:4], "big")

    def take(self) -> str:
        """The next identifier: eight hexadecimal digits. An odd step visits every value once before any again."""
        self._next = (self._next + 0x9E3779B1) & 0xFFFFFFFF
        return f"{self._next:08x}"
