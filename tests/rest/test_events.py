"""`POST /v1/events`: who may, how much, and what is answered."""

import gzip
import json
from collections import Counter

import pytest

from metrics.errors import RateLimited
from telemetry.loader import Report
from tests.rest.conftest import TOKEN, Surface

PATH = "/v1/events"


async def test_an_acknowledgement_says_what_became_of_every_line(surface: Surface) -> None:
    surface.kept.answer = Report(3, 2, 1, [(7, "no_type")], Counter(no_type=1), Counter(new=1))
    async with surface.client() as client:
        answer = await client.post(PATH, content=b"{}", params={"source": "kafka-1"})

    assert answer.json() == {
        "accepted": 3,
        "duplicate": 2,
        "conflicting": 1,
        "rejected": [{"line": 7, "reason": "no_type"}],
        "rejected_by_reason": {"no_type": 1},
        "unknown_types": {"new": 1},
    }
    assert surface.kept.bodies == [("kafka-1", b"{}", False)]


async def test_the_content_type_may_say_that_each_line_is_an_event(surface: Surface) -> None:
    async with surface.client() as client:
        await client.post(PATH, content=b"[x\n{}", headers={"Content-Type": "application/x-ndjson; charset=utf-8"})

    assert surface.kept.bodies == [("default", b"[x\n{}", True)]


@pytest.mark.parametrize("said", [{"Content-Encoding": "gzip"}, {}])
async def test_gzip_is_understood_whether_it_says_so_or_not(surface: Surface, said: dict[str, str]) -> None:
    packed = gzip.compress(b"one\n") + gzip.compress(b"two\n")
    async with surface.client() as client:
        answer = await client.post(PATH, content=packed, headers=said)

    assert (answer.status_code, surface.kept.bodies) == (200, [("default", b"one\ntwo\n", False)])


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"x" * 1001, {}, 413),
        (gzip.compress(b"x" * 2001, mtime=0), {"Content-Encoding": "gzip"}, 413),
        (gzip.compress(b"0" * 10_000_000, mtime=0)[:900], {"Content-Encoding": "gzip"}, 413),
        (gzip.compress(b"whole", mtime=0)[:-4], {"Content-Encoding": "gzip"}, 400),
        (b"plain", {"Content-Encoding": "gzip"}, 400),
        (b"", {"Content-Encoding": "gzip"}, 400),
        (b"x", {"Content-Encoding": "br"}, 400),
    ],
)
async def test_too_much_or_broken_is_refused(
    surface: Surface, body: bytes, headers: dict[str, str], status: int
) -> None:
    async with surface.client() as client:
        answer = await client.post(PATH, content=body, headers=headers)

    assert (answer.status_code, answer.json()["code"], surface.kept.bodies) == (status, "BAD_REQUEST", [])


async def test_a_body_sent_in_pieces_is_bounded_too(surface: Surface) -> None:
    async def pieces():  # type: ignore[no-untyped-def]
        for _ in range(11):
            yield b"x" * 100

    async with surface.client() as client:
        answer = await client.post(PATH, content=pieces())

    assert answer.status_code == 413


async def test_a_loader_that_is_behind_says_when_to_come_again(surface: Surface) -> None:
    surface.kept.answer = RateLimited("the loader is behind.", 2)
    async with surface.client() as client:
        answer = await client.post(PATH, content=b"{}")

    assert (answer.status_code, answer.headers["retry-after"], answer.json()["code"]) == (429, "2", "RATE_LIMITED")


@pytest.mark.parametrize("query", ["source=a/b", "source=", "sauce=x", "source=a&source=b"])
async def test_a_bad_source_is_refused(surface: Surface, query: str) -> None:
    async with surface.client() as client:
        answer = await client.post(f"{PATH}?{query}", content=b"{}")

    assert (answer.status_code, surface.kept.bodies) == (400, [])


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
async def test_without_a_token_this_machine_may(surface: Surface, host: str) -> None:
    async with surface.client(host) as client:
        assert (await client.post(PATH, content=b"{}")).status_code == 200


@pytest.mark.parametrize("host", ["10.0.0.1", "192.168.1.5", "::ffff:8.8.8.8", "2001:db8::1", "localhost.evil", ""])
async def test_without_a_token_no_other_may(surface: Surface, host: str) -> None:
    async with surface.client(host) as client:
        answer = await client.post(PATH, content=b"{}")

    assert (answer.status_code, answer.json()["code"], surface.kept.bodies) == (403, "FORBIDDEN", [])


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-For": "127.0.0.1"},
        {"Forwarded": "for=127.0.0.1"},
        {"X-Real-Ip": "127.0.0.1"},
        {"Via": "1.1 proxy"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://["},
        {"Host": "evil.example:8000"},
        {"Host": "["},
        {"Host": "localhost:abc"},
        {"Host": "localhost:99999"},
        {"Host": "evil@localhost"},
        {"Host": "localhost/evil"},
    ],
)
async def test_without_a_token_no_proxy_and_no_page_of_another_site_may(
    surface: Surface, headers: dict[str, str]
) -> None:
    async with surface.client() as client:
        answer = await client.post(PATH, content=b"{}", headers=headers)

    assert (answer.status_code, surface.kept.bodies) == (403, [])


async def test_with_a_token_whoever_has_it_may(surface: Surface) -> None:
    async with surface.client("10.0.0.1", token=TOKEN) as client:
        answer = await client.post(PATH, content=b"{}", headers={"Authorization": f"bearer {TOKEN}"})

    assert answer.status_code == 200


@pytest.mark.parametrize(
    "said", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {TOKEN}"}, {"Authorization": "Bearer é"}]
)
async def test_with_a_token_nobody_else_may(surface: Surface, said: dict[str, str]) -> None:
    async with surface.client(token=TOKEN) as client:
        answer = await client.post(PATH, content=b"{}", headers={k: v.encode() for k, v in said.items()})

    assert (answer.status_code, answer.json()["code"]) == (401, "UNAUTHENTICATED")
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert TOKEN not in json.dumps(answer.json())
