"""Payments and incidents of an orchestrator: pages of them, the latest first, over the window of the first page."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from backends.backend import IncidentRecord, PageQuestion, PaymentRecord, Position
from metrics import columns as c
from metrics.dimension import Dimension
from metrics.errors import BadRequest
from metrics.window import Window
from resolvers.context import Context, Inside
from resolvers.measured import Measures, read
from resolvers.page import Page, Slice, decoded, encoded, foreign

Record = TypeVar("Record", bound=PaymentRecord | IncidentRecord)
PAYMENTS = Measures(c.PAYMENTS.measures)
# What is told of a log that a runner wrote without end.
MOST_LINES, MOST_LETTERS = 200, 4_000


@dataclass(frozen=True, slots=True)
class WalletList:
    """Whose list is asked for over which window; `said` is the window as it was written."""

    name: str
    wallet: str
    window: Window
    said: str

    @property
    def scheme(self) -> str:
        """What a cursor belongs to."""
        return f"{self.name} {self.wallet} {self.said}"


@dataclass(frozen=True, slots=True)
class Incident:
    """An error event, or a rise of a restart counter, with the text and the log lines of its event."""

    record: IncidentRecord
    stream_id: str | None
    request_id: str | None
    text: str | None
    logs: Sequence[str]


async def payments(
    context: Context, wanted: WalletList, page: Slice
) -> tuple[Page[PaymentRecord], Callable[[], Awaitable[int]]]:
    """A page of payments, and what counts them all."""
    question = _question(wanted, page)
    records = await context.payments(question)
    window = Window.of_ms(question.start_ms, question.end_ms)

    async def total() -> int:
        rows = await read(context, {Dimension.ORCHESTRATOR: (wanted.wallet,)}, window, PAYMENTS)
        counted: Any = rows[0].sums[PAYMENTS[0].name] if rows else 0
        return int(counted)

    return _page(wanted, question, page, records), total


async def incidents(
    context: Context, wanted: WalletList, page: Slice
) -> tuple[Page[Incident], Callable[[], Awaitable[int]]]:
    """A page of incidents, and what counts them all."""
    question = _question(wanted, page)
    found = _page(wanted, question, page, await context.incidents(question))
    alike = PageQuestion(question.wallets, question.start_ms, question.end_ms)
    return found.map(lambda record: incident(record, context.insides)), lambda: context.incident_count(alike)


def incident(record: IncidentRecord, insides: Callable[[bytes], Inside]) -> Incident:
    """What the event of an incident says. A restart tells the error that went before it, where one is stated."""
    inside = insides(record.body)
    logs = [_shortened(line) for line in inside.logs[-MOST_LINES:]] if record.restarts is not None else []
    text = None if inside.error is None else _shortened(inside.error)
    return Incident(record, inside.stream_id or None, inside.request_id or None, text, logs)


def _shortened(text: str) -> str:
    return text if len(text) <= MOST_LETTERS else text[: MOST_LETTERS - 1] + "…"


def _question(wanted: WalletList, page: Slice) -> PageQuestion:
    window, after = wanted.window, None
    if page.after is not None:
        try:
            start_ms, end_ms, at_ms, source, text = decoded(wanted.scheme, page.after, "after")
            window, after = Window.of_ms(int(start_ms), int(end_ms)), (int(at_ms), str(source), str(text))
        except (TypeError, ValueError, OverflowError, BadRequest):
            raise foreign("after") from None
    return PageQuestion((wanted.wallet,), window.start_ms, window.end_ms, after, page.size + 1)


def _page(wanted: WalletList, question: PageQuestion, page: Slice, records: Sequence[Record]) -> Page[Record]:
    at = question.start_ms, question.end_ms
    items = [(encoded(wanted.scheme, [*at, *_place(record)]), record) for record in records[: page.size]]
    return Page(items, has_next=len(records) > page.size, has_previous=page.after is not None)


def _place(record: PaymentRecord | IncidentRecord) -> Position:
    return record.at_ms, record.source, record[3]
