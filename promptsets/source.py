"""Where datasets come from: the release in this package, a directory, or an archive in a file or at a URL."""

import os
import re
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from urllib.parse import unquote, urlsplit

from metrics.errors import BadRequest
from promptsets.archive import MAX_ARCHIVE_BYTES, MAX_MEMBERS, MAX_UNPACKED_BYTES, unpacked
from promptsets.dataset import PromptSet
from promptsets.download import downloaded, without_secrets
from promptsets.reading import MAX_PROMPTS_BYTES, METADATA, MIB, PROMPTS, Found, sets_in

RELEASE = Path(__file__).parent / "release"
PLACES = (
    "a directory, a .tar.gz or .zip file (a path or file:///path), or https://host/archive.tar.gz#sha256=… with the "
    "SHA-256 of the archive"
)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_PIN = re.compile(r"sha256=([0-9a-fA-F]{64})")

Download = Callable[[str], bytes]


@dataclass(frozen=True, slots=True)
class Place:
    """Where datasets are: a path, or a URL with the checksum that the archive there must have."""

    path: Path | None = None
    url: str | None = None
    sha256: str | None = None

    @classmethod
    def of(cls, text: str | None, argument: str) -> "Place":
        """The place that a text names; None is the release in this package. Raises BadRequest naming the argument."""
        if text is None:
            return cls(RELEASE)
        if not _SCHEME.match(text):
            return cls(_path(text, argument))
        try:
            parts = urlsplit(text)
            pin = _PIN.fullmatch(parts.fragment)
        except ValueError:
            raise _no_place(argument) from None
        scheme = parts.scheme.lower()
        if scheme == "file" and parts.netloc in ("", "localhost") and parts.path and (pin or not parts.fragment):
            return cls(_path(unquote(parts.path), argument), None, pin and pin[1].lower())
        if scheme == "https" and parts.hostname and pin and "@" not in parts.netloc:
            return cls(None, text.partition("#")[0], pin[1].lower())
        raise _no_place(argument)

    def __str__(self) -> str:
        return str(self.path) if self.url is None else without_secrets(self.url)


def load(text: str | None, argument: str = "NAAP_DATASETS") -> list[PromptSet]:
    """Every set of the place that a text names. Raises BadRequest where one of them is wrong: all are used, or none."""
    place = Place.of(text, argument)
    try:
        found = examined(place)
    except BadRequest as error:
        raise BadRequest(f"{argument}: {error}") from error
    if found.problems:
        more = len(found.problems) - 1
        rest = (
            f" There {'is' if more == 1 else 'are'} {more} more; `naap datasets validate` lists them." if more else ""
        )
        raise BadRequest(f"{argument}: {found.problems[0]}{rest}")
    return found.sets


def examined(place: Place, cache: Path | None = None, download: Download = downloaded) -> Found:
    """The sets of a place, and what is wrong with them. Raises BadRequest where it cannot be read, or holds none."""
    if place.path is not None and os.path.isdir(place.path):  # unlike is_dir() it is never an error
        files = _of_directory(place.path)
    else:
        files = unpacked(_archive(place, cache or _cache(), download), str(place))
    found = sets_in(files)
    if not found.sets and not found.problems:
        raise BadRequest(f"{place} holds no dataset: there is no NAME{METADATA} with NAME{PROMPTS} beside it.")
    return found if place.url is None else Found([_from(one, str(place)) for one in found.sets], found.problems)


def _of_directory(directory: Path) -> dict[str, bytes]:
    try:
        names = sorted(one for one in os.listdir(directory) if one.endswith((METADATA, PROMPTS)) and one[0] != ".")
    except OSError as error:
        raise BadRequest(f"{directory} cannot be read: {error.strerror}.") from error
    if len(names) > MAX_MEMBERS:
        raise BadRequest(f"{directory} has {len(names):,} files; at most {MAX_MEMBERS:,}.")
    files: dict[str, bytes] = {}
    for name in names:
        files[name] = _read(directory / name, MAX_PROMPTS_BYTES)
        if sum(map(len, files.values())) > MAX_UNPACKED_BYTES:
            raise BadRequest(f"{directory} holds more than {MAX_UNPACKED_BYTES // MIB} MiB of datasets.")
    return files


def _archive(place: Place, cache: Path, download: Download) -> bytes:
    if place.path is not None:
        content = _read(place.path, MAX_ARCHIVE_BYTES)
        _verify(content, place)
        return content
    assert place.url is not None
    assert place.sha256 is not None
    kept = cache / place.sha256
    with suppress(BadRequest):  # nothing is kept, or what is kept was changed
        content = _read(kept, MAX_ARCHIVE_BYTES)
        _verify(content, place)
        return content
    content = download(place.url)
    _verify(content, place)
    with suppress(OSError):  # where nothing can be kept it is fetched again the next time
        _keep(content, kept)
    return content


def _verify(content: bytes, place: Place) -> None:
    actual = sha256(content).hexdigest()
    if place.sha256 not in (None, actual):
        raise BadRequest(f"{place} has the SHA-256 {actual}, not {place.sha256} as was asked for.")


def _keep(content: bytes, path: Path) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        try:
            file.write(content)
            file.close()
            os.replace(file.name, path)
        except OSError:
            os.unlink(file.name)
            raise


def _read(path: Path, most: int) -> bytes:
    try:
        if path.exists() and not path.is_file():  # reading a pipe may never end
            raise BadRequest(f"{path} is no plain file.")
        with open(path, "rb") as file:
            content = file.read(most + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise BadRequest(f"{path} cannot be read: {reason}.") from error
    if len(content) > most:
        raise BadRequest(f"{path} is larger than {most // MIB} MiB.")
    return content


def _from(one: PromptSet, url: str) -> PromptSet:
    """The set, saying where it came from where it does not say so itself."""
    return one if one.dataset.url else replace(one, dataset=replace(one.dataset, url=url))


def _path(text: str, argument: str) -> Path:
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise BadRequest(f"{argument}: {text} begins with the home of a user that there is not.", argument) from None


def _cache() -> Path:
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if not base.is_absolute():
        base = Path(os.path.expanduser("~/.cache"))
    return base / "naap-gateway" / "datasets"


def _no_place(argument: str) -> BadRequest:
    # Not what it is: an address may hold a secret.
    return BadRequest(f"{argument} must be {PLACES}.", argument)
