"""What one derivation changes of an owner's rows, against what is kept. Pure.

A session is derived whole at every event, and most of its rows come out as before. A digest per row tells; only rows
that differ are written, and only their buckets become stale.
"""

import marshal
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from metrics.fact import Fact
from metrics.sighting import Sighting
from metrics.window import HOUR_MS, MINUTE_MS

Key = tuple[str, str]  # (owner, key)
Kept = tuple[int, int, int]  # the slot a row is filed under, when it happened, its digest
Known = tuple[Key, Kept]


@dataclass(frozen=True, slots=True)
class Change:
    """The rows to write (by position among the new ones) and the ones to withdraw (slot, owner, key)."""

    written: Sequence[int]
    withdrawn: Sequence[tuple[int, str, str]]
    replaced: Sequence[int]  # those of the written ones whose key has a row in the same slot
    paths: frozenset[tuple[str, int]]  # (owner, slot) where rows are found that had none
    touched_ms: frozenset[int]  # the instants, old and new, of everything that changed


def change(old: Mapping[Key, Kept], new: Sequence[tuple[Key, Kept]]) -> Change:
    """The difference between what is kept and what is now derived."""
    written = [index for index, (key, kept) in enumerate(new) if old.get(key) != kept]
    withdrawn, replaced, touched = [], [], set()
    for index in written:
        key, kept = new[index]
        touched.add(kept[1])
        if (before := old.get(key)) is not None:
            touched.add(before[1])
            if before[0] != kept[0]:
                withdrawn.append((before[0], *key))
            else:
                replaced.append(index)
    for key in old.keys() - {key for key, _ in new}:
        slot, at_ms, _ = old[key]
        withdrawn.append((slot, *key))
        touched.add(at_ms)
    known = {(owner, slot) for (owner, _), (slot, _, _) in old.items()}
    paths = {(new[index][0][0], new[index][1][0]) for index in written}
    return Change(written, withdrawn, replaced, frozenset(paths - known), frozenset(touched))


def digest(parts: Any) -> int:
    """64 bits that differ where the parts do. Stable over processes; a change of Python only causes rewriting."""
    # Version 0 of the format knows no references, so equal values give equal bytes.
    return int.from_bytes(blake2b(marshal.dumps(parts, 0), digest_size=8).digest())


def floors(instants: Iterable[int], width_ms: int) -> set[int]:
    """The starts of the buckets that hold these instants."""
    return {at_ms // width_ms * width_ms for at_ms in instants}


def kept_facts(facts: Sequence[Fact]) -> list[Known]:
    """Where each fact is filed and its digest."""
    return [
        ((owner, key), (at_ms - at_ms % MINUTE_MS, at_ms, digest((dims, values))))
        for owner, key, at_ms, dims, values in facts
    ]


def kept_sightings(sightings: Sequence[Sighting]) -> list[Known]:
    """Where each sighting is filed and its digest."""
    return [
        ((owner, key), (first_ms - first_ms % HOUR_MS, first_ms, digest((last_ms, traits))))
        for owner, key, first_ms, last_ms, traits in sightings
    ]
