"""Replacing supply: hour by hour and URI by URI, writing only the facts that differ."""

from collections.abc import Sequence

from backends.change import digest
from backends.clickhouse.derived import columns_of_facts
from backends.clickhouse.handle import Handle
from backends.log import SupplyHour
from backends.tables import SUPPLY
from metrics.fact import Fact
from metrics.window import HOUR_MS

Key = tuple[int, str | None, str, str]  # (slot, source, URI, key)
KEPT = (
    "SELECT slot, source, owner, key, digest FROM supply FINAL "
    "WHERE (slot, source, owner) IN (SELECT n, a, b FROM wanted)"
)


def replace_supply(handle: Handle, hours: Sequence[SupplyHour], facts: Sequence[Fact], ver: int) -> None:
    """These hours hold these facts from now on. New rows and withdrawals go in one insert: none is seen alone.

    Facts of other hours are put beside what these have.
    """
    if not hours and not facts:
        return
    handle.want(a=[hour.source for hour in hours], b=[hour.uri for hour in hours], n=[hour.hour_ms for hour in hours])
    old: dict[Key, int] = {row[:4]: row[4] for row in handle.query("kept supply", KEPT)}
    new = {_key(fact): fact for fact in facts}
    digests = {key: digest((fact.at_ms, fact.dims, tuple(fact.values.items()))) for key, fact in new.items()}
    written = [key for key in new if old.get(key) != digests[key]]
    columns = columns_of_facts([(new[key], (key[0], new[key].at_ms, digests[key])) for key in written])
    withdrawn = [key for key in old if key not in new]
    names = ("slot", "source", "owner", "key")
    for name, values in columns.items():
        values += [key[names.index(name)] if name in names else EMPTY[name] for key in withdrawn]
    columns["ver"] = [ver] * (len(written) + len(withdrawn))
    columns["deleted"] = [0] * len(written) + [1] * len(withdrawn)
    handle.insert(SUPPLY, columns)


# What a withdrawn row says beside its key.
EMPTY = {field.name: None if field.nullable else "" for field in SUPPLY.fields} | {"at_ms": 0, "digest": 0}


def _key(fact: Fact) -> Key:
    return fact.at_ms // HOUR_MS * HOUR_MS, fact.dims[0], fact.owner, fact.key
