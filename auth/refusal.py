"""A login or a token that is refused, with a word for the audit log beside the message for the caller."""

from metrics.errors import Unauthenticated


class Refused(Unauthenticated):
    """Who asks could not show who they are. `reason` is one word, never anything that was sent."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
