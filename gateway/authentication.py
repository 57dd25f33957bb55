"""Who asks: every request gets its Caller before anything else sees it, and a token that is not good gets 401."""

from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from auth.access import Access
from auth.audit import record
from auth.caller import ANONYMOUS
from auth.refusal import Refused
from graph.app import refusal
from metrics.errors import GatewayError
from rest.login import WITHOUT_TOKEN
from rest.problem import of_error


class Authenticated:
    """Resolves `Authorization` into `request.state.caller`."""

    def __init__(self, app: ASGIApp, access: Access, graphs: Collection[str]) -> None:
        self.app, self._access, self._graphs = app, access, frozenset(graphs)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        # Where one comes for a new token the old one may be sent along, expired as it is.
        header = None if scope["path"] in WITHOUT_TOKEN else Headers(scope=scope).get("authorization")
        caller = ANONYMOUS if header is None else self._access.known(header)
        if caller is None:
            try:
                caller = await self._access.caller(header)
            except GatewayError as error:
                await self._refused(scope, error)(scope, receive, send)
                return
        scope.setdefault("state", {})["caller"] = caller
        await self.app(scope, receive, send)

    def _refused(self, scope: Scope, error: GatewayError) -> Response:
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
    """The address that asks."""
    return request.client.host if request.client else None
