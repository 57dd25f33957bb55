"""Where an identity is found among millions."""

from functools import lru_cache
from hashlib import blake2b


@lru_cache(maxsize=50_000)  # asked once before an append and once within it
def hash_of(source: str, id: str) -> int:
    """Where an identity is found among the others: 64 bits of it, signed."""
    return int.from_bytes(blake2b(f"{source}\0{id}".encode(), digest_size=8).digest(), signed=True)
