"""Where datasets come from: directories, archives, URLs and the cache."""

import os
from hashlib import sha256
from pathlib import Path

import pytest

from metrics.errors import BadRequest
from promptsets.dataset import Catalogue, DatasetType
from promptsets.source import RELEASE, Place, examined, load
from tests.promptsets.made import Files, made, tarred, zipped

URL = "https://example.org/release.tar.gz"
PACKED = tarred(made())
PIN = sha256(PACKED).hexdigest()


def written(directory: Path, files: Files) -> Path:
    directory.mkdir(exist_ok=True)
    for name, content in files.items():
        (directory / name).write_bytes(content)
    return directory


def names(place: str) -> list[str]:
    return [one.dataset.name for one in load(place)]


def test_a_directory_is_read_and_what_else_lies_there_is_not(tmp_path: Path) -> None:
    written(tmp_path / "sets", {**made("b"), **made("a"), "notes.txt": b"\xff", ".hidden.json": b"?"})
    (tmp_path / "sets" / "below").mkdir()

    assert names(str(tmp_path / "sets")) == ["a", "b"]
    assert names(f"file://{tmp_path}/sets") == ["a", "b"]


def test_a_directory_is_bounded_as_an_archive_is(tmp_path: Path) -> None:
    written(tmp_path, {f"{number}.ndjson": b"\0" * 15_000_000 for number in range(5)})

    with pytest.raises(BadRequest, match="holds more than 64 MiB of datasets"):
        load(str(tmp_path))


@pytest.mark.parametrize("packed", [PACKED, zipped(made())])
def test_an_archive_is_what_it_begins_like_whatever_it_is_called(tmp_path: Path, packed: bytes) -> None:
    (tmp_path / "a set.bin").write_bytes(packed)

    assert names(str(tmp_path / "a set.bin")) == ["small"]
    assert names(f"file://{tmp_path}/a%20set.bin#sha256={sha256(packed).hexdigest()}") == ["small"]


def test_an_archive_of_another_checksum_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(zipped(made()))

    with pytest.raises(BadRequest, match=f"has the SHA-256 [0-9a-f]+, not {'0' * 64} as was asked for"):
        load(f"file://{tmp_path}/a.zip#sha256={'0' * 64}")


@pytest.mark.parametrize(
    "place",
    [
        "http://example.org/a.tar.gz",
        "https://example.org/a.tar.gz",
        "https://example.org/a.tar.gz#sha256=12",
        "https://example.org/a.tar.gz#md5=" + "0" * 64,
        f"https://me:secret@example.org/a.tar.gz#sha256={PIN}",
        f"https://#sha256={PIN}",
        f"https://[#sha256={PIN}",
        f"ftp://example.org/a#sha256={PIN}",
        "file://elsewhere/a.zip",
        "file://",
    ],
)
def test_a_place_that_is_none_is_said_without_its_secrets(place: str) -> None:
    with pytest.raises(BadRequest, match=r"NAAP_DATASETS must be a directory, a \.tar\.gz or \.zip file") as caught:
        load(place)

    assert "secret" not in str(caught.value)


def test_what_cannot_be_read_is_said_and_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "empty").mkdir()
    os.mkfifo(written(tmp_path / "odd", made()) / "pipe.json")

    for place, said in (
        ("none", "cannot be read: No such file"),
        ("pipe", "is no plain file"),
        ("empty", r"holds no dataset: there is no NAME\.json with NAME\.ndjson"),
        ("odd", "is no plain file"),
        ("x" * 300, "cannot be read: File name too long"),
    ):
        with pytest.raises(BadRequest, match=f"^NAAP_DATASETS: .*{said}"):
            load(str(tmp_path / place))


def test_one_wrong_set_stops_all_and_the_others_are_counted(tmp_path: Path) -> None:
    written(tmp_path, {**made("a"), **made("b", type="worse"), **made("c", version="")})

    with pytest.raises(BadRequest) as caught:
        load(str(tmp_path))

    said = 'NAAP_DATASETS: b.json: type must be one of good, random, bad, not "worse". There is 1 more; `naap datasets'
    assert str(caught.value).startswith(said)


class Net:
    """Downloads that are counted."""

    def __init__(self, content: bytes = PACKED) -> None:
        self.content = content
        self.asked: list[str] = []

    def __call__(self, url: str) -> bytes:
        self.asked.append(url)
        return self.content


def place(pin: str = PIN) -> Place:
    return Place.of(f"{URL}?token=t#sha256={pin}", "NAAP_DATASETS")


def test_a_url_is_fetched_once_and_says_where_a_set_came_from(tmp_path: Path) -> None:
    net = Net()
    first = examined(place(), tmp_path / "cache", net)
    second = examined(place(PIN.upper()), tmp_path / "cache", net)

    assert net.asked == [f"{URL}?token=t"]
    assert first == second
    assert [one.dataset.url for one in first.sets] == [URL]
    assert [one.name for one in (tmp_path / "cache").iterdir()] == [PIN]


def test_a_set_that_says_where_it_can_be_had_is_believed(tmp_path: Path) -> None:
    content = tarred(made(url="https://example.org/own"))
    found = examined(place(sha256(content).hexdigest()), tmp_path, Net(content))

    assert [one.dataset.url for one in found.sets] == ["https://example.org/own"]


def test_a_changed_cache_is_fetched_again(tmp_path: Path) -> None:
    (tmp_path / PIN).write_bytes(b"changed")
    net = Net()

    assert len(examined(place(), tmp_path, net).sets) == 1
    assert (len(net.asked), (tmp_path / PIN).read_bytes()) == (1, PACKED)


def test_something_else_at_a_url_is_refused_and_not_kept(tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match=f"has the SHA-256 .*, not {PIN}"):
        examined(place(), tmp_path, Net(zipped(made())))

    assert list(tmp_path.iterdir()) == []


def test_without_a_cache_it_works_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    assert len(examined(place(), tmp_path / "file" / "cache", Net()).sets) == 1


def test_the_catalogue_finds_by_name_workflow_and_type() -> None:
    packed = Catalogue.of(load(None))
    found = Catalogue.of(examined(Place(RELEASE)).sets)

    assert packed == found
    assert [one.name for one in found.datasets] == sorted(one.name for one in found.datasets)
    assert found.named("nothing") is None
    assert {one.type for one in found.where("streamdiffusion-sdxl")} == set(DatasetType)
    assert {one.workflow for one in found.where(type=DatasetType.BAD)} == {one.workflow for one in found.datasets}
