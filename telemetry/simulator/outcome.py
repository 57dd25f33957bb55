"""How a session ended, by what the simulation knows of it."""

from dataclasses import dataclass

LEAVE_WITHIN_MS = 5_000


@dataclass(slots=True)
class Course:
    """What has come to pass in one session so far."""

    named: bool = False
    segment: bool = False
    samples: int = 0
    output: bool = False
    refused: bool = False
    closed: bool = False
    errors: int = 0
    user_error: bool = False
    other_error: bool = False
    left_after_ms: int | None = None

    def left(self, after_ms: int) -> None:
        """The user left; only the first time counts."""
        if self.left_after_ms is None:
            self.left_after_ms = after_ms


def outcome(course: Course, silent: bool) -> str:
    """The outcome, as definitions.md orders them; `silent` says that five minutes passed without an event."""
    if course.output or (course.segment and not course.samples):
        return "served"
    if course.refused and not course.named:
        return "unserved"
    if not (course.closed or course.errors or silent):
        return "open"
    if course.segment:
        return "outputFailed"
    return "abandoned" if _given_up(course) else "startupFailed"


def _given_up(course: Course) -> bool:
    if not course.named or course.user_error:
        return True
    soon = course.left_after_ms is not None and course.left_after_ms <= LEAVE_WITHIN_MS
    return soon and not course.other_error
