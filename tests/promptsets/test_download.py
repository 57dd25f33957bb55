"""Downloads: bounded, redirected only to where one may go, and over TLS that is checked."""

import http.client
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from metrics.errors import BadRequest
from promptsets import download
from promptsets.archive import MAX_ARCHIVE_BYTES
from promptsets.download import downloaded, is_public, without_secrets

Answer = Callable[[BaseHTTPRequestHandler], None]


def sent(handler: BaseHTTPRequestHandler, content: bytes, promised: int | None = None) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(content) if promised is None else promised))
    handler.end_headers()
    handler.wfile.write(content)


def moved(to: str) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(302)
        handler.send_header("Location", to)
        handler.end_headers()

    return answer


def endless(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    try:
        while True:
            handler.wfile.write(b"\0" * 65_536)
    except OSError:
        pass


def status(code: int) -> Answer:
    return lambda handler: handler.send_error(code)


PATHS: dict[str, Answer] = {
    "/file": lambda handler: sent(handler, b"content"),
    "/file?token=t": lambda handler: sent(handler, b"with a token"),
    "/moved": moved("/file"),
    "/loop": moved("/loop"),
    "/plain": moved("http://example.org/file"),
    "/private": moved("https://127.0.0.2/file"),
    "/metadata": moved("https://169.254.169.254/latest"),
    "/mapped": moved("https://[::ffff:10.0.0.1]/file"),
    "/user": moved("https://me:secret@127.0.0.1/file"),
    "/script": moved("javascript:alert(1)"),
    "/nowhere": moved(""),
    "/bracket": moved("https://["),
    "/broken": lambda handler: sent(handler, b"content", 100),
    "/endless": endless,
    "/gone": status(404),
    "/busy": status(503),
}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.close_connection = True
        PATHS[self.path](self)

    def log_message(self, *_: object) -> None:
        pass


def served(tls: ssl.SSLContext | None = None) -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    yield from served()


def fetch(port: int, path: str) -> bytes:
    """What lies at a path, without TLS, noting that only the checked address is connected to."""

    def plain(host: str, at: int, addresses: Sequence[str]) -> http.client.HTTPConnection:
        assert (host, at, [*addresses]) == ("127.0.0.1", port, ["127.0.0.1"])
        return http.client.HTTPConnection(addresses[0], at, timeout=5)

    return downloaded(f"https://127.0.0.1:{port}{path}", plain)


def test_what_lies_there_is_had_also_behind_a_redirect(port: int) -> None:
    assert fetch(port, "/file") == b"content"
    assert fetch(port, "/file?token=t") == b"with a token"
    assert fetch(port, "/moved") == b"content"


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/loop", "is redirected more than 5 times"),
        ("/plain", "http://example.org/file does not begin with https://"),
        ("/private", r"redirected to 127\.0\.0\.2, which is not public"),
        ("/metadata", r"redirected to 169\.254\.169\.254, which is not public"),
        ("/mapped", "which is not public"),
        ("/user", "may not hold a user"),
        ("/script", "does not begin with https://"),
        ("/bracket", "Invalid IPv6 URL"),
        ("/nowhere", "is redirected more than 5 times"),
        ("/broken", "it broke off|IncompleteRead"),
        ("/endless", "it is larger than 16 MiB"),
        ("/gone", "answers 404 Not Found"),
        ("/busy", "answers 503"),
    ],
)
def test_what_cannot_be_had_is_said(port: int, path: str, said: str) -> None:
    with pytest.raises(BadRequest, match=f"/{path[1:]} cannot be fetched: .*({said})") as caught:
        fetch(port, path)

    assert "secret" not in str(caught.value)


def test_a_promise_of_too_much_is_not_waited_for(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PATHS, "/file", lambda handler: sent(handler, b"x", MAX_ARCHIVE_BYTES + 1))

    with pytest.raises(BadRequest, match="it is larger than 16 MiB"):
        fetch(port, "/file")


@pytest.mark.parametrize("drop", [b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\n\r\n"])
def test_a_sender_of_single_bytes_meets_the_deadline(port: int, monkeypatch: pytest.MonkeyPatch, drop: bytes) -> None:
    def dripping(handler: BaseHTTPRequestHandler) -> None:
        with suppress(OSError):
            handler.wfile.write(drop)
            for _ in range(20):
                handler.wfile.write(b"x")
                time.sleep(0.05)

    monkeypatch.setattr(download, "DEADLINE_S", 0.2)
    monkeypatch.setitem(PATHS, "/file", dripping)

    with pytest.raises(BadRequest, match=r"cannot be fetched within 0\.2 seconds"):
        fetch(port, "/file")


@pytest.mark.parametrize("url", ["https://a..b/x", "https://example.invalid/x", "https://127.0.0.1:1/x"])
def test_a_host_that_is_none_is_said(url: str) -> None:
    with pytest.raises(BadRequest, match="cannot be fetched: "):
        downloaded(url)


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("1.1.1.1", True),
        ("2606:4700:4700::1111", True),
        ("127.0.0.1", False),
        ("10.0.0.1", False),
        ("100.64.0.1", False),
        ("169.254.169.254", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("::1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("::ffff:10.0.0.1", False),
        ("::ffff:1.1.1.1", True),
        ("nonsense", False),
    ],
)
def test_what_is_public(address: str, public: bool) -> None:
    assert is_public(address) is public


def test_secrets_are_not_shown() -> None:
    assert without_secrets("https://me:pw@example.org/a?token=t#sha256=1") == "https://example.org/a"


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Path]]:
    """A server with a certificate of its own making for 127.0.0.1."""
    home = tmp_path_factory.mktemp("tls")
    command = [
        "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test",
        "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(home / "key"), "-out", str(home / "certificate"),
    ]  # fmt: skip
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("making a certificate needs openssl")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(home / "certificate", home / "key")
    for port in served(tls):
        yield port, home / "certificate"


def test_a_host_must_prove_that_it_is_the_host(secured: tuple[int, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    port, certificate = secured
    with pytest.raises(BadRequest, match="certificate"):
        downloaded(f"https://127.0.0.1:{port}/file")

    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert downloaded(f"https://127.0.0.1:{port}/file") == b"content"
    with pytest.raises(BadRequest, match="certificate"):
        downloaded(f"https://localhost:{port}/file")
