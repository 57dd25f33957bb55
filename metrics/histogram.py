"""Mergeable histograms: a bucket is the top 18 bits of a value's IEEE double, so no engine needs a logarithm.

64 buckets an octave; the harmonic midpoint of a bucket is within 0.775 % of every value in it. Zero has bucket 0.
Merging is adding counts. The rank rule is nearest rank: the smallest bucket whose cumulated count × 100 ≥ p × n.
"""

import struct
from collections.abc import Mapping
from functools import lru_cache

SHIFT = 46
_DOUBLE, _BITS = struct.Struct("<d"), struct.Struct("<Q")

Histogram = Mapping[int, int]


def bucket_of(value: int) -> int:
    """The bucket of a stored integer ≥ 0."""
    bits: int = _BITS.unpack(_DOUBLE.pack(value))[0]
    return bits >> SHIFT


@lru_cache(maxsize=65_536)
def midpoint(bucket: int) -> float:
    """The harmonic midpoint of a bucket, in the unit of the stored integers."""
    if bucket == 0:
        return 0.0
    low, high = (_DOUBLE.unpack(_BITS.pack(edge << SHIFT))[0] for edge in (bucket, bucket + 1))
    return float(2 * low * high / (low + high))


def percentile(histogram: Histogram, p: int, low: int, high: int) -> float | None:
    """The p-th percentile (nearest rank) as a bucket midpoint clamped to [low, high]; None for an empty histogram."""
    total, seen = sum(histogram.values()), 0
    for bucket in sorted(histogram):
        seen += histogram[bucket]
        if seen * 100 >= p * total and seen:
            return min(max(midpoint(bucket), float(low)), float(high))
    return None


def merged(one: Histogram, other: Histogram) -> dict[int, int]:
    """The histogram of both sets of values."""
    total = dict(one)
    for bucket, count in other.items():
        total[bucket] = total.get(bucket, 0) + count
    return total
