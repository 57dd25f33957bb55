"""Connections on which no whole request ever comes, on a real server, with the bounds and without."""

import http.client
import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Subprotocol

import gateway.protocol
from auth.budget import Tiers
from gateway.settings import Settings
from tests.gateway.live import StuckStore, live

HEAD = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with live(Settings(), StuckStore()) as found:
        yield found


def nothing(_: int) -> bytes:
    return b""


def slow_head(n: int) -> bytes:
    return HEAD if n == 0 else b"x"


def empty_lines(n: int) -> bytes:
    return HEAD + b"\r\n" if n == 0 else b"\r\n"


def unread_body(n: int) -> bytes:
    return b"POST /nothing HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n" if n == 0 else b"x"


def ended_after(port: int, sent: Callable[[int], bytes], most_s: float) -> float | None:
    """The seconds after which the server ends the connection; None where it has not by then."""
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", port)) as to:
        to.settimeout(0.02)
        for n in range(10_000):
            if time.monotonic() - began > most_s:
                return None
            try:
                to.sendall(sent(n))
                while to.recv(65_536):
                    pass
                return time.monotonic() - began
            except TimeoutError:
                continue
            except OSError:
                return time.monotonic() - began
    return None


@pytest.mark.parametrize("sent", [nothing, slow_head, empty_lines, unread_body])
def test_a_connection_without_a_request_ends(
    port: int, monkeypatch: pytest.MonkeyPatch, sent: Callable[[int], bytes]
) -> None:
    monkeypatch.setattr(gateway.protocol, "HEAD_S", 0.3)
    took = ended_after(port, sent, 5)

    assert took is not None
    assert took >= 0.25
    monkeypatch.setattr(gateway.protocol, "HEAD_S", 60.0)
    assert ended_after(port, sent, 1) is None


def headers(port: int, megabytes: int) -> bytes:
    """The beginning of the answer to so much of headers."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as to:
        try:
            to.sendall(HEAD)
            for n in range(megabytes * 16):
                to.sendall(b"X-%d: " % n + b"x" * 65_536 + b"\r\n")
            to.sendall(b"\r\n")
        except OSError:
            pass
        try:
            return to.recv(4096)
        except OSError:
            return b""


def test_headers_without_end_are_not_kept(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not headers(port, 20).startswith(b"HTTP/1.1 200")

    monkeypatch.setattr(gateway.protocol, "HEAD_BYTES", 10**9)
    assert headers(port, 20).startswith(b"HTTP/1.1 200")


def test_a_long_head_is_told_and_whole_ones_are_answered_one_after_the_other(port: int) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as to:
        for _ in range(3):
            to.request("GET", "/healthz", headers={"X-Long": "x" * 30_000})
            answer = to.getresponse()
            assert (answer.status, answer.read()) == (200, b'{"status":"alive"}')
    with socket.create_connection(("127.0.0.1", port), timeout=10) as to:
        to.sendall(HEAD + b"X-Long: " + b"x" * 70_000)
        assert to.recv(65_536).startswith(b"HTTP/1.1 431")


def test_what_follows_a_body_is_no_header(port: int) -> None:
    bad = b"Authorization: Bearer not-good\r\nX-Request-Id: mine\r\n"
    head = b"POST /graphql HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
    head += b"Content-Type: application/json\r\n"
    body = b'1a\r\n{"query":"{ __typename }"}\r\n0\r\n'

    def told(request: bytes) -> bytes:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as to:
            to.sendall(request)
            return to.recv(65_536)

    assert told(head + bad + b"\r\n" + body + b"\r\n").startswith(b"HTTP/1.1 401")
    after = told(head + b"\r\n" + body + bad + b"\r\n")
    assert after.startswith(b"HTTP/1.1 200")
    assert b"mine" not in after


UPGRADE = (
    b"GET /graphql HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    b"Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"
)


def test_a_websocket_is_no_head_that_does_not_end(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway.protocol, "HEAD_S", 0.2)
    with socket.create_connection(("127.0.0.1", port), timeout=10) as to:
        to.sendall(UPGRADE)
        assert to.recv(4096).startswith(b"HTTP/1.1 101")
        to.settimeout(0.6)
        with pytest.raises(TimeoutError):  # nothing comes, and nobody hangs up
            to.recv(4096)


def test_sockets_with_bad_tokens_are_counted() -> None:
    def tried(port: int, token: str) -> str:
        try:
            with connect(f"ws://127.0.0.1:{port}/graphql", subprotocols=[Subprotocol("graphql-transport-ws")]) as to:
                to.send(json.dumps({"type": "connection_init", "payload": {"Authorization": f"Bearer {token}"}}))
                return str(json.loads(to.recv(10))["type"])
        except InvalidStatus as error:
            return str(error.response.status_code)
        except ConnectionClosed as error:
            return str(error.rcvd and error.rcvd.code)

    secret = "an operator's secret"
    with live(Settings(rates=Tiers(2, 50, 50), operator_token=secret), StuckStore()) as port:
        assert [tried(port, secret) for _ in range(6)] == ["connection_ack"] * 6
        answers = [tried(port, "x") for _ in range(8)]
    assert answers[:2] == ["4403"] * 2
    assert "403" in answers
