"""Histograms as PostgreSQL keeps them: an array of entries, each a bucket and a count in one bigint. Pure."""

COUNT_BITS = 44  # of an entry; the 18 above them are the bucket, of which the sign is never set
COUNTS = (1 << COUNT_BITS) - 1


def histogram(text: str | None) -> dict[int, int]:
    """The histogram that entries, joined with commas, make; the same bucket may come several times."""
    found: dict[int, int] = {}
    for entry in map(int, text.split(",") if text else ()):
        bucket = entry >> COUNT_BITS
        found[bucket] = found.get(bucket, 0) + (entry & COUNTS)
    return found
