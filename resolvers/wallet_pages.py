"""Pages of what belongs to a wallet. Those of one shape (window, place, size) are one read for all wallets."""

from asyncio import gather
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from backends.backend import IncidentRecord, PageQuestion, PaymentRecord
from metrics.errors import TooComplex

MAX_RECORDS = 20_000

Record = TypeVar("Record", PaymentRecord, IncidentRecord)
Merged = Mapping[PageQuestion, Sequence[PageQuestion]]


def together(questions: Sequence[PageQuestion]) -> Merged:
    """The read that answers each of these questions, with its askers."""
    shapes: dict[PageQuestion, list[PageQuestion]] = defaultdict(list)
    for question in questions:
        shapes[replace(question, wallets=())].append(question)
    return {
        replace(shape, wallets=tuple(sorted({name for one in askers for name in one.wallets}))): askers
        for shape, askers in shapes.items()
    }


async def paged(
    merged: Merged, read: Callable[[PageQuestion], Awaitable[Sequence[Record]]]
) -> Mapping[PageQuestion, list[Record] | Exception]:
    """What each asker gets of the pages that are read together."""
    answers: dict[PageQuestion, list[Record] | Exception] = {}

    async def one(question: PageQuestion, askers: Sequence[PageQuestion]) -> None:
        try:
            _check(question)
            found: dict[str, list[Record]] = defaultdict(list)
            for record in await read(question):
                found[record[0]].append(record)
            answers.update({asker: [record for name in asker.wallets for record in found[name]] for asker in askers})
        except Exception as error:
            answers.update(dict.fromkeys(askers, error))

    await gather(*(one(question, askers) for question, askers in merged.items()))
    return answers


async def counted(
    questions: Sequence[PageQuestion], read: Callable[[PageQuestion], Awaitable[Mapping[str, int]]]
) -> Mapping[PageQuestion, int | Exception]:
    """How many each asker has; windows that are alike are one read."""
    answers: dict[PageQuestion, int | Exception] = {}
    for question, askers in together(questions).items():
        try:
            found = await read(question)
            answers.update({asker: sum(found.get(name, 0) for name in asker.wallets) for asker in askers})
        except Exception as error:
            answers.update(dict.fromkeys(askers, error))
    return answers


def _check(question: PageQuestion) -> None:
    if len(question.wallets) * question.limit > MAX_RECORDS:
        raise TooComplex(
            f"{len(question.wallets):,} pages of {question.limit:,} are more than {MAX_RECORDS:,} records at once. "
            "Give a smaller first, or ask for fewer orchestrators at a time.",
            "first",
        )
