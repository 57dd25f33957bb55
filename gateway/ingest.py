"""`naap ingest`: files into the store, or into a gateway that holds it."""

import sys
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import click

from gateway.progress import Progress
from gateway.remote import Remote
from gateway.settings import Settings
from gateway.store import opened
from metrics.errors import BadRequest, GatewayError, StoreInUse
from rest.params import source as checked_source
from telemetry.files import lines
from telemetry.loader import Report
from telemetry.stake import stake_events

STDIN = "-"
SHOWN = 10
THROUGH_THE_SERVER = "If that is `naap serve`, load through it: naap ingest --to http://127.0.0.1:8000 FILE …"
Step = Callable[[Report], None]
Load = Callable[[Iterable[bytes], Progress, Step], Report]


def run(
    settings: Settings, paths: Sequence[str], stakes: Sequence[str], source: str, url: str | None, strict: bool
) -> int:
    """Load every path and print what became of it; 1 where something was rejected and `strict` asks for it."""
    _check_source(source)
    _check_input([*paths, *stakes])
    _check_files(paths, "PATH", "naap ingest {path}/*")
    _check_files(stakes, "--stake", "--stake {path}/FILE")
    total, done = Report(), False
    with _remote(settings, source, url) if url is not None else _local(settings, source) as load:
        try:
            for path in paths:
                _load_one(load, path, total, Readable)
            for path in stakes:
                _load_one(load, path, total, Rows)
            done = True
        finally:
            # Also where a file broke off or the store gave up: what was kept before that is kept.
            if done or url is None or total != Report():
                for text in told(total):
                    click.echo(text)
    return 1 if strict and total.rejected_by_reason else 0


def _load_one(load: Load, path: str, total: Report, reading: type["Readable"]) -> None:
    """Load a path and add what became of it to the total, also where that ends in an error."""
    progress = Progress("standard input" if path == STDIN else Path(path).name, _size(path))
    whole = reading(lines(path, progress.read, every=reading is Rows), path)
    reports = [Report()]
    try:
        reports.append(load(progress.over(whole), progress, reports.append))
    finally:
        progress.done()
        rejected = reports[-1].rejected
        for line, reason in rejected[:SHOWN]:
            click.echo(f"{path}: line {whole.line_of(line)}: {reason}", err=True)
        if (more := reports[-1].rejected_by_reason.total() - SHOWN) > 0:
            click.echo(f"{path}: … and {more:,} more", err=True)
        total.add(reports[-1])
    if whole.error is not None:
        raise whole.error


class Readable:
    """The lines of a file as far as they can be read: they end before an error, which is kept for later.

    Lines are loaded some thousands at a time; an error among them would take those before it along.
    """

    def __init__(self, found: Iterable[bytes], name: str) -> None:
        self._found = found
        self._name = name
        self.error: GatewayError | None = None

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._events()
        except GatewayError as error:
            self.error = error

    def line_of(self, number: int) -> int:
        """The line of the file that the so many-th event came from."""
        return number

    def _events(self) -> Iterable[bytes]:
        return self._found


class Rows(Readable):
    """The same of a file of stake: its rows as events."""

    def __init__(self, found: Iterable[bytes], name: str) -> None:
        super().__init__(found, name)
        self._lines = array("Q")

    def line_of(self, number: int) -> int:
        """The line of the row; one line may hold an array of rows."""
        return self._lines[number - 1]

    def _events(self) -> Iterator[bytes]:
        for line, event in stake_events(self._found, self._name):
            self._lines.append(line)
            yield event


def told(report: Report) -> list[str]:
    """What became of a load, a line each."""
    counts = {"accepted": report.accepted, "duplicate": report.duplicate, "conflicting": report.conflicting}
    counts["rejected"] = report.rejected_by_reason.total()
    texts = [f"{name:<12} {number}" for name, number in counts.items()]
    texts += [f"  {reason:<18} {number}" for reason, number in sorted(report.rejected_by_reason.items())]
    if report.unknown_types:
        named = ", ".join(f"{name} {number}" for name, number in sorted(report.unknown_types.items())[:SHOWN])
        texts.append(f"unknown types (kept, not used): {named}")
    return texts


def _check_source(source: str) -> None:
    try:
        checked_source(source, "source")
    except BadRequest as error:
        raise BadRequest(f"--{error}", "--source") from None


def _check_input(paths: Sequence[str]) -> None:
    if paths.count(STDIN) > 1:
        raise BadRequest("- (standard input) is given more than once.", "PATH")
    if STDIN in paths and sys.stdin.isatty():
        raise BadRequest("standard input is a terminal. Pipe events into it: naap simulate | naap ingest -", "PATH")


def _check_files(paths: Sequence[str], argument: str, instead: str) -> None:
    """Refuse before anything is loaded: a typing error in the third path should not leave two loaded."""
    for path in paths:
        if path != STDIN and Path(path).is_dir():
            raise BadRequest(f"{path} is a directory. Name its files: {instead.format(path=path)}", argument)
        if path != STDIN and not Path(path).exists():
            raise BadRequest(f"{path} does not exist.", argument)


def _size(path: str) -> int | None:
    """How many bytes will be read, where that can be known beforehand."""
    return Path(path).stat().st_size if path != STDIN and Path(path).is_file() else None


@contextmanager
def _remote(settings: Settings, source: str, url: str) -> Iterator[Load]:
    remote = Remote(url, source, settings.token)

    def load(events: Iterable[bytes], progress: Progress, step: Step) -> Report:
        remote.say, remote.warn = progress.say, progress.warn
        return remote.load(events, step)

    yield load


@contextmanager
def _local(settings: Settings, source: str) -> Iterator[Load]:
    with ExitStack() as stack:
        try:
            loader = stack.enter_context(opened(settings))
        except StoreInUse as error:
            raise StoreInUse(f"{error} {THROUGH_THE_SERVER}") from error

        def load(events: Iterable[bytes], progress: Progress, step: Step) -> Report:
            report = loader.load(source, events, step)
            progress.say("deriving …")
            loader.derive()
            return report

        yield load
