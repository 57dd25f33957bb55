"""A client of server-sent events."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from tests.graph.live import SESSIONS, Running

EVENTS = {"Accept": "text/event-stream"}


@asynccontextmanager
async def client(running: Running) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=running.url.removesuffix("/graphql"), timeout=10) as found:
        yield found


class Events:
    """The events of an answer, one by one: (event, data, id)."""

    def __init__(self, answer: httpx.Response) -> None:
        self._lines = answer.aiter_lines()

    async def next(self) -> tuple[str, Any, str | None]:
        """The next event that says something."""
        found: dict[str, str] = {}
        async with asyncio.timeout(10):
            async for line in self._lines:
                if not line and found:
                    data = found["data"]
                    return found["event"], json.loads(data) if data else None, found.get("id")
                name, _, value = line.partition(":")
                if name:
                    found[name] = value.strip()
        raise EOFError

    async def counts(self) -> list[int]:
        """The sessions in the buckets of the next update."""
        event, body, _ = await self.next()
        assert event == "next", body
        return [one["metrics"]["sessions"] for one in body["data"]["metricsUpdated"]["buckets"]]


@asynccontextmanager
async def subscribed(running: Running, query: str = SESSIONS, **more: Any) -> AsyncIterator[Events]:
    headers = EVENTS | more.pop("headers", {})
    async with (
        client(running) as asking,
        asking.stream("POST", "/graphql", json={"query": query, **more}, headers=headers) as answer,
    ):
        assert answer.status_code == 200, await answer.aread()
        assert answer.headers["content-type"].partition(";")[0] == "text/event-stream"
        assert (answer.headers["cache-control"], "accept" in answer.headers["vary"].lower()) == ("no-store", True)
        yield Events(answer)
