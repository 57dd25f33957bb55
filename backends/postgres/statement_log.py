"""What events of no session say: claims, capability rows, payments, stake."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from backends.log import Card, Claim, Offer, Payment, Showing, Spot, Stake, Statements
from backends.postgres.handle import Handle, Session
from backends.postgres.tables import among, hashed
from backends.records import slot_of
from metrics.window import DAY_MS

Row = TypeVar("Row", Claim, Offer)
PAYMENT_COLUMNS = ", ".join(Payment._fields)


class StatementLog:
    """The part of the `Log` that keeps statements."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle
        # (source, envelope gateway) → senders; filled when first asked, forgotten when a payment is withdrawn.
        self._senders: dict[tuple[str, str], set[str]] | None = None

    def state(self, statements: Statements) -> None:
        def work(session: Session, ver: int) -> None:
            gone = list(statements.withdrawn)
            _put(session, "claims", Claim._fields, statements.claims, gone)
            _put(session, "offers", Offer._fields, statements.offers, gone)
            payments = [(*payment, slot_of(payment.at_ms)) for payment in statements.payments]
            _put(session, "payments", (*Payment._fields, "slot"), payments, gone)
            _put(session, "stakes", Stake._fields, statements.stakes, gone)

        self._handle.write("state", work)
        if statements.withdrawn:
            self.forget_senders()
        elif self._senders is not None:
            self._count_senders((p.source, p.gateway_name, p.sender) for p in statements.payments)

    def forget_senders(self) -> None:
        """Ask the store again for who pays under which name."""
        self._senders = None

    # Claims and offers

    def claims_around(self, spots: Sequence[Spot]) -> Mapping[Spot, Sequence[Claim]]:
        found = self._around("claims", "place", Claim._fields, spots, "")
        return {spot: sorted(Claim(*row) for row in rows) for spot, rows in found.items()}

    def offers_around(self, spots: Sequence[Spot], naming: str) -> Mapping[Spot, Sequence[Offer]]:
        named = {"gpu": "AND gpu <> ''", "workflow": "AND workflow <> ''"}[naming]
        found = self._around("offers", "uri", Offer._fields, spots, named)
        return {spot: sorted(Offer(*row) for row in rows) for spot, rows in found.items()}

    def _around(
        self, table: str, place: str, names: Sequence[str], spots: Sequence[Spot], test: str
    ) -> Mapping[Spot, Sequence[tuple[Any, ...]]]:
        """For each spot the rows of the nearest instants on both sides of it."""
        asked = list(dict.fromkeys(spots))
        found: dict[Spot, list[tuple[Any, ...]]] = {spot: [] for spot in asked}
        if not asked:
            return found
        sources, places, instants = (list(column) for column in zip(*asked, strict=True))
        there = f"{hashed(f'e.{place}')} = {hashed('w.place')} AND e.{place} = w.place AND e.source = w.source"
        near = (
            f"(SELECT e.at_ms FROM {table} AS e WHERE {there} {test} AND e.at_ms <= w.at_ms ORDER BY e.at_ms DESC "
            f"LIMIT 1) UNION ALL (SELECT e.at_ms FROM {table} AS e WHERE {there} {test} AND e.at_ms > w.at_ms "
            "ORDER BY e.at_ms LIMIT 1)"
        )
        rows = self._handle.query(
            f"{table} around",
            f"SELECT w.number - 1, {', '.join(f'e.{name}' for name in names)} FROM unnest(%(sources)s::text[], "
            "%(places)s::text[], %(instants)s::bigint[]) WITH ORDINALITY AS w(source, place, at_ms, number) "
            # The last part stands alone, so that it is looked up by its instant and not read whole for each spot.
            f"CROSS JOIN LATERAL ({near}) AS near CROSS JOIN LATERAL ("
            f"SELECT * FROM {table} AS e WHERE {there} AND e.at_ms = near.at_ms OFFSET 0) AS e",
            {"sources": sources, "places": places, "instants": instants},
        )
        for number, *row in rows:
            found[asked[number]].append(tuple(row))
        return found

    def claims_between(self, source: str, place: str, start_ms: int, end_ms: int) -> Sequence[str]:
        found = self._handle.query(
            "claims_between",
            f"SELECT DISTINCT wallet FROM claims WHERE {hashed('place')} = {hashed('%(place)s')} AND place = %(place)s "
            "AND source = %(source)s AND at_ms >= %(start)s AND at_ms <= %(end)s ORDER BY wallet",
            {"source": source, "place": place, "start": start_ms, "end": end_ms},
        )
        return [wallet for (wallet,) in found]

    def showings(self, source: str, uris: Iterable[str], start_ms: int, end_ms: int) -> Sequence[Showing]:
        rows = self._handle.query(
            "showings",
            f"SELECT DISTINCT uri, at_ms, gpu, gpu_model, workflow, wallet FROM offers WHERE "
            f"{among('uri', '%(uris)s::text[]')} AND source = %(source)s AND at_ms >= %(start)s AND at_ms < %(end)s "
            "ORDER BY uri, at_ms, gpu, gpu_model, workflow, wallet",
            {"source": source, "uris": sorted(set(uris)), "start": start_ms, "end": end_ms},
        )
        told: dict[tuple[str, int], list[Card]] = defaultdict(list)
        for uri, at_ms, *card in rows:
            told[uri, at_ms].append(Card(*card))
        found: list[Showing] = []
        for (uri, at_ms), cards in told.items():
            last = found[-1] if found else None
            same = last is not None and (last.uri, last.cards) == (uri, tuple(cards))
            if last is not None and same and at_ms - last.last_ms <= DAY_MS:
                found[-1] = last._replace(last_ms=at_ms)
            else:
                found.append(Showing(uri, at_ms, at_ms, tuple(cards)))
        return found

    # Payments

    def payments_by_request(self, source: str, request_ids: Iterable[str]) -> Sequence[Payment]:
        return self._payments("payments_by_request", source, "request_id", [id for id in request_ids if id])

    def payments_by_session(self, source: str, sessions: Iterable[tuple[str, str]]) -> Sequence[Payment]:
        wanted = {(recipient, session) for recipient, session in sessions if session}
        found = self._payments("payments_by_session", source, "session_id", [session for _, session in wanted])
        return [payment for payment in found if (payment.recipient, payment.session_id) in wanted]

    def _payments(self, name: str, source: str, column: str, values: Sequence[str]) -> Sequence[Payment]:
        if not values:
            return []
        sql = (
            f"SELECT {PAYMENT_COLUMNS} FROM payments WHERE {among(column, '%(values)s::text[]')} "
            "AND source = %(source)s ORDER BY at_ms, id"
        )
        return [Payment(*row) for row in self._handle.query(name, sql, {"values": values, "source": source})]

    def senders(self, source: str, gateway_names: Iterable[str]) -> Mapping[str, Sequence[str]]:
        if self._senders is None:
            self._senders = {}
            sql = "SELECT DISTINCT source, gateway_name, sender FROM payments WHERE sender <> ''"
            self._count_senders(self._handle.query("senders", sql))
        return {name: sorted(self._senders.get((source, name), ()))[:2] for name in gateway_names}

    def _count_senders(self, found: Iterable[tuple[Any, ...]]) -> None:
        assert self._senders is not None
        for source, name, sender in found:
            if sender:
                self._senders.setdefault((source, name), set()).add(sender)


