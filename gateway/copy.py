"""`naap copy`: a store's content, or a part of it, into another store; resumable, and checked at the end."""

import asyncio
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import click

from backends.contents import Box, Shelf, Tally
from backends.copying import BEGINNING, Mark, Origin, copy, tallied
from backends.part import WHOLE, Part, part_of, told
from gateway.elsewhere import elsewhere
from gateway.places import is_embedded, places_of, shown
from gateway.progress import Progress
from gateway.settings import Settings
from gateway.store import Store, open_store
from metrics.errors import BadRequest, GatewayError, StoreUnavailable
from metrics.window import from_ms

SHOWN = 10


def run(settings: Settings, origin_url: str, target_url: str, where: Sequence[str], restart: bool) -> int:
    """Copy, check and print what became of it; 1 where the two differ at the end."""
    part = part_of([_pair(one) for text in where for one in text.split()], "--where")
    origin_url, target_url = _url(origin_url, "FROM"), _url(target_url, "TO")
    if is_embedded(origin_url) and not (path := Path(origin_url.partition("://")[2]).expanduser()).exists():
        raise BadRequest(f"FROM: {path} does not exist.", "FROM")
    if origin_url == target_url:
        raise BadRequest("FROM and TO are the same store.", "TO")
    state = State.of(origin_url, target_url, part)
    if restart:
        state.forget()
    with _origin(settings, origin_url, target_url) as origin, _opened(settings, target_url, "TO") as target:
        _check_settled(origin, target, state)
        _copied(origin, target, part, state)
        differing, tally = _compared(origin, target, part, state.count)
    # Also where they differ: the same command then begins anew.
    state.forget()
    for text in _counted(tally):
        click.echo(text)
    if not differing:
        click.echo("verified: counts and checksums of FROM and TO agree")
        return 0
    for box in differing[:SHOWN]:
        click.echo(f"differs: {_named(box)}", err=True)
    if len(differing) > SHOWN:
        click.echo(f"… and {len(differing) - SHOWN:,} more", err=True)
    click.echo(
        "naap: FROM and TO do not agree. Either FROM changed meanwhile: run the same command again. Or TO holds other "
        "rows of the same source and day: copy into an empty store, or give --where what TO lacks.",
        err=True,
    )
    return 1


class State:
    """How far a copy got, kept in a small file of the user's; nothing of a URL is written there."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.mark, self.count = self._read()

    @classmethod
    def of(cls, origin_url: str, target_url: str, part: Part) -> "State":
        """The state of the copy with these arguments."""
        name = sha256(json.dumps([origin_url, target_url, told(part)]).encode()).hexdigest()[:24]
        home = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
        return cls(Path(home).expanduser() / "naap" / f"copy-{name}.json")

    @property
    def begun(self) -> bool:
        """Has this copy been begun before?"""
        return self._path.exists()

    def keep(self, mark: Mark, count: int) -> None:
        """Remember how far it is, all at once."""
        self.mark, self.count = mark, count
        self._path.parent.mkdir(parents=True, exist_ok=True)
        new = self._path.with_suffix(".new")
        new.write_text(json.dumps({"shelf": mark.shelf.value, "after": mark.after, "count": count}), "utf-8")
        new.replace(self._path)

    def forget(self) -> None:
        """Begin anew the next time."""
        self._path.unlink(missing_ok=True)
        self.mark, self.count = BEGINNING, 0

    def _read(self) -> tuple[Mark, int]:
        try:
            kept = json.loads(self._path.read_text("utf-8"))
            after = None if kept["after"] is None else tuple(kept["after"])
            return Mark(Shelf(kept["shelf"]), after), int(kept["count"])
        except (FileNotFoundError, KeyError, TypeError, ValueError):
            return BEGINNING, 0


def _copied(origin: Origin, target: Store, part: Part, state: State) -> None:
    if state.count:
        click.echo(f"going on behind {state.count:,} items that were copied before", err=True)
    total = sum(origin.size(shelf, part) for shelf in Shelf)
    if not total:
        raise BadRequest("FROM holds nothing" + (" of what --where names." if part != WHOLE else "."), "FROM")
    progress = Progress("copying", total, noun="items")
    progress.advance(state.count)

    def step(mark: Mark | None, count: int) -> None:
        progress.advance(count)
        # Behind the last shelf there is nothing to go on with: what is left is to compare.
        state.keep(mark or state.mark, state.count + count)

    state.keep(state.mark, state.count)
    try:
        copy(origin, target, part, state.mark, step)
    finally:
        progress.done()


def _compared(origin: Origin, target: Store, part: Part, count: int) -> tuple[list[Box], Tally]:
    progress = Progress("checking", 2 * count, noun="items")
    try:
        ours, theirs = tallied(origin, part, progress.advance), tallied(target, part, progress.advance)
    finally:
        progress.done()
    return ours.differing(theirs), ours


def _check_settled(origin: Origin, target: Store, state: State) -> None:
    """Facts are copied as they are: what is not derived yet would never be."""
    if getattr(origin, "pending")(1):  # noqa: B009  # of a store here, or of one elsewhere
        raise StoreUnavailable(
            "FROM has events that are not counted yet. Let it finish: stop what loads it, run `naap migrate` with "
            "NAAP_BACKEND set to FROM, then copy again."
        )
    if not state.begun and target.pending(1):
        raise StoreUnavailable(
            "TO has events that are not counted yet. Let it finish: stop what loads it, run `naap migrate` with "
            "NAAP_BACKEND set to TO, then copy again."
        )


@contextmanager
def _origin(settings: Settings, url: str, target_url: str) -> Iterator[Any]:
    """FROM, to be read. Of two embedded stores it is read by a process of its own: a process can open one."""
    if is_embedded(url) and is_embedded(target_url):
        with ExitStack() as stack:
            with _named_in_errors("FROM"):
                origin = stack.enter_context(elsewhere(url))
            yield origin
        return
    with _opened(settings, url, "FROM") as store:
        yield store


@contextmanager
def _opened(settings: Settings, url: str, argument: str) -> Iterator[Store]:
    with _named_in_errors(argument):
        store = open_store(url, settings)
    try:
        yield store
    finally:
        asyncio.run(store.close())


@contextmanager
def _named_in_errors(argument: str) -> Iterator[None]:
    try:
        yield
    except GatewayError as error:
        raise type(error)(f"{argument}: {error}") from error


def _url(text: str, argument: str) -> str:
    try:
        places = places_of(text)
    except BadRequest as error:
        raise BadRequest(f"{argument}: {error}", argument) from None
    if len(places) > 1:
        raise BadRequest(f"{argument} names several stores; copy from one into one.", argument)
    if places[0].url != text.strip():
        raise BadRequest(f"{argument}: say which part is copied with --where, not in the URL.", argument)
    if shown(text).rstrip("/") == "chdb:":
        raise BadRequest(
            f"{argument}: a store in memory is empty before and gone afterwards. Name a directory.", argument
        )
    return places[0].url


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise BadRequest(
            f"--where {text!r} must be like source=NAME, region=NAME, from=2026-01-10T00:00:00Z or until=….", "--where"
        )
    return key, value


def _counted(tally: Tally) -> Iterator[str]:
    for shelf in Shelf:
        yield f"{shelf.value:<12} {sum(count for box, (count, _) in tally.boxes.items() if box.shelf is shelf)}"


def _named(box: Box) -> str:
    when = f" on {from_ms(box.day_ms).date()}" if box.day_ms else ""
    return f"{box.shelf.value} of source {box.source}{when}"
