"""The log: lines for people, or one JSON object a line for programs. Both name the request they belong to."""

import json
import logging
from contextvars import ContextVar
from datetime import UTC, datetime

FORMATS = ("text", "json")
TEXT = "%(asctime)s %(levelname)s %(name)s: %(message)s"

# The request that is being answered.
REQUEST: ContextVar[str | None] = ContextVar("request", default=None)


class JsonLines(logging.Formatter):
    """One object a line: `at`, `level`, `logger`, `message`, `request_id`, `exception`, and what the record tells."""

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record."""
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "request_id": REQUEST.get(),
            "exception": self.formatException(record.exc_info) if record.exc_info else None,
            **getattr(record, "told", {}),
        }
        return json.dumps({name: value for name, value in line.items() if value is not None}, default=str)


def begin(level: str, form: str) -> None:
    """Log to standard error from here on. Each request has a line of its own in JSON, and in text at `debug`."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines() if form == "json" else logging.Formatter(TEXT))
    logging.basicConfig(level=level.upper(), handlers=[handler])
    is_told = form == "json" or level == "debug"
    logging.getLogger("naap.request").setLevel(level.upper() if is_told else "WARNING")
    # At each start it would say which parts of itself it has set up.
    logging.getLogger("alembic").setLevel(max(logging.WARNING, logging.getLogger().level))
