"""`naap ingest --to`: batches, and patience with a gateway that is busy."""

import gzip
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from gateway.remote import BATCH_LINES, Remote, batches
from metrics.errors import BadRequest, StoreUnavailable


class Busy(BaseHTTPRequestHandler):
    """Answers with what `replies` says, then accepts."""

    replies: list[tuple[int, dict[str, str], bytes]]
    seen: list[tuple[str, dict[str, str], bytes]]

    def do_POST(self) -> None:
        body = gzip.decompress(self.rfile.read(int(self.headers["Content-Length"])))
        type(self).seen.append((self.path, dict(self.headers), body))
        lines = body.count(b"\n") + 1
        rejected = [{"line": 2, "reason": "no_type"}] if lines > 1 else []
        told = {"accepted": lines - len(rejected), "duplicate": 0, "conflicting": 0, "rejected": rejected}
        told["rejected_by_reason"] = {"no_type": 1} if rejected else {}
        done = (200, {}, json.dumps(told).encode())
        status, headers, answer = type(self).replies.pop(0) if type(self).replies else done
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(answer))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def gateway() -> Iterator[tuple[str, type[Busy]]]:
    handler = type("Handler", (Busy,), {"replies": [], "seen": []})
    server = HTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", handler
    server.shutdown()
    server.server_close()


def test_batches_are_bounded_in_lines_and_bytes() -> None:
    assert [len(batch) for batch in batches([b"x"] * (BATCH_LINES + 1))] == [BATCH_LINES, 1]
    assert [len(batch) for batch in batches([b"x" * 10_000_000] * 5)] == [2, 2, 1]
    assert list(batches([])) == []


def test_lines_arrive_gzipped_with_source_and_token(gateway: tuple[str, type[Busy]]) -> None:
    url, handler = gateway
    outcome = Remote(url + "/", "kafka-1", token="a-token-of-some-length").load([b"{}", b"[]", b"1"])

    path, headers, body = handler.seen[0]
    assert path == "/v1/events?source=kafka-1"
    assert headers["Authorization"] == "Bearer a-token-of-some-length"
    assert body == b"{}\n[]\n1"
    assert (outcome.accepted, outcome.rejected, dict(outcome.rejected_by_reason)) == (
        2,
        [(2, "no_type")],
        {"no_type": 1},
    )


def test_lines_of_later_batches_are_counted_on(gateway: tuple[str, type[Busy]]) -> None:
    outcome = Remote(gateway[0], "default").load([b"{}"] * (BATCH_LINES + 5))

    assert outcome.rejected == [(2, "no_type"), (BATCH_LINES + 2, "no_type")]


def test_a_busy_gateway_is_asked_again_when_it_said_so(gateway: tuple[str, type[Busy]]) -> None:
    url, handler = gateway
    handler.replies = [(429, {"Retry-After": "7"}, b"{}"), (503, {}, b"{}")]
    slept: list[float] = []

    outcome = Remote(url, "default", sleep=slept.append).load([b"{}"])

    assert (outcome.accepted, slept, len(handler.seen)) == (1, [7.0, 2.0], 3)


def test_a_refusal_is_told_in_the_gateways_own_words(gateway: tuple[str, type[Busy]]) -> None:
    url, handler = gateway
    handler.replies = [(401, {}, json.dumps({"detail": "events need the operator's token."}).encode())]

    with pytest.raises(BadRequest, match=r"refuses \(401\): events need the operator's token"):
        Remote(url, "default").load([b"{}"])


def test_an_absent_gateway_is_an_error_that_says_what_to_check() -> None:
    warned: list[str] = []
    with pytest.raises(StoreUnavailable, match="Is `naap serve` running there"):
        Remote("http://127.0.0.1:9", "default", sleep=lambda _: None, warn=warned.append).load([b"{}"])

    assert warned == ["http://127.0.0.1:9 cannot be reached; trying again for 60 s (Ctrl-C ends)"]


@pytest.mark.parametrize(
    "url", [
        "", "localhost:8000", "ftp://x/", "http://", "/v1/events", "http://[", "http://localhost:abc",
        "http://localhost:99999", "http://localhost:0", "http://a b:80", "http://a..b", "http://a/\n", "http://a/ä",
    ],
)  # fmt: skip
def test_a_bad_url_is_refused(url: str) -> None:
    with pytest.raises(BadRequest, match="--to must be a URL"):
        Remote(url, "default")


def test_a_url_with_a_password_is_refused_and_not_repeated() -> None:
    with pytest.raises(BadRequest, match="NAAP_OPERATOR_TOKEN") as caught:
        Remote("http://me:hunter2@localhost:8000", "default")

    assert "hunter2" not in str(caught.value)
