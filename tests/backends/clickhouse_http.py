"""A small test server that speaks the ClickHouse HTTP protocol over chDB.

`python -m tests.backends.clickhouse_http PATH [--port N] [--password TEXT] [--cert FILE --key FILE]` prints its port.
It hands SQL, bound values, settings, external tables and the format on as they came, and answers with chDB's bytes and
errors; it adds nothing. A read that asks for it is ended when its client goes. Rows that come with an INSERT take the
way through a file, since chDB ends them at an empty line. What only a server has is left out: sessions, users,
compressed answers, statuses by error.
https://clickhouse.com/docs/interfaces/http
"""

import argparse
import base64
import gzip
import json
import re
import socket
import ssl
import sys
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from select import select
from tempfile import NamedTemporaryFile
from threading import Event, Thread
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

import chdb
import zstandard

CODE = re.compile(r"Code: (\d+)")
INSERTING = re.compile(rb"\A(INSERT\s+INTO\s[^\n]+?)\s+FORMAT\s+(\w+)\n", re.IGNORECASE)
FORMAT = re.compile(rb"\bFORMAT\s+(\w+)\s*;?\s*$", re.IGNORECASE)
# What the transport itself understands; everything else in the address is a setting.
TRANSPORT = {
    *("query", "database", "default_format", "query_id", "session_id", "session_timeout", "session_check", "quota_key"),
    *("wait_end_of_query", "buffer_size", "compress", "decompress", "client_protocol_version", "role", "user"),
    *("password", "enable_http_compression", "send_progress_in_http_headers", "http_headers_progress_interval_ms"),
}
CANCELLING, WATCH_S = "cancel_http_readonly_queries_on_client_close", 0.1
EXTERNAL = ("_structure", "_format", "_types")


