"""Who asks: every request gets its address and its Caller before anything else sees it; a bad token gets 401."""

from collections.abc import Collection
from contextlib import suppress

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from auth.access import Access
from auth.audit import record
from auth.caller import ANONYMOUS, Caller
from auth.refusal import Refused
from gateway.address import Proxies, counted
from gateway.metered import refused
from gateway.refusals import Refusals
from graph.response import refusal
from graph.websocket import FORBIDDEN
from metrics.errors import GatewayError, RateLimited
from rest.login import WITHOUT_TOKEN
from rest.problem import of_error


class Authenticated:
    """Resolves where a request comes from into `request.state.address`, and `Authorization` into `.caller`."""

    def __init__(self, app: ASGIApp, access: Access, graphs: Collection[str], proxies: Proxies, rate: int) -> None:
        self.app, self._access, self._graphs, self._proxies = app, access, frozenset(graphs), proxies
        self._refusals = Refusals(rate)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        state["address"] = self._proxies.caller_of(scope)
        if scope["type"] == "websocket":
            await self._connected(scope, receive, send)
            return
        # Where one comes for a new token the old one may be sent along, expired as it is.
        header = None if scope["path"] in WITHOUT_TOKEN else Headers(scope=scope).get("authorization")
        caller = ANONYMOUS if header is None else self._access.known(header)
        if caller is None:
            key = counted(state["address"])
            try:
                caller = await self._looked_at(header, key)
            except GatewayError as error:
                response = self._refused(scope, error)
                await self._refusals.tell(key, response.headers)
                await response(scope, receive, send)
                return
        state["caller"] = caller
        await self.app(scope, receive, send)

    async def _connected(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A socket says later who it is: that was a bad token where it is closed as forbidden."""
        key = counted(scope["state"]["address"])
        try:
            await self._refusals.admit(key)
        except RateLimited:
            await receive()
            await send({"type": "websocket.close"})  # before it is accepted, which is the status 403
            return
        await self._refusals.forgive(key)

        async def sending(message: Message) -> None:
            if message["type"] == "websocket.close" and message.get("code") == FORBIDDEN:
                with suppress(RateLimited):
                    await self._refusals.admit(key)
            await send(message)

        await self.app(scope, receive, sending)

    async def _looked_at(self, header: str | None, key: str) -> Caller:
        """Whom a header stands for that is not known yet. Raises Refused, RateLimited."""
        await self._refusals.admit(key)
        caller = await self._access.caller(header)
        await self._refusals.forgive(key)
        return caller

    def _refused(self, scope: Scope, error: GatewayError) -> Response:
        if isinstance(error, RateLimited):
            return refused(scope, error)
        request = Request(scope)
        if isinstance(error, Refused):
            record("token_refused", self._access.clock(), client_of(request), reason=error.reason)
        response = of_error(error, request.state.request_id)
        if "WWW-Authenticate" in response.headers:
            response.headers["WWW-Authenticate"] += ', error="invalid_token"'
        if scope["path"] not in self._graphs:
            return response
        told = {"WWW-Authenticate": response.headers["WWW-Authenticate"]} if error.status == 401 else {}
        return refusal(error, told)


def client_of(request: HTTPConnection) -> str | None:
    """The address that asks, as far as our own proxies tell it."""
    address: str | None = getattr(request.state, "address", None)
    return address
