"""What every request passes through: an id, headers that protect, and errors that say what is needed and no more."""

import logging
import re
import uuid
from datetime import UTC, datetime
from urllib.parse import urlsplit, urlunsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from auth.audit import record
from auth.caller import ANONYMOUS
from auth.refusal import Refused
from gateway.logs import REQUEST
from metrics.errors import Forbidden, GatewayError, Unauthenticated
from rest.problem import of_error, problem

log = logging.getLogger("naap.http")

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
}
# Pages bring their own scripts and styles inline; nothing comes from elsewhere.
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self' data:; worker-src 'self' blob:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
)


class Protected:
    """Gives each request and WebSocket an id, answers failures with problems, and adds the protecting headers."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        request_id = _request_id(Headers(scope=scope))
        scope.setdefault("state", {})["request_id"] = request_id
        REQUEST.set(request_id)
        if scope["type"] == "websocket":
            await self.app(scope, receive, _naming(send, request_id))
            return
        started = False

        async def sending(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                _protect(MutableHeaders(scope=message), request_id)
            await send(message)

        try:
            await self.app(scope, receive, sending)
        except ClientDisconnect:  # nobody is left to answer, and nothing is wrong here
            log.info("request %s ended early: the client is gone", request_id)
        except Exception:
            # %r: a path may hold the end of a line. Never the query string, it may hold GraphQL variables.
            log.exception("request %s failed: %s %r", request_id, scope["method"], scope["path"])
            if started:
                raise
            detail = "something went wrong inside. The log has it under this request_id."
            await problem(500, "INTERNAL", detail, request_id)(scope, receive, sending)


async def gateway_error(request: Request, error: Exception) -> Response:
    """A GatewayError as a problem."""
    assert isinstance(error, GatewayError)
    # Refusals to sign in are told where they happen.
    if isinstance(error, Forbidden | Unauthenticated) and not isinstance(error, Refused):
        known = getattr(request.state, "caller", ANONYMOUS).subject
        client = getattr(request.state, "address", None)
        record("forbidden", datetime.now(UTC), client, subject=known, what=request.scope["path"])
    return of_error(error, request.state.request_id)


async def http_error(request: Request, error: Exception) -> Response:
    """Starlette's own errors (no such path, wrong method) as problems."""
    assert isinstance(error, HTTPException)
    # Not request.url: it is made of the Host header, which may be anything.
    path, method = request.scope["path"], request.method
    if error.status_code == 404:
        response = problem(
            404, "NOT_FOUND", f"there is nothing at {path}. / says what there is.", request.state.request_id
        )
    elif error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "another method")
        detail = f"{path} does not take {method}. Use {allowed}."
        response = problem(405, "BAD_REQUEST", detail, request.state.request_id)
    else:
        code = "BAD_REQUEST" if error.status_code < 500 else "INTERNAL"
        response = problem(error.status_code, code, str(error.detail), request.state.request_id)
    response.headers.update(error.headers or {})
    return response


def _naming(send: Send, request_id: str) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "websocket.accept":
            MutableHeaders(scope=message)["X-Request-Id"] = request_id
        await send(message)

    return sending


def _request_id(headers: Headers) -> str:
    given = headers.get("x-request-id", "")
    return given if REQUEST_ID.fullmatch(given) else uuid.uuid4().hex


def _protect(headers: MutableHeaders, request_id: str) -> None:
    headers["X-Request-Id"] = request_id
    if "location" in headers:
        # To somewhere else here: the host that a redirect would name is the caller's own word.
        to = urlsplit(headers["location"])
        headers["location"] = urlunsplit(("", "", f"/{to.path.lstrip('/')}", to.query, ""))
    for name, value in HEADERS.items():
        headers.setdefault(name, value)
    if headers.get("content-type", "").startswith("text/html"):
        headers.setdefault("Content-Security-Policy", POLICY)
