"""What events of no session say: claims, capability rows, payments, stake."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from backends.clickhouse.handle import Handle
from backends.clickhouse.tide import Tide
from backends.log import Card, Claim, Offer, Payment, Showing, Spot, Stake, Statements
from backends.records import columns_of, slot_of
from backends.tables import CLAIMS, OFFERS, PATHS, PAYMENTS, STAKES, Table
from metrics.window import DAY_MS

CLAIM_COLUMNS, OFFER_COLUMNS, PAYMENT_COLUMNS = (", ".join(row._fields) for row in (Claim, Offer, Payment))
BY_REQUEST, BY_SESSION = "payment_request", "payment_session"
Row = TypeVar("Row", Claim, Offer)
# Snapshots of a URI in the order of time, and each run of them that says the same as one.
SHOWINGS = f"""
SELECT uri, min(at_ms) AS first_ms, max(at_ms) AS last_ms, any(cards) FROM (
  SELECT uri, at_ms, cards, sum(is_new) OVER (PARTITION BY uri ORDER BY at_ms) AS run FROM (
    SELECT uri, at_ms, cards,
      cards != lagInFrame(cards) OVER was OR at_ms - lagInFrame(at_ms) OVER was > {DAY_MS} AS is_new
    FROM (
      SELECT uri, at_ms, arraySort(groupUniqArray((gpu, toString(gpu_model), toString(workflow), toString(wallet))))
        AS cards
      FROM offers FINAL WHERE source = {{source:String}} AND uri IN (SELECT a FROM wanted)
        AND at_ms >= {{start:Int64}} AND at_ms < {{end:Int64}}
      GROUP BY uri, at_ms
    ) WINDOW was AS (PARTITION BY uri ORDER BY at_ms ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
  )
) GROUP BY uri, run ORDER BY uri, first_ms"""


class StatementLog:
    """The part of the `Log` that keeps statements."""

    def __init__(self, handle: Handle, tide: Tide) -> None:
        self._handle = handle
        self._tide = tide
        # (source, envelope gateway) → senders; filled when first asked, forgotten when a payment is withdrawn.
        self._senders: dict[tuple[str, str], set[str]] | None = None

    def state(self, statements: Statements) -> None:
        ver = self._tide.next()
        gone = _Withdrawn(self._handle, statements.withdrawn)
        self._put(CLAIMS, statements.claims, gone, Claim._fields, ver)
        self._put(OFFERS, statements.offers, gone, Offer._fields, ver)
        payments = [(slot_of(row.at_ms), *row) for row in statements.payments]
        self._file(statements.payments)
        self._put(PAYMENTS, payments, gone, ("slot", *Payment._fields), ver)
        self._put(STAKES, [tuple(row) for row in statements.stakes], gone, Stake._fields, ver)
        if statements.withdrawn:
            self._senders = None
        elif self._senders is not None:
            self._count_senders((p.source, p.gateway_name, p.sender) for p in statements.payments)

    def _put(
        self, table: Table, rows: Sequence[tuple[Any, ...]], gone: "_Withdrawn", names: Sequence[str], ver: int
    ) -> None:
        dead = gone.rows(table, names)
        if dead:
            key = [names.index(name) for name in table.key]
            kept = {tuple(row[index] for index in key) for row in rows}
            dead = [row for row in dead if tuple(row[index] for index in key) not in kept]
        columns = columns_of([*rows, *dead], names)
        if columns:
            flags = [0] * len(rows) + [1] * len(dead)
            self._handle.insert(table, {**columns, "ver": [ver] * len(flags), "deleted": flags})

    def _file(self, payments: Sequence[Payment]) -> None:
        paths = [(BY_REQUEST, p.request_id, slot_of(p.at_ms), p.id) for p in payments if p.request_id]
        paths += [
            (BY_SESSION, _pair(p.recipient, p.session_id), slot_of(p.at_ms), p.id) for p in payments if p.session_id
        ]
        if paths:
            self._handle.insert(PATHS, columns_of(paths, ("kind", "value", "slot", "owner")))

    # Claims and offers

    def claims_around(self, spots: Sequence[Spot]) -> Mapping[Spot, Sequence[Claim]]:
        rows = self._around("claims", "place", CLAIM_COLUMNS, spots, "")
        return _placed(spots, [Claim(*row) for row in rows], "place")

    def offers_around(self, spots: Sequence[Spot], naming: str) -> Mapping[Spot, Sequence[Offer]]:
        named = {"gpu": "AND gpu != ''", "workflow": "AND workflow != ''"}[naming]
        rows = self._around("offers", "uri", OFFER_COLUMNS, spots, named)
        return _placed(spots, [Offer(*row) for row in rows], "uri")

    def _around(
        self, table: str, place: str, columns: str, spots: Sequence[Spot], test: str
    ) -> Sequence[tuple[Any, ...]]:
        """The rows of the instants that are nearest to some spot."""
        if not spots:
            return []
        asked: dict[tuple[str, str], list[int]] = defaultdict(list)
        for source, name, at_ms in spots:
            asked[source, name].append(at_ms)
        self._handle.want(a=[key[0] for key in asked], b=[key[1] for key in asked])
        values = {"first": min(spot[2] for spot in spots), "last": max(spot[2] for spot in spots)}
        found = self._handle.query(
            f"{table} instants",
            # In a long history only the asked stretch comes back, and one instant on each side of it.
            f"SELECT source, {place}, maxIf(at_ms, at_ms < {{first:Int64}}), minIf(at_ms, at_ms > {{last:Int64}}), "
            "groupUniqArrayIf(at_ms, at_ms BETWEEN {first:Int64} AND {last:Int64}) "
            f"FROM {table} FINAL WHERE (source, {place}) IN (SELECT a, b FROM wanted) {test} GROUP BY source, {place}",
            values,
        )
        near = []
        for source, name, before, after, between in found:
            # 0: there is none on that side.
            instants = sorted({*between, *(at_ms for at_ms in (before, after) if at_ms)})
            near += [(source, name, at_ms) for at_ms in _nearest(instants, asked[source, name])]
        if not near:
            return []
        sources, places, times = (list(column) for column in zip(*near, strict=True))
        self._handle.want(a=sources, b=places, n=times)
        return self._handle.query(
            f"{table} around",
            f"SELECT {columns} FROM {table} FINAL WHERE (source, {place}, at_ms) IN (SELECT a, b, n FROM wanted) "
            f"ORDER BY {columns}",
        )

    def claims_between(self, source: str, place: str, start_ms: int, end_ms: int) -> Sequence[str]:
        found = self._handle.query(
            "claims_between",
            "SELECT DISTINCT wallet FROM claims FINAL WHERE source = {source:String} AND place = {place:String} "
            "AND at_ms >= {start:Int64} AND at_ms <= {end:Int64} ORDER BY wallet",
            {"source": source, "place": place, "start": start_ms, "end": end_ms},
        )
        return [wallet for (wallet,) in found]

    def showings(self, source: str, uris: Iterable[str], start_ms: int, end_ms: int) -> Sequence[Showing]:
        self._handle.want(a=sorted(set(uris)))
        found = self._handle.query("showings", SHOWINGS, {"source": source, "start": start_ms, "end": end_ms})
        return [Showing(uri, first, last, tuple(Card(*card) for card in cards)) for uri, first, last, cards in found]

    # Payments

    def payments_by_request(self, source: str, request_ids: Iterable[str]) -> Sequence[Payment]:
        return self._payments(
            source, BY_REQUEST, [id for id in request_ids if id], "request_id IN (SELECT a FROM wanted)"
        )

    def payments_by_session(self, source: str, sessions: Iterable[tuple[str, str]]) -> Sequence[Payment]:
        wanted = {(recipient, session) for recipient, session in sessions if session}
        found = self._payments(source, BY_SESSION, [_pair(*pair) for pair in wanted], "session_id != ''")
        return [payment for payment in found if (payment.recipient, payment.session_id) in wanted]

    def _payments(self, source: str, kind: str, values: Sequence[str], test: str) -> Sequence[Payment]:
        if not values:
            return []
        self._handle.want(a=values)
        found = self._handle.query(
            kind,
            f"SELECT {PAYMENT_COLUMNS} FROM payments FINAL WHERE (slot, id) IN (SELECT slot, owner FROM paths "
            "WHERE kind = {kind:String} AND value IN (SELECT a FROM wanted)) "
            f"AND source = {{source:String}} AND {test} ORDER BY at_ms, id",
            {"kind": kind, "source": source},
        )
        return [Payment(*row) for row in found]

    def senders(self, source: str, gateway_names: Iterable[str]) -> Mapping[str, Sequence[str]]:
        if self._senders is None:
            self._senders = {}
            sql = "SELECT DISTINCT source, gateway_name, sender FROM payments FINAL WHERE sender != ''"
            self._count_senders(self._handle.query("senders", sql))
        return {name: sorted(self._senders.get((source, name), ()))[:2] for name in gateway_names}

    def _count_senders(self, found: Iterable[tuple[Any, ...]]) -> None:
        assert self._senders is not None
        for source, name, sender in found:
            if sender:
                self._senders.setdefault((source, name), set()).add(sender)


class _Withdrawn:
    """The rows that withdrawn events left in a table."""

    def __init__(self, handle: Handle, events: Sequence[tuple[str, str]]) -> None:
        self._handle = handle
        self._events = events

    def rows(self, table: Table, names: Sequence[str]) -> Sequence[tuple[Any, ...]]:
        if not self._events:
            return []
        self._handle.want(a=[source for source, _ in self._events], b=[id for _, id in self._events])
        return self._handle.query(
            f"withdrawn {table.name}",
            f"SELECT {', '.join(names)} FROM {table.name} FINAL WHERE (source, id) IN (SELECT a, b FROM wanted)",
        )


def _pair(recipient: str, session_id: str) -> str:
    return f"{recipient}\n{session_id}"


def _nearest(instants: Sequence[int], asked: Iterable[int]) -> set[int]:
    """The instants next to any asked one, on both sides."""
    found: set[int] = set()
    for at_ms in asked:
        index = bisect_right(instants, at_ms)
        found.update(instants[max(0, index - 1) : index + 1])
    return found


def _placed(spots: Sequence[Spot], rows: Sequence[Row], named: str) -> dict[Spot, Sequence[Row]]:
    """For each spot the rows of the nearest instants on both sides of it."""
    by_place: dict[tuple[str, str], dict[int, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        by_place[row.source, getattr(row, named)][row.at_ms].append(row)
    found: dict[Spot, Sequence[Row]] = {}
    for spot in spots:
        near = by_place.get(spot[:2], {})
        chosen = sorted(_nearest(sorted(near), [spot[2]]))
        found[spot] = [row for at_ms in chosen for row in near[at_ms]]
    return found
