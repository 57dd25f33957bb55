"""Archives are unpacked within bounds, and never lead anywhere."""

import gzip
import tarfile
import zipfile
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.errors import BadRequest
from promptsets import archive
from promptsets.archive import unpacked
from tests.promptsets.made import made, tarred, zipped

FILES = made()


@pytest.mark.parametrize("pack", [tarred, zipped])
def test_files_lie_at_the_top_or_in_the_only_directory(pack) -> None:
    inside = {f"release-1.0/{name}": content for name, content in FILES.items()}

    assert unpacked(pack(FILES), "x") == FILES
    assert unpacked(pack(inside), "x") == FILES
    assert unpacked(pack(inside | {"__MACOSX/._small.json": b"?", "._release-1.0": b"?"}), "x") == FILES
    assert unpacked(pack(FILES | {"more/other.json": b"{}"}), "x") == FILES


@pytest.mark.parametrize("pack", [tarred, zipped])
@pytest.mark.parametrize("path", ["../a.json", "/etc/a.json", "a/../../b.json", "C:/a.json", "..\\a.json", "a/.."])
def test_a_path_that_leads_outside_is_refused(pack, path: str) -> None:
    with pytest.raises(BadRequest, match=r"x: the file .* would lie outside the archive"):
        unpacked(pack({**FILES, path: b"{}"}), "x")


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE])
def test_a_member_that_is_no_plain_file_is_refused(kind: bytes) -> None:
    member = tarfile.TarInfo("link.json")
    member.type, member.linkname = kind, "/etc/passwd"

    with pytest.raises(BadRequest, match=r"'link\.json' is no plain file"):
        unpacked(tarred(FILES, member), "x")


def test_a_link_in_a_zip_is_refused() -> None:
    link = zipfile.ZipInfo("link.json")
    link.external_attr = 0o120777 << 16

    with pytest.raises(BadRequest, match="is no plain file"):
        unpacked(zipped([(link, b"/etc/passwd")]), "x")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_given_twice_is_refused() -> None:
    with pytest.raises(BadRequest, match="is in it twice"):
        unpacked(zipped([("a.json", b"1"), ("./a.json", b"2")]), "x")
    with pytest.raises(BadRequest, match="is in it twice"):
        unpacked(zipped([("a.json", b"1"), ("a.json", b"2")]), "x")


@pytest.mark.parametrize("pack", [tarred, zipped])
@pytest.mark.parametrize(
    "files",
    [
        {"a.ndjson": b"\0" * (archive.MAX_PROMPTS_BYTES + 1)},
        {f"{n}.ndjson": b"\0" * archive.MAX_PROMPTS_BYTES for n in range(5)},
        {f"{n}.json": b"" for n in range(archive.MAX_MEMBERS + 1)},
        {f"{n}/": b"" for n in range(archive.MAX_MEMBERS + 1)},
    ],
)
def test_a_bomb_is_refused(pack, files: dict[str, bytes]) -> None:
    packed = pack(files)
    assert len(packed) < archive.MAX_ARCHIVE_BYTES

    with pytest.raises(BadRequest, match="unpacks to more than is allowed: at most 64 MiB in 1,000 files"):
        unpacked(packed, "x")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "neither a .tar.gz nor a .zip"),
        (b"<html>", "neither a .tar.gz nor a .zip"),
        (b"\x1f\x8bnothing", "is damaged"),
        (tarred(FILES)[:-20], "is damaged"),
        (gzip.compress(b"no tar" * 200, mtime=0), "is damaged"),
        (zipped(FILES)[:-10], "is damaged"),
        (b"\x1f\x8b" + b"\0" * archive.MAX_ARCHIVE_BYTES, "is larger than 16 MiB"),
    ],
)
def test_an_archive_that_is_none_is_said(content: bytes, said: str) -> None:
    with pytest.raises(BadRequest, match=said):
        unpacked(content, "x")


@given(st.sampled_from((gzip.decompress(tarred(FILES)), zipped(FILES))), st.data())
def test_damage_is_an_error_or_harmless(content: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(content) - 1))
    broken = content[:at] + data.draw(st.binary(min_size=1, max_size=8)) + content[at + 1 :]
    if not content.startswith(archive.ZIP):
        broken = gzip.compress(broken)  # so that what is damaged is the archive, not its compression

    with suppress(BadRequest):
        unpacked(broken, "x")
