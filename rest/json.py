"""JSON as REST writes it."""

import orjson
from starlette.responses import Response


def encoded(content: object) -> bytes:
    """The bytes of a JSON document."""
    return orjson.dumps(content)


class Json(Response):
    """A JSON response."""

    media_type = "application/json"

    def render(self, content: object) -> bytes:
        return encoded(content)
