"""Questions: frozen values that say which sums are wanted. A question that exists is a valid one."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from metrics.dimension import INDEX, Dimension
from metrics.errors import BadRequest, TooComplex
from metrics.measure import Measure
from metrics.window import Grain, Window

MAX_BUCKETS = 20_000
Where = tuple[tuple[Dimension, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class Question:
    """The sums of `measures` in `window` by bucket of `grain` (None: in all) and dimensions, where these are given."""

    window: Window
    grain: Grain | None
    measures: tuple[Measure, ...]
    by: tuple[Dimension, ...] = ()
    where: Where = ()

    def __post_init__(self) -> None:
        if not self.measures:
            raise BadRequest("nothing is asked for: name at least one metric.", "metrics")
        if self.grain is not None and (points := self.window.count(self.grain)) > MAX_BUCKETS:
            raise TooComplex(
                f"window spans {points:,} buckets of {self.grain.name}; at most {MAX_BUCKETS:,}. "
                "Use a wider interval or a shorter window.",
                "interval",
            )

    @property
    def hourly(self) -> bool:
        """Is it about facts that last up to an hour? Of a store that is asked of all measures or of none."""
        return self.measures[0].column.hourly

    @classmethod
    def of(
        cls,
        measures: Iterable[Measure],
        window: Window,
        grain: Grain | None = None,
        by: Iterable[Dimension] = (),
        where: Mapping[Dimension, Iterable[str]] | None = None,
    ) -> "Question":
        """The question in its one form: measures, dimensions and values sorted and without doubles."""
        kept = sorted((where or {}).items(), key=lambda item: INDEX[item[0]])
        return cls(
            window=window,
            grain=grain,
            measures=tuple(sorted(set(measures))),
            by=tuple(sorted(set(by), key=INDEX.__getitem__)),
            where=tuple((dimension, tuple(sorted(set(values)))) for dimension, values in kept),
        )
