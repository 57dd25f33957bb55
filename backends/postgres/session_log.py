"""Stored sessions: found by owner, request, stream, place, silence, and by what may change them."""

import json
from collections.abc import Iterable, Sequence

from backends.log import Explained, StoredSession
from backends.postgres.handle import Handle, Values
from backends.postgres.tables import among, hashed
from backends.records import KEY_PLACE, RECORD_NAMES, STORED_NAMES, stored_of
from metrics.window import DAY_MS


class SessionLog:
    """The part of the `Log` that finds derived sessions."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle

    def sessions_of(self, owners: Iterable[str]) -> Sequence[StoredSession]:
        return self._stored("sessions_of", among("owner", WANTED), {"wanted": list(owners)})

    def sessions_by_request(self, source: str, request_ids: Iterable[str]) -> Sequence[StoredSession]:
        values = {"wanted": [id for id in request_ids if id], "source": source}
        return self._stored("sessions_by_request", f"{among('request_id', WANTED)} AND source = %(source)s", values)

    def sessions_by_stream(self, source: str, stream_ids: Iterable[str]) -> Sequence[StoredSession]:
        values = {"wanted": [id for id in stream_ids if id], "source": source}
        return self._stored("sessions_by_stream", f"{among('stream_id', WANTED)} AND source = %(source)s", values)

    def sessions_at(self, source: str, places: Iterable[str], start_ms: int, end_ms: int) -> Sequence[StoredSession]:
        tests = f"source = %(source)s AND last_ms >= %(start)s AND first_ms <= %(end)s AND {AT_PLACES}"
        values = {"source": source, "start": start_ms, "end": end_ms, "places": list(places)}
        return self._stored("sessions_at", tests, values)

    def owners_silent(self, source: str, after_ms: int, until_ms: int, ended: bool) -> Sequence[str]:
        tests = (
            "open = 1 AND ended = %(ended)s AND source = %(source)s AND last_ms > %(after)s AND last_ms <= %(until)s"
        )
        values = {"source": source, "after": after_ms, "until": until_ms, "ended": int(ended)}
        return self._owners("owners_silent", tests, values)

    def owners_by_gateway_name(self, source: str, name: str, unless: str) -> Sequence[str]:
        tests = (
            f"{hashed('gateway_name')} = {hashed('%(name)s')} AND gateway_name = %(name)s AND source = %(source)s "
            "AND paid_gateway = '' AND (gateway = '' OR gateway <> %(unless)s)"
        )
        return self._owners("owners_by_gateway_name", tests, {"source": source, "name": name, "unless": unless})

    def owners_explained(self, by_claims: Sequence[Explained], by_offers: Sequence[Explained]) -> Sequence[str]:
        found = {*self._explained("claims", by_claims), *self._explained("offers", by_offers)}
        return sorted(found)

    def _explained(self, by: str, new: Sequence[Explained]) -> Sequence[str]:
        if not new:
            return []
        first, last = min(one.first_ms for one in new), max(one.last_ms for one in new)
        values: dict[str, object] = {
            "reach": first,
            "soonest": first - DAY_MS,
            "farthest": last + DAY_MS,
            "sources": [one.source for one in new],
            "places": [one.place for one in new],
            "firsts": [one.first_ms for one in new],
            "lasts": [one.last_ms for one in new],
            "wallets": [one.wallet if by == "claims" else "" for one in new],
        }
        change, skip = CHANGES[by]
        found = self._handle.query(
            f"owners_explained by {by}",
            "WITH near AS MATERIALIZED (SELECT owner, source, places, named_ms, claim_ms, offer_ms, workflow_by_uri, "
            f"wallets FROM sessions WHERE {AT_PLACES} AND {skip}) SELECT DISTINCT owner, at.place, new.wallet, "
            "CASE WHEN new.wallet <> '' THEN wallets END FROM near, unnest(places, named_ms, claim_ms, offer_ms) "
            f"AS at(place, named, claim, offer), {NEW} "
            f"WHERE new.source = near.source AND new.place = at.place AND ({change})",
            values,
        )
        return [
            owner
            for owner, place, wallet, wallets in found
            # Claims of a key for the wallet that it is known by already change nothing.
            if not (wallet and place.startswith(KEY_PLACE) and json.loads(wallets or "{}").get(place) == wallet)
        ]

    def _stored(self, name: str, tests: str, values: Values) -> Sequence[StoredSession]:
        columns = ", ".join((*RECORD_NAMES, *STORED_NAMES))
        sql = f"SELECT {columns} FROM sessions WHERE {tests} ORDER BY requested_ms, owner"
        return [stored_of(row) for row in self._handle.query(name, sql, values)]

    def _owners(self, name: str, tests: str, values: Values) -> Sequence[str]:
        found = self._handle.query(name, f"SELECT owner FROM sessions WHERE {tests} ORDER BY owner", values)
        return [owner for (owner,) in found]


WANTED = "%(wanted)s::text[]"
# The index knows 64 bits of each place.
AT_PLACES = "hashes(places) && hashes(%(places)s::text[]) AND places && %(places)s::text[]"
NEW = (
    "unnest(%(sources)s::text[], %(places)s::text[], %(firsts)s::bigint[], %(lasts)s::bigint[], "
    "%(wallets)s::text[]) AS new(source, place, first, last, wallet)"
)
_NEAR = f"named BETWEEN new.first - {DAY_MS} AND new.last + {DAY_MS}"
# Per kind of news: which sessions they change, and a test that lets most sessions be skipped.
CHANGES = {
    "claims": (
        f"CASE WHEN starts_with(at.place, '{KEY_PLACE}') THEN {_NEAR} ELSE claim = 0 OR (claim > named "
        "AND claim >= new.first) OR (named >= new.first AND claim <= new.last) END",
        "claim_reach_ms >= %(reach)s",
    ),
    "offers": (
        f"{_NEAR} AND (workflow_by_uri = 1 OR offer = 0 OR (offer > named AND offer >= new.first) "
        "OR (named >= new.first AND offer <= new.last))",
        "named_last_ms >= %(soonest)s AND named_first_ms <= %(farthest)s",
    ),
}
