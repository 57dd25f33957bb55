"""Bodies: what is read of a request, and how long is waited for it."""

import asyncio

import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message

from rest import body
from rest.problem import of_error


def request(messages: list[Message], length: str = "9") -> Request:
    """A request whose body comes in these messages, and then never ends."""
    waiting = iter(messages)

    async def receive() -> Message:
        if (message := next(waiting, None)) is None:
            await asyncio.Event().wait()
        assert message is not None
        return message

    return Request(
        {"type": "http", "method": "POST", "headers": [(b"content-length", length.encode("latin-1"))]}, receive
    )


def piece(content: bytes, more: bool = True) -> Message:
    return {"type": "http.request", "body": content, "more_body": more}


async def test_a_body_that_stops_arriving_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "PATIENCE_S", 0.02)

    with pytest.raises(body.TooSlow, match="nothing of the body came") as caught:
        await body.read(request([piece(b"{")]), 100, 100)

    answer = of_error(caught.value, "a-request")
    assert (answer.status_code, answer.media_type) == (408, "application/problem+json")
    assert answer.headers["connection"] == "close"


async def test_a_body_that_comes_slowly_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "PATIENCE_S", 0.2)
    slowly = request([piece(b"x")] * 5 + [piece(b"y", more=False)])
    receive = slowly._receive

    async def later() -> Message:
        await asyncio.sleep(0.05)
        return await receive()

    slowly._receive = later

    assert await body.read(slowly, 100, 100) == b"xxxxxy"


async def test_a_body_that_drips_for_ever_is_given_up() -> None:
    slowly = request([piece(b"x")])

    async def dripping() -> Message:
        await asyncio.sleep(0.01)
        return piece(b"x")

    slowly._receive = dripping

    with pytest.raises(body.TooSlow, match=r"longer than 0\.1 s") as caught:
        async with asyncio.timeout(2):
            await body.read(slowly, 10**6, 10**6, 0.1)
    assert of_error(caught.value, "a-request").status_code == 408


async def test_a_caller_who_goes_away_is_not_slow() -> None:
    with pytest.raises(ClientDisconnect):
        await body.read(request([piece(b"{"), {"type": "http.disconnect"}]), 100, 100)


@pytest.mark.parametrize(("length", "refused"), [("9" * 5000, True), ("101", True), ("100", False), ("\xb2", False)])
async def test_a_promise_of_too_much_is_refused_at_once(length: str, refused: bool) -> None:
    reading = body.read(request([piece(b"x", more=False)], length), 100, 100)
    if refused:
        with pytest.raises(body.TooLarge):
            await reading
    else:
        assert await reading == b"x"