def _put(
    session: Session,
    table: str,
    names: Sequence[str],
    rows: Sequence[Sequence[Any]],
    withdrawn: Sequence[tuple[str, str]],
) -> None:
    """What withdrawn events said goes; what is said is put beside the rest, in the place of what has its key."""
    source, id = names.index("source"), names.index("id")
    if withdrawn:
        session.run(
            f"forget withdrawn {table}",
            f"DELETE FROM {table} AS e USING unnest(%(sources)s::text[], %(ids)s::text[]) AS w(source, id) "
            f"WHERE {hashed('e.id')} = {hashed('w.id')} AND e.id = w.id AND e.source = w.source",
            {"sources": [one for one, _ in withdrawn], "ids": [one for _, one in withdrawn]},
        )
    if not rows:
        return
    more = {"claims": "place", "offers": "n"}.get(table)
    kind = "bigint" if more == "n" else "text"
    values: dict[str, object] = {"sources": [row[source] for row in rows], "ids": [row[id] for row in rows]}
    third = more or "source"
    values["thirds"] = [row[names.index(third)] for row in rows]
    session.run(
        f"forget {table}",
        f"DELETE FROM {table} AS e USING unnest(%(sources)s::text[], %(ids)s::text[], %(thirds)s::{kind}[]) "
        f"AS w(source, id, third) WHERE {hashed('e.id')} = {hashed('w.id')} AND e.id = w.id "
        f"AND e.source = w.source AND e.{third} = w.third",
        values,
    )
    session.copy(table, names, rows)
