"""Filters as clients write them: eq, ne, in, notIn and so on, with and, or, not."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Optional

import strawberry

from graph.enums import SessionOutcome
from graph.scalars import Address
from metrics.dimension import Dimension
from metrics.errors import BadRequest
from metrics.sighting import Trait
from metrics.window import to_ms
from resolvers import condition as c
from resolvers.condition import Condition
from resolvers.stream_filter import Both, Either, Ended, Has, Not, Started, StreamTest

UNSET: Any = strawberry.UNSET


def _field(description: str, name: str | None = None) -> Any:
    return strawberry.field(default=UNSET, description=description, name=name)


class _Choice:
    """What text filters share. A thing may have several values: eq, in ask for one of them, ne, notIn for none."""

    eq: Any
    ne: Any
    in_: Any
    not_in: Any
    contains: Any

    def passes(self, values: Sequence[str]) -> bool:
        """Do these values pass?"""
        return all(test(values) for test in self._tests())

    def _tests(self) -> Iterable[Callable[[Sequence[str]], bool]]:
        if self.eq is not UNSET:
            yield lambda values: not values if self.eq is None else self.eq in values
        if self.ne is not UNSET:
            yield lambda values: bool(values) if self.ne is None else self.ne not in values
        if self.in_ is not UNSET and self.in_ is not None:
            yield lambda values: any(value in self.in_ for value in values)
        if self.not_in is not UNSET and self.not_in is not None:
            yield lambda values: not any(value in self.not_in for value in values)
        if self.contains:
            part = self.contains.lower()
            yield lambda values: any(part in value.lower() for value in values)


@strawberry.input(description="A filter of texts.")
class TextFilter(_Choice):
    """By value, list or part."""

    eq: str | None = _field("Has this value; null: has none.")
    ne: str | None = _field("Does not have this value; null: has one.")
    in_: list[str] | None = _field("Has one of these values.", "in")
    not_in: list[str] | None = _field("Has none of these values.")
    contains: str | None = _field("Has a value with this in it, in any case.")


@strawberry.input(description="A filter of addresses.")
class AddressFilter(_Choice):
    """By wallet, in any case."""

    eq: Address | None = _field("Is this wallet.")
    ne: Address | None = _field("Is not this wallet.")
    in_: list[Address] | None = _field("Is one of these wallets.", "in")
    not_in: list[Address] | None = _field("Is none of these wallets.")
    contains: str | None = _field("Is a wallet with this in it, in any case.")


@strawberry.input(description="A filter of session outcomes.")
class OutcomeFilter:
    """By outcome."""

    eq: SessionOutcome | None = _field("Ended so.")
    ne: SessionOutcome | None = _field("Did not end so.")
    in_: list[SessionOutcome] | None = _field("Ended in one of these ways.", "in")
    not_in: list[SessionOutcome] | None = _field("Ended in none of these ways.")

    def passes(self, values: Sequence[str]) -> bool:
        """Does the outcome pass?"""
        return all(values[0] in names for names in self._allowed())

    def _allowed(self) -> Iterable[set[str]]:
        every = {one.name for one in SessionOutcome}
        if self.eq:
            yield {self.eq.name}
        if self.ne:
            yield every - {self.ne.name}
        if self.in_ is not UNSET and self.in_ is not None:
            yield {one.name for one in self.in_}
        if self.not_in is not UNSET and self.not_in is not None:
            yield every - {one.name for one in self.not_in}


@strawberry.input(description="A filter of times.")
class TimeFilter:
    """Within bounds."""

    eq: datetime | None = _field("At this very millisecond.")
    gt: datetime | None = _field("After this.")
    gte: datetime | None = _field("At or after this.")
    lt: datetime | None = _field("Before this.")
    lte: datetime | None = _field("At or before this.")

    @property
    def bounds(self) -> tuple[int | None, int | None]:
        """From the first millisecond that passes until the first behind it that does not."""
        starts = [to_ms(at) + more for at, more in ((self.eq, 0), (self.gte, 0), (self.gt, 1)) if at]
        ends = [to_ms(at) + more for at, more in ((self.eq, 1), (self.lt, 0), (self.lte, 1)) if at]
        return max(starts, default=None), min(ends, default=None)

    def passes(self, at_ms: int) -> bool:
        """Does the instant pass?"""
        since, until = self.bounds
        return (since is None or at_ms >= since) and (until is None or at_ms < until)


class _Filter:
    """What filters of entities share."""

    and_: Any
    or_: Any
    not_: Any

    def condition(self) -> Condition:
        """The filter as a condition: every field of it must hold."""
        return replace(self.test(), said=repr(self))

    def test(self) -> Condition:
        """The same, without what was written."""
        parts = [*self._own()]
        if self.and_:
            parts.append(c.all_of(one.test() for one in self.and_))
        if self.or_ is not UNSET and self.or_ is not None:
            parts.append(c.any_of(one.test() for one in self.or_))
        if self.not_:
            parts.append(c.negated(self.not_.test()))
        return c.all_of(parts)

    def _own(self) -> Iterable[Condition]:
        raise NotImplementedError

    def _times(self) -> Iterable[Condition]:
        for name, attribute in (("first_ms", "first_seen_at"), ("last_ms", "last_seen_at")):
            given: TimeFilter | None = getattr(self, attribute)
            if given:
                yield c.time(name, given.passes)

    def _traits(self, traits: dict[str, Trait]) -> Iterable[Condition]:
        for attribute, trait in traits.items():
            given: TextFilter | AddressFilter | None = getattr(self, attribute)
            if given:
                yield c.trait(trait, given.passes)


@strawberry.input(description="Which orchestrators; every field that is given must hold.")
class OrchestratorFilter(_Filter):
    """Of `orchestrators`."""

    address: AddressFilter | None = _field("Its wallet.")
    workflow: TextFilter | None = _field("A workflow that it was seen with.")
    region: TextFilter | None = _field("A region that it was seen in.")
    gpu_model: TextFilter | None = _field("A GPU model that it was seen with.")
    node_version: TextFilter | None = _field("A version of its node.")
    service_uri: TextFilter | None = _field("A service URI of it.")
    first_seen_at: TimeFilter | None = _field("When it was first seen.")
    last_seen_at: TimeFilter | None = _field("When it was last seen.")
    and_: Optional[list["OrchestratorFilter"]] = _field("All of these hold.", "and")
    or_: Optional[list["OrchestratorFilter"]] = _field("One of these holds.", "or")
    not_: Optional["OrchestratorFilter"] = _field("This does not hold.", "not")

    def _own(self) -> Iterable[Condition]:
        if self.address:
            yield c.key(self.address.passes)
        yield from self._times()
        yield from self._traits(
            {
                "workflow": Trait.WORKFLOW,
                "region": Trait.REGION,
                "gpu_model": Trait.GPU_MODEL,
                "node_version": Trait.NODE_VERSION,
                "service_uri": Trait.SERVICE_URI,
            }
        )


@strawberry.input(description="Which GPUs; every field that is given must hold.")
class GpuFilter(_Filter):
    """Of `gpus`."""

    gpu_id: TextFilter | None = _field("Its id.")
    model: TextFilter | None = _field("Its model.")
    orchestrator: AddressFilter | None = _field("An orchestrator that it was seen under.")
    workflow: TextFilter | None = _field("A workflow that it was seen with.")
    region: TextFilter | None = _field("A region that it was seen in.")
    first_seen_at: TimeFilter | None = _field("When it was first seen.")
    last_seen_at: TimeFilter | None = _field("When it was last seen.")
    and_: Optional[list["GpuFilter"]] = _field("All of these hold.", "and")
    or_: Optional[list["GpuFilter"]] = _field("One of these holds.", "or")
    not_: Optional["GpuFilter"] = _field("This does not hold.", "not")

    def _own(self) -> Iterable[Condition]:
        if self.gpu_id:
            yield c.key(self.gpu_id.passes)
        yield from self._times()
        yield from self._traits(
            {
                "model": Trait.GPU_MODEL,
                "orchestrator": Trait.ORCHESTRATOR,
                "workflow": Trait.WORKFLOW,
                "region": Trait.REGION,
            }
        )


@strawberry.input(description="Which workflows; every field that is given must hold.")
class WorkflowFilter(_Filter):
    """Of `workflows`."""

    name: TextFilter | None = _field("Its name: the model id.")
    pipeline: TextFilter | None = _field("Its pipeline.")
    orchestrator: AddressFilter | None = _field("An orchestrator that it was seen with.")
    region: TextFilter | None = _field("A region that it was seen in.")
    gpu_model: TextFilter | None = _field("A GPU model that it was seen with.")
    first_seen_at: TimeFilter | None = _field("When it was first seen.")
    last_seen_at: TimeFilter | None = _field("When it was last seen.")
    and_: Optional[list["WorkflowFilter"]] = _field("All of these hold.", "and")
    or_: Optional[list["WorkflowFilter"]] = _field("One of these holds.", "or")
    not_: Optional["WorkflowFilter"] = _field("This does not hold.", "not")

    def _own(self) -> Iterable[Condition]:
        if self.name:
            yield c.key(self.name.passes)
        yield from self._times()
        yield from self._traits(
            {
                "pipeline": Trait.PIPELINE,
                "orchestrator": Trait.ORCHESTRATOR,
                "region": Trait.REGION,
                "gpu_model": Trait.GPU_MODEL,
            }
        )


_OF_STREAM = {
    "workflow": Dimension.WORKFLOW,
    "orchestrator": Dimension.ORCHESTRATOR,
    "gateway": Dimension.GATEWAY,
    "region": Dimension.REGION,
    "gpu": Dimension.GPU,
}


@strawberry.input(
    description="Which streams: those with a session for which everything holds that is given, and that started then. "
    "A session without a workflow, region and so on passes no filter on it."
)
class StreamFilter:
    """Of `streams`."""

    started_at: TimeFilter | None = _field("When the stream started.")
    workflow: TextFilter | None = _field("The session's workflow.")
    orchestrator: AddressFilter | None = _field("The session's orchestrator.")
    gateway: TextFilter | None = _field("The session's gateway: its wallet in lower case, else its name.")
    region: TextFilter | None = _field("The session's region.")
    gpu: TextFilter | None = _field("The session's GPU.")
    outcome: OutcomeFilter | None = _field("How the session ended.")
    and_: Optional[list["StreamFilter"]] = _field("All of these hold.", "and")
    or_: Optional[list["StreamFilter"]] = _field("One of these holds.", "or")
    not_: Optional["StreamFilter"] = _field("This does not hold.", "not")

    def test(self) -> StreamTest:
        """The filter as a test of streams."""
        parts: list[StreamTest] = []
        for attribute, dimension in _OF_STREAM.items():
            given: TextFilter | AddressFilter | None = getattr(self, attribute)
            if given:
                if given.eq is None or given.ne is None:
                    raise BadRequest(f"filter.{attribute} cannot be compared with null here.", "filter")
                parts.append(Has(dimension, given.passes))
        if self.outcome:
            if self.outcome.eq is None or self.outcome.ne is None:
                raise BadRequest("filter.outcome cannot be compared with null: every session has one.", "filter")
            parts.append(Ended(self.outcome.passes))
        if self.started_at:
            parts.append(Started(*self.started_at.bounds))
        parts += [one.test() for one in self.and_ or ()]
        if self.or_ is not UNSET and self.or_ is not None:
            parts.append(Either(tuple(one.test() for one in self.or_)))
        if self.not_:
            parts.append(Not(self.not_.test()))
        return Both(tuple(parts))
