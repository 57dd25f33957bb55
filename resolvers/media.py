"""Which media type an answer gets: what `format` names, else the best that Accept allows."""

from collections.abc import Sequence
from functools import lru_cache

from metrics.errors import BadRequest

REMEMBERED, REMEMBERED_LENGTH = 256, 512
JSON, CSV = "application/json", "text/csv"


class NotAcceptable(BadRequest):
    """The caller accepts nothing that is offered."""

    status = 406


def chosen(accept: str, offered: Sequence[str]) -> str:
    """The offered type that an Accept header likes best, the first of equals. Raises NotAcceptable."""
    # Clients say the same again and again.
    return (_chosen if len(accept) <= REMEMBERED_LENGTH else _chosen.__wrapped__)(accept, tuple(offered))


@lru_cache(REMEMBERED)
def _chosen(accept: str, offered: tuple[str, ...]) -> str:
    ranges = [_range(part) for part in accept.split(",") if part.strip()] or [("*/*", 1.0)]
    liked = {media: _quality(media, ranges) for media in offered}
    best = max(offered, key=lambda media: liked[media])
    if liked[best] <= 0:
        raise NotAcceptable(f"answers here are {' or '.join(offered)}: accept one of them.", "Accept")
    return best


def weights(header: str) -> dict[str, float]:
    """How much each name in a header of preferences is liked, from 0 to 1."""
    return dict(_range(part) for part in header.split(",") if part.strip())


def _quality(media: str, ranges: Sequence[tuple[str, float]]) -> float:
    """How much a type is liked: the most telling range that it falls in says so."""
    family = f"{media.partition('/')[0]}/*"
    for wanted in (media, family, "*/*"):
        said = [quality for name, quality in ranges if name == wanted]
        if said:
            return max(said)
    return 0.0


def _range(part: str) -> tuple[str, float]:
    name, *parameters = (piece.strip().lower() for piece in part.split(";"))
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip() == "q":
            return name, _weight(value.strip())
    return name, 1.0


def _weight(text: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        return 0.0
    return weight if 0 <= weight <= 1 else 0.0
