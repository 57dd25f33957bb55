"""A fact: something that happened at an instant, to somebody, in integers."""

from collections.abc import Mapping
from typing import NamedTuple

Dims = tuple[str | None, ...]  # in the order of metrics.dimension.DIMENSIONS


class Fact(NamedTuple):
    """One row of evidence. `owner` is what it was derived from and is replaced with: a session, a payment …"""

    owner: str
    key: str  # unique within the owner, and says what kind of fact it is
    at_ms: int
    dims: Dims
    values: Mapping[str, int]  # fact column → stored integer, non-null ones only
