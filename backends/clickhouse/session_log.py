"""Stored sessions: found by owner, request, stream, place, silence, and by what may change them."""

from collections.abc import Iterable, Sequence

from backends.clickhouse.handle import Handle, Values
from backends.log import Explained, StoredSession
from backends.records import KEY_PLACE, STORED_COLUMNS, stored_of
from metrics.window import DAY_MS

PATHED = (
    "(slot, owner) IN (SELECT slot, owner FROM paths WHERE kind = {kind:String} AND value IN (SELECT a FROM wanted))"
)


class SessionLog:
    """The part of the `Log` that finds derived sessions."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle

    def sessions_of(self, owners: Iterable[str]) -> Sequence[StoredSession]:
        self._handle.want(a=list(owners))
        return self._stored("sessions_of", f"{PATHED} AND owner IN (SELECT a FROM wanted)", {"kind": "session"})

    def sessions_by_request(self, source: str, request_ids: Iterable[str]) -> Sequence[StoredSession]:
        self._handle.want(a=[id for id in request_ids if id])
        tests = f"{PATHED} AND source = {{source:String}} AND request_id IN (SELECT a FROM wanted)"
        return self._stored("sessions_by_request", tests, {"kind": "request", "source": source})

    def sessions_by_stream(self, source: str, stream_ids: Iterable[str]) -> Sequence[StoredSession]:
        self._handle.want(a=[id for id in stream_ids if id])
        tests = f"{PATHED} AND source = {{source:String}} AND stream_id IN (SELECT a FROM wanted)"
        return self._stored("sessions_by_stream", tests, {"kind": "stream", "source": source})

    def sessions_at(self, source: str, places: Iterable[str], start_ms: int, end_ms: int) -> Sequence[StoredSession]:
        tests = (
            "source = {source:String} AND last_ms >= {start:Int64} AND first_ms <= {end:Int64} "
            "AND hasAny(places, {places:Array(String)})"
        )
        values = {"source": source, "start": start_ms, "end": end_ms, "places": list(places)}
        return self._stored("sessions_at", tests, values)

    def owners_silent(self, source: str, after_ms: int, until_ms: int, ended: bool) -> Sequence[str]:
        tests = (
            "open = 1 AND ended = {ended:UInt8} AND source = {source:String} "
            "AND last_ms > {after:Int64} AND last_ms <= {until:Int64}"
        )
        values = {"source": source, "after": after_ms, "until": until_ms, "ended": int(ended)}
        return self._owners("owners_silent", tests, values)

    def owners_by_gateway_name(self, source: str, name: str, unless: str) -> Sequence[str]:
        tests = (
            "source = {source:String} AND gateway_name = {name:String} AND paid_gateway = '' "
            "AND (gateway = '' OR gateway != {unless:String})"
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
            "wallets": [one.wallet for one in new],
        }
        change, skip = CHANGES[by]
        found = self._handle.query(
            f"owners_explained by {by}",
            f"SELECT DISTINCT owner FROM (SELECT owner, source, places, named_ms, claim_ms, offer_ms, workflow_by_uri, "
            f"wallets FROM sessions FINAL WHERE {skip} AND hasAny(places, {{places:Array(String)}})) "
            "ARRAY JOIN places AS place, named_ms AS named, claim_ms AS claim, offer_ms AS offer "
            f"INNER JOIN ({NEW}) AS new ON new.source = source AND new.place = place WHERE {change}",
            values,
        )
        return [owner for (owner,) in found]

    def _stored(self, name: str, tests: str, values: Values) -> Sequence[StoredSession]:
        sql = f"SELECT {STORED_COLUMNS} FROM sessions FINAL WHERE {tests} ORDER BY requested_ms, owner"
        return [stored_of(row) for row in self._handle.query(name, sql, values, ("state",))]

    def _owners(self, name: str, tests: str, values: Values) -> Sequence[str]:
        found = self._handle.query(name, f"SELECT owner FROM sessions FINAL WHERE {tests} ORDER BY owner", values)
        return [owner for (owner,) in found]


NEW = (
    "SELECT one.1 AS source, one.2 AS place, one.3 AS first, one.4 AS last, one.5 AS wallet "
    "FROM (SELECT arrayJoin(arrayZip({sources:Array(String)}, {places:Array(String)}, {firsts:Array(Int64)}, "
    "{lasts:Array(Int64)}, {wallets:Array(String)})) AS one)"
)
_NEAR = f"named BETWEEN new.first - {DAY_MS} AND new.last + {DAY_MS}"
_UNTOLD = "(new.wallet = '' OR JSONExtractString(wallets, place) != new.wallet)"
# Per kind of news: which sessions they change, and a test that lets old stretches of sessions be skipped.
CHANGES = {
    "claims": (
        f"if(startsWith(place, '{KEY_PLACE}'), {_NEAR} AND {_UNTOLD}, claim = 0 "
        "OR (claim > named AND claim >= new.first) OR (named >= new.first AND claim <= new.last))",
        "claim_reach_ms >= {reach:Int64}",
    ),
    "offers": (
        f"{_NEAR} AND (workflow_by_uri = 1 OR offer = 0 OR (offer > named AND offer >= new.first) "
        "OR (named >= new.first AND offer <= new.last))",
        "named_last_ms >= {soonest:Int64} AND named_first_ms <= {farthest:Int64}",
    ),
}
