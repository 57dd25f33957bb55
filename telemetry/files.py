"""Files of events: NDJSON or one JSON array, plain, gzip or zstd. Read piece by piece, whatever their size."""

import gzip
import io
import json
import re
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import zstandard

from metrics.errors import BadRequest

MAX_LINE = 2**20
PIECE = 2**18
_MARKS = re.compile(r'["{}\[\]\\]')
_DECODER = json.JSONDecoder()
Watch = Callable[[int], None]


def lines(path: str, watch: Watch | None = None, every: bool = False) -> Iterator[bytes]:
    """The lines (or array elements) of a file, or of standard input for "-". A line is cut after MAX_LINE + 1 bytes.

    `watch` is told how many bytes of the file were read since the last time. Blank lines are left out, unless `every`
    line is wanted. Raises BadRequest with what to do instead.
    """
    if Path(path).is_dir():
        raise BadRequest(
            f"{path} is a directory. Name the files in it, for example {path.rstrip('/')}/*.ndjson.", "PATH"
        )
    try:
        if path == "-":
            yield from split(_unpacked(sys.stdin.buffer), every)
            return
        with open(path, "rb") as file:
            told = 0
            for line in split(_unpacked(file), every):
                if watch is not None and (here := file.tell()) != told:
                    watch(here - told)
                    told = here
                yield line
    except FileNotFoundError:
        raise BadRequest(f"{path} does not exist. Name a file of events, or - for standard input.", "PATH") from None
    except PermissionError:
        raise BadRequest(f"{path} may not be read by this user. Change its permissions.", "PATH") from None
    except (OSError, EOFError, zlib.error, zstandard.ZstdError) as error:
        raise BadRequest(
            f"{path} could not be read to its end: {error}. What came before it is kept.", "PATH"
        ) from error


def split(file: IO[bytes], every: bool = False) -> Iterator[bytes]:
    """The lines of NDJSON, or the elements of a JSON array that is spread over lines or fills one."""
    first = file.readline(MAX_LINE + 1)
    while first and not first.strip():
        if every:
            yield first
        first = file.readline(MAX_LINE + 1)
    if first.lstrip().startswith(b"[") and not _is_json(first):
        yield from _elements(first, file)
    else:
        yield from _lines(first, file, every)


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def _lines(line: bytes, file: IO[bytes], every: bool) -> Iterator[bytes]:
    while line:
        if len(line) > MAX_LINE and not line.endswith(b"\n"):
            while (rest := file.readline(MAX_LINE)) and not rest.endswith(b"\n"):
                pass
        if every or line.strip():
            yield line
        line = file.readline(MAX_LINE + 1)


def _elements(first: bytes, file: IO[bytes]) -> Iterator[bytes]:
    """Elements of an array, each as text of its own; one that is no JSON is cut out by its brackets and still given."""
    text = _Text(first, file)
    text.skip(1)
    while text.more():
        if text.rest[0] in ",]":
            text.skip(1)
            continue
        end = text.element()
        yield text.rest[:end].encode("utf-8", "surrogateescape")
        text.skip(end)


class _Text:
    """A window on the text of a file that moves forward."""

    def __init__(self, first: bytes, file: IO[bytes]) -> None:
        self.file = file
        self.pending = b""
        self.rest = ""
        self._take(first)
        self.rest = self.rest.lstrip()

    def more(self) -> bool:
        """Is there anything but white space left?"""
        self.rest = self.rest.lstrip()
        while not self.rest and self._read():
            self.rest = self.rest.lstrip()
        return bool(self.rest)

    def skip(self, count: int) -> None:
        """Move forward."""
        self.rest = self.rest[count:]

    def element(self) -> int:
        """Where the element that begins here ends."""
        while True:
            try:
                end: int = _DECODER.raw_decode(self.rest)[1]
                if end < len(self.rest) or not self._read():
                    return end
            except (ValueError, RecursionError):
                if len(self.rest) > MAX_LINE or not self._read():
                    return _balanced(self.rest)

    def _read(self) -> bool:
        piece = self.file.read(PIECE)
        self._take(piece)
        return bool(piece)

    def _take(self, piece: bytes) -> None:
        # A character may be cut by the piece's end: what is incomplete waits for the next.
        whole = self.pending + piece
        cut = len(whole) if not piece else _complete(whole)
        self.rest += whole[:cut].decode("utf-8", "surrogateescape")
        self.pending = whole[cut:]


def _complete(data: bytes) -> int:
    """How many bytes of UTF-8 end with a whole character."""
    for back in range(1, min(4, len(data)) + 1):
        byte = data[-back]
        if byte & 0xC0 != 0x80:
            wanted = 1 if byte < 0x80 else 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return len(data) - back if wanted > back else len(data)
    return len(data)


def _balanced(text: str) -> int:
    """Where a broken element ends: after its closing bracket, else at the next comma, else at the end."""
    depth, quoted, skip = 0, False, -1
    for mark in _MARKS.finditer(text):
        here, sign = mark.start(), mark.group()
        if here == skip:
            continue
        if sign == "\\":
            skip = here + 1
        elif sign == '"':
            quoted = not quoted
        elif not quoted:
            depth += 1 if sign in "{[" else -1
            if depth <= 0:
                return here + 1 if depth == 0 else max(here, 1)
    comma = text.find(",")
    return comma if depth == 0 and comma > 0 else len(text)


def _unpacked(file: IO[bytes]) -> IO[bytes]:
    """The file's content, unpacked where its first bytes say that it is packed."""
    peek = file.peek(4)[:4] if hasattr(file, "peek") else b""
    if peek.startswith(b"\x1f\x8b"):
        return gzip.open(file, "rb")  # type: ignore[return-value]  # reads like a binary file
    if peek == b"\x28\xb5\x2f\xfd":
        return _zstd(file)
    return file


def _zstd(file: IO[bytes]) -> IO[bytes]:
    return io.BufferedReader(zstandard.ZstdDecompressor().stream_reader(file))