class Server(ThreadingHTTPServer):
    """One engine, a handle per request."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, path: str, port: int, password: str | None) -> None:
        super().__init__(("127.0.0.1", port), Request)
        self.path, self.password = path, password
        self.first = chdb.connect(path)  # keeps the engine alive between requests

    def handle_error(self, request: object, client_address: object) -> None:
        """Nothing: whoever asked has gone."""


class Request(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def do_GET(self) -> None:
        if self.path == "/ping":
            self._answer(200, b"Ok.\n", {})
        else:
            self._run(b"")

    def do_POST(self) -> None:
        self._run(b"".join(self._body()))

    def log_message(self, *_: object) -> None:
        """Nothing: what is asked stays between the two."""

    def _run(self, body: bytes) -> None:
        fields: dict[str, bytes] = {name: text.encode() for name, text in parse_qsl(urlsplit(self.path).query, True)}
        query_id = fields.get("query_id", str(uuid4()).encode()).decode()
        headers = {"X-ClickHouse-Query-Id": query_id, "X-ClickHouse-Timezone": "UTC"}
        kind = self.headers.get("Content-Type", "")
        began = time.perf_counter_ns()
        try:
            self._allow()
            body = decoded(body, self.headers.get("Content-Encoding", ""))
            if kind.startswith("multipart/form-data"):
                fields, body = fields | dict(parts(body, kind)), b""
            sql = b"\n".join(part for part in (fields.get("query", b""), body) if part)
            done = self._ask(sql, fields)
        except Exception as error:
            text = str(error)
            code = found[1] if (found := CODE.search(text)) else "1002"
            status = 403 if code == "516" else 500
            self._answer(status, text.encode() + b"\n", headers | {"X-ClickHouse-Exception-Code": code})
            return
        named = FORMAT.search(sql)
        summary = {"read_rows": str(done.rows_read()), "elapsed_ns": str(time.perf_counter_ns() - began)}
        headers |= {
            "X-ClickHouse-Format": named[1].decode() if named else "TabSeparated",
            "X-ClickHouse-Summary": json.dumps(summary),
        }
        self._answer(200, done.bytes(), headers)

    def _allow(self) -> None:
        if self.server.password is None:
            return
        given = base64.b64decode(self.headers.get("Authorization", "").removeprefix("Basic ")).decode()
        if given.partition(":")[2] != self.server.password:
            raise PermissionError("Code: 516. DB::Exception: Authentication failed. (AUTHENTICATION_FAILED)")

    def _ask(self, sql: bytes, fields: dict[str, bytes]) -> Any:
        handle, done = chdb.connect(self.server.path), Event()
        try:
            if "database" in fields:
                handle.query(f"USE {quoted(fields['database'].decode(), '`')}", "TabSeparated")
            tables = {name[: -len("_structure")] for name in fields if name.endswith("_structure")}
            for table in tables:
                external(handle, table, fields)
            mine = {f"{table}{part}" for table in tables for part in EXTERNAL} | tables
            settings = {
                name: value.decode()
                for name, value in fields.items()
                if name not in TRANSPORT and name not in mine and not name.startswith("param_")
            }
            if self.command == "GET":
                settings.setdefault("readonly", "2")
            # Last, since nothing can be set after it.
            settings |= {"readonly": settings.pop("readonly")} if "readonly" in settings else {}
            for name, value in settings.items():
                handle.query(f"SET {quoted(name, '`')} = {quoted(value, chr(39))}", "TabSeparated")
            params = {name[6:]: value.decode() for name, value in fields.items() if name.startswith("param_")}
            if inserting := INSERTING.match(sql):
                return insert(handle, inserting[1], inserting[2], sql[inserting.end() :])
            if settings.get(CANCELLING, "0") != "0" and settings.get("readonly", "0") != "0":
                Thread(target=self._watch, args=(sql, done), daemon=True).start()
            return handle.query(sql, fields.get("default_format", b"TabSeparated").decode(), params=params)
        finally:
            done.set()
            handle.close()

    def _watch(self, sql: bytes, done: Event) -> None:
        """End a read that runs when its client goes."""
        while not done.wait(WATCH_S):
            if select([self.connection], [], [], 0)[0] and not self.connection.recv(1, socket.MSG_PEEK):
                killer = chdb.connect(self.server.path)
                killer.query(f"KILL QUERY WHERE query = {quoted(sql.decode(), chr(39))} ASYNC", "TabSeparated")
                killer.close()
                return

    def _body(self) -> Iterator[bytes]:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            yield self.rfile.read(int(self.headers.get("Content-Length", 0)))
            return
        while size := int(self.rfile.readline().split(b";")[0], 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in (headers | {"Content-Length": str(len(body))}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


def external(handle: Any, table: str, fields: dict[str, bytes]) -> None:
    """A table that comes with the query and is gone after it."""
    handle.query(f"CREATE TEMPORARY TABLE {quoted(table, '`')} ({fields[f'{table}_structure'].decode()})")
    if not fields[table]:
        return  # chDB refuses an INSERT of nothing
    given = fields.get(f"{table}_format", b"TabSeparated")
    insert(handle, f"INSERT INTO {quoted(table, '`')}".encode(), given, fields[table])


def insert(handle: Any, into: bytes, kind: bytes, rows: bytes) -> Any:
    """Insert rows of a format."""
    with NamedTemporaryFile() as file:
        file.write(rows)
        file.flush()
        return handle.query(into + f" FROM INFILE {quoted(file.name, chr(39))} FORMAT ".encode() + kind)


def quoted(text: str, mark: str) -> str:
    """A name or a text within SQL."""
    return mark + text.replace("\\", "\\\\").replace(mark, "\\" + mark) + mark


def decoded(body: bytes, encoding: str) -> bytes:
    """A body as it was before it was compressed."""
    if encoding == "gzip":
        return gzip.decompress(body)
    if encoding == "zstd":
        return zstandard.ZstdDecompressor().stream_reader(body, read_across_frames=True).read()
    if encoding == "lz4":
        import lz4.frame

        frames = []
        while body:  # a frame for each block of rows
            frame = lz4.frame.LZ4FrameDecompressor()
            frames.append(frame.decompress(body))
            body = frame.unused_data or b""
        return b"".join(frames)
    return body


def parts(body: bytes, kind: str) -> Iterator[tuple[str, bytes]]:
    """The named parts of a form."""
    mark = b"--" + re.search(r'boundary="?([^";]+)', kind)[1].encode()  # type: ignore[index]
    for part in body.split(mark)[1:-1]:
        head, _, content = part.partition(b"\r\n\r\n")
        named = re.search(rb'\bname="([^"]*)"', head)
        if named:
            yield named[1].decode(), content.removesuffix(b"\r\n")


def main() -> None:
    """Serve until killed."""
    options = argparse.ArgumentParser()
    options.add_argument("path")
    options.add_argument("--port", type=int, default=0)
    options.add_argument("--password")
    options.add_argument("--cert")
    options.add_argument("--key")
    asked = options.parse_args()
    server = Server(asked.path, asked.port, asked.password)
    if asked.cert:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(asked.cert, asked.key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    sys.exit(main())
