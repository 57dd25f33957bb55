"""Formulas: arithmetic over measures that knows what it reads and prints itself.

Inputs are exact integers and stay so until the one division at the end; a missing input or a division by zero gives
None.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from metrics.measure import Measure

Number = int | float
Inputs = Mapping[str, object]


class Formula:
    """Something that can be computed from measures."""

    __slots__ = ()

    def reads(self) -> frozenset[Measure]:
        """The measures this needs."""
        raise NotImplementedError

    def value(self, inputs: Inputs) -> Number | None:
        """The number for these inputs (measure name → integer), or None."""
        raise NotImplementedError

    def __add__(self, other: Formula | int) -> Formula:
        return Binary("+", self, of(other))

    def __sub__(self, other: Formula | int) -> Formula:
        return Binary("−", self, of(other))

    def __mul__(self, other: Formula | int) -> Formula:
        return Binary("×", self, of(other))

    def __rmul__(self, other: Formula | int) -> Formula:
        return Binary("×", of(other), self)

    def __truediv__(self, other: Formula | int) -> Formula:
        return Binary("/", self, of(other))


def of(thing: Formula | int) -> Formula:
    """A number as a formula."""
    return thing if isinstance(thing, Formula) else Constant(thing)


@dataclass(frozen=True, slots=True)
class Constant(Formula):
    """A number."""

    number: int

    def reads(self) -> frozenset[Measure]:
        return frozenset()

    def value(self, inputs: Inputs) -> Number | None:
        return self.number

    def __str__(self) -> str:
        return f"{self.number:,}".replace(",", " ") if self.number >= 10_000 else str(self.number)


@dataclass(frozen=True, slots=True)
class Binary(Formula):
    """Two formulas joined by an operator."""

    operator: str
    left: Formula
    right: Formula

    def reads(self) -> frozenset[Measure]:
        return self.left.reads() | self.right.reads()

    def value(self, inputs: Inputs) -> Number | None:
        left, right = self.left.value(inputs), self.right.value(inputs)
        if left is None or right is None:
            return None
        if self.operator == "/":
            return None if right == 0 else left / right
        if self.operator == "×":
            return left * right
        return left + right if self.operator == "+" else left - right

    def __str__(self) -> str:
        return f"({self.left} {self.operator} {self.right})"


@dataclass(frozen=True, slots=True)
class Root(Formula):
    """The square root of a formula that cannot be negative."""

    inner: Formula

    def reads(self) -> frozenset[Measure]:
        return self.inner.reads()

    def value(self, inputs: Inputs) -> Number | None:
        inner = self.inner.value(inputs)
        return None if inner is None else math.sqrt(max(inner, 0))

    def __str__(self) -> str:
        return f"√{self.inner}"


@dataclass(frozen=True, slots=True)
class AtLeast(Formula):
    """A formula that has no value while there is less evidence than `least`."""

    evidence: Formula
    least: int
    inner: Formula

    def reads(self) -> frozenset[Measure]:
        return self.inner.reads() | self.evidence.reads()

    def value(self, inputs: Inputs) -> Number | None:
        evidence = self.evidence.value(inputs)
        return None if evidence is None or evidence < self.least else self.inner.value(inputs)

    def __str__(self) -> str:
        return f"{self.inner} where {self.evidence} ≥ {self.least}"


@dataclass(frozen=True, slots=True)
class AtMost(Formula):
    """A formula of which more than `most` can only come of what was stated wrongly."""

    most: int
    inner: Formula

    def reads(self) -> frozenset[Measure]:
        return self.inner.reads()

    def value(self, inputs: Inputs) -> Number | None:
        inner = self.inner.value(inputs)
        return None if inner is None else min(inner, self.most)

    def __str__(self) -> str:
        return f"min({self.most}, {self.inner})"


@dataclass(frozen=True, slots=True)
class FirstOf(Formula):
    """The first formula where it has a value, else the second."""

    first: Formula
    second: Formula

    def reads(self) -> frozenset[Measure]:
        return self.first.reads() | self.second.reads()

    def value(self, inputs: Inputs) -> Number | None:
        first = self.first.value(inputs)
        return self.second.value(inputs) if first is None else first

    def __str__(self) -> str:
        return f"{self.first}, else {self.second}"


def mean(total: Measure, count: Measure, scale: int) -> Formula:
    """The mean in the metric's unit: one division of exact integers."""
    return total / (count * scale if scale != 1 else count)


def deviation(count: Measure, total: Measure, squares: Measure, scale: int) -> Formula:
    """The population standard deviation: √(n·Σx² − (Σx)²) / n."""
    spread = Root(count * squares - total * total)
    return spread / (count * scale if scale != 1 else count)
