"""Archives, unpacked in memory: nothing of one is ever written to disk, and each is bounded in every direction."""

import io
import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import PurePosixPath

from metrics.errors import BadRequest
from promptsets.reading import MAX_PROMPTS_BYTES, MIB

MAX_ARCHIVE_BYTES = 16 * MIB
MAX_UNPACKED_BYTES = 64 * MIB
MAX_MEMBERS = 1_000
GZIP, ZIP, ZIP_MEMBER = b"\x1f\x8b", b"PK\x03\x04", b"PK\x01\x02"
MOST = f"at most {MAX_UNPACKED_BYTES // MIB} MiB in {MAX_MEMBERS:,} files, {MAX_PROMPTS_BYTES // MIB} MiB in one"
# What the standard library says to damaged content.
DAMAGED = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    OSError,
    ValueError,
    LookupError,
    OverflowError,
    RuntimeError,  # headers within headers without end; a way to compress that is not known here
)

Member = tuple[str, bytes]


def unpacked(content: bytes, name: str) -> dict[str, bytes]:
    """The files at the top of a .tar.gz or .zip, or of its only directory. Raises BadRequest naming the archive."""
    try:
        members = dict(_checked(_members(content, name), name))
    except DAMAGED as error:
        raise BadRequest(f"{name}: the archive is damaged: {error}.") from error
    return _at_the_top(members)


def _members(content: bytes, name: str) -> Iterator[Member]:
    if len(content) > MAX_ARCHIVE_BYTES:
        raise BadRequest(f"{name}: the archive is larger than {MAX_ARCHIVE_BYTES // MIB} MiB.")
    if content.startswith(GZIP):
        return _of_tar(_inflated(content, name), name)
    if content.startswith(ZIP):
        return _of_zip(content, name)
    raise BadRequest(f"{name}: this is neither a .tar.gz nor a .zip archive.")


def _inflated(content: bytes, name: str) -> bytes:
    unpack = zlib.decompressobj(wbits=31)
    inflated = unpack.decompress(content, MAX_UNPACKED_BYTES + 1)
    if len(inflated) > MAX_UNPACKED_BYTES:
        raise _too_large(name)
    if not unpack.eof:
        raise EOFError("it breaks off")
    return inflated


def _of_tar(content: bytes, name: str) -> Iterator[Member]:
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as archive:
        # Counted here: a damaged header may lead back to itself, and directories are no files.
        for count, member in enumerate(archive, 1):
            if count > MAX_MEMBERS:
                raise _too_large(name)
            if member.isdir():
                continue
            if not member.isreg() or member.issparse():
                raise BadRequest(f"{name}: {member.name[:200]!r} is no plain file (a link or a device).")
            file = archive.extractfile(member)
            if file is not None:
                yield member.name, file.read(MAX_PROMPTS_BYTES + 1)


def _of_zip(content: bytes, name: str) -> Iterator[Member]:
    # Counted before the list of them is built, which takes far more memory than the archive.
    if content.count(ZIP_MEMBER) > MAX_MEMBERS:
        raise _too_large(name)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for member in archive.infolist():
            if member.is_dir():
                continue
            if member.flag_bits & 1:
                raise BadRequest(f"{name}: {member.filename[:200]!r} is encrypted.")
            kind = member.external_attr >> 28  # of a Unix mode; 0 where another system made it
            if kind not in (0, 8):
                raise BadRequest(f"{name}: {member.filename[:200]!r} is no plain file (a link or a device).")
            with archive.open(member) as file:
                yield member.filename, file.read(MAX_PROMPTS_BYTES + 1)


def _checked(members: Iterator[Member], name: str) -> Iterator[Member]:
    """The members, as long as they are few, small, named once, and named within the archive."""
    seen: set[str] = set()
    total = 0
    for path, content in members:
        total += len(content)
        if len(seen) == MAX_MEMBERS or total > MAX_UNPACKED_BYTES or len(content) > MAX_PROMPTS_BYTES:
            raise _too_large(name)
        parts = path.split("/")
        if "\\" in path or "\0" in path or ":" in parts[0] or ".." in parts or path.startswith("/"):
            raise BadRequest(f"{name}: the file {path[:200]!r} would lie outside the archive.")
        plain = str(PurePosixPath(path))
        if plain in seen:
            raise BadRequest(f"{name}: the file {path[:200]!r} is in it twice.")
        seen.add(plain)
        yield plain, content


def _at_the_top(members: dict[str, bytes]) -> dict[str, bytes]:
    # What the file systems of some machines add beside the files.
    kept = {path: content for path, content in members.items() if not path.startswith(("__MACOSX/", "._"))}
    tops = {path.partition("/")[0] for path in kept}
    if len(tops) == 1 and not tops & kept.keys():
        kept = {path.partition("/")[2]: content for path, content in kept.items()}
    return {path: content for path, content in kept.items() if "/" not in path and not path.startswith(".")}


def _too_large(name: str) -> BadRequest:
    return BadRequest(f"{name}: the archive unpacks to more than is allowed: {MOST}.")
