"""`NAAP_BACKEND`: one store, or several, each with a name that may be shown and what it states that it holds."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

from backends.part import KEYS, WHOLE, Part, part_of
from gateway.masked import masked
from metrics.errors import BadRequest

BACKEND = "NAAP_BACKEND"
# Addresses may hold commas themselves (several hosts of one server): a URL begins with a scheme.
BETWEEN = re.compile(r"\s*,\s*(?=[a-z][a-z0-9+.-]*://)")
NAME, WRITES = "name", "writes"
PARAMETERS = (NAME, WRITES, *KEYS)
NAMED = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
MOST = 32


@dataclass(frozen=True, slots=True)
class Place:
    """One store: how it is opened, what it is called, and what it holds. Only the name is ever shown."""

    url: str
    name: str
    part: Part = WHOLE
    writes: bool = False


def places_of(text: str) -> tuple[Place, ...]:
    """The stores that a value of NAAP_BACKEND names. Raises BadRequest."""
    urls = BETWEEN.split(text.strip())
    if len(urls) > MOST:
        raise BadRequest(f"{BACKEND} names {len(urls)} stores; at most {MOST}.", BACKEND)
    found = tuple(_place(url, number) for number, url in enumerate(urls, 1))
    for one in found:
        if sum(other.name == one.name for other in found) > 1:
            raise BadRequest(f"{BACKEND} names two stores {one.name!r}. Give each its own ?name=….", BACKEND)
    if sum(one.writes for one in found) > 1:
        raise BadRequest(f"{BACKEND} marks several stores with writes=true. New events go to one: mark one.", BACKEND)
    if len(found) > 1 and sum(is_embedded(one.url) for one in found) > 1:
        raise BadRequest(
            f"{BACKEND} names several embedded stores (chdb://), but a process can open one. Keep one of them, and "
            "copy the others into it or into a server: naap copy chdb:///one chdb:///other.",
            BACKEND,
        )
    return found


def is_embedded(url: str) -> bool:
    """Whether this store belongs to one process."""
    return url.partition(":")[0] == "chdb"


def is_clickhouse(url: str) -> bool:
    """Whether this store is a ClickHouse server or cluster."""
    return url.partition(":")[0] in ("clickhouse", "clickhouses")


def is_several(text: str) -> bool:
    """Are the answers put together, of several stores or of a stated part of one?"""
    places = places_of(text)
    return len(places) > 1 or places[0].part != WHOLE


def written(text: str) -> Place:
    """The store that new events go to. Raises BadRequest where there is none."""
    places = places_of(text)
    if len(places) == 1:
        return places[0]
    for place in places:
        if place.writes:
            return place
    raise BadRequest(
        f"{BACKEND} names several stores and marks none for writing. Name the one that is meant alone, or mark it with "
        "?writes=true.",
        BACKEND,
    )


def shown(text: str) -> str:
    """What NAAP_BACKEND names, without anything secret: names of several, the one's URL without user and query."""
    places = places_of(text)
    if len(places) > 1:
        return ", ".join(place.name for place in places)
    return masked(places[0].url)


def _place(text: str, number: int) -> Place:
    argument = f"{BACKEND}, store {number}"
    if not text:
        raise BadRequest(f"{argument} is blank. Name a store by its URL, or leave out the comma.", BACKEND)
    if text.endswith(","):
        raise BadRequest(f"{argument} is followed by a blank one. Name it by its URL, or leave out the comma.", BACKEND)
    if not any(f"{key}=" in text for key in (*KEYS, NAME, WRITES)):
        return Place(text, f"store-{number}")
    try:
        parts = urlsplit(text)
    except ValueError:
        raise BadRequest(f"{argument} is no URL.", BACKEND) from None
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    own = [(key, value) for key, value in pairs if key in KEYS]
    name, writes = _once(pairs, NAME, argument), _once(pairs, WRITES, argument)
    if name is not None and not NAMED.fullmatch(name):
        raise BadRequest(
            f"{argument}: name {name[:60]!r} must be up to 40 letters, digits, - and _. It is shown to everybody.",
            BACKEND,
        )
    if writes not in (None, "true", "false"):
        raise BadRequest(f"{argument}: writes must be true or false.", BACKEND)
    rest = "&".join(_written(pair) for pair in pairs if pair[0] not in (*KEYS, NAME, WRITES))
    url = urlunsplit(parts._replace(query=rest))
    if not parts.netloc and parts.path:
        # urlunsplit drops the empty host of scheme:///path for schemes that it does not know.
        url = url.replace(f"{parts.scheme}:{parts.path}", f"{parts.scheme}://{parts.path}", 1)
    return Place(url, name or f"store-{number}", part_of(own, BACKEND, argument), writes == "true")


def _once(pairs: Iterable[tuple[str, str]], key: str, argument: str) -> str | None:
    values = [value for name, value in pairs if name == key]
    if len(values) > 1:
        raise BadRequest(f"{argument}: {key} is given more than once.", BACKEND)
    return values[0] if values else None


def _written(pair: tuple[str, str]) -> str:
    return "=".join(quote(text, safe="") for text in pair)
