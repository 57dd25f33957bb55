"""A way to a server that can break: what it does to each answer is decided by the test."""

import select
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

# Given the head of a request, how many bytes of its answer come through; None: all.
Decide = Callable[[bytes], int | None]


@contextmanager
def relayed(port: int, decide: Decide) -> Iterator[int]:
    """The port of a relay to a port of this machine."""
    listening = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        while True:
            try:
                client, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=_relay, args=(client, port, decide), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield listening.getsockname()[1]
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()


def _relay(client: socket.socket, port: int, decide: Decide) -> None:
    with client, socket.create_connection(("127.0.0.1", port)) as server:
        left: int | None = None
        asking = False
        while True:
            readable, _, _ = select.select([client, server], [], [])
            if client in readable:
                data = client.recv(65536)
                if not data:
                    return
                if not asking:
                    left, asking = decide(data), True
                server.sendall(data)
            if server in readable:
                data = server.recv(65536)
                asking = False
                if not data:
                    return
                client.sendall(data if left is None else data[:left])
                if left is not None:
                    return
