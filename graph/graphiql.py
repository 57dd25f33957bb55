"""GraphiQL without the internet: the page, its parts (kept compressed beside it), and what the browser may do there."""

import gzip
import html
from functools import cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

STATIC = Path(__file__).parent / "static"
PARTS = {
    "react.production.min.js": "text/javascript",
    "react-dom.production.min.js": "text/javascript",
    # GraphiQL compiles code from text, which the policy forbids, unless this comes first.
    "before.js": "text/javascript",
    "graphiql.min.js": "text/javascript",
    "graphiql.min.css": "text/css",
    "page.js": "text/javascript",
}
# GraphiQL writes style attributes; scripts come from here only.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {"Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}


def page(path: str) -> Response:
    """The page, whose parts lie under `path`."""
    text = _page().replace("{path}", html.escape(path.rstrip("/"), quote=True))
    # The same place answers queries in JSON.
    return Response(text, media_type="text/html", headers={**HEADERS, "Vary": "Accept"})


async def part(request: Request) -> Response:
    """One of the page's parts."""
    name = request.path_params["name"]
    if name not in PARTS:
        return Response("no such part", 404, media_type="text/plain")
    headers = {**HEADERS, "Cache-Control": "public, max-age=3600", "Vary": "Accept-Encoding"}
    body = _packed(name)
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
    else:
        body = gzip.decompress(body)
    return Response(body, media_type=PARTS[name], headers=headers)


@cache
def _page() -> str:
    return (STATIC / "page.html").read_text()


@cache
def _packed(name: str) -> bytes:
    plain = STATIC / name
    return gzip.compress(plain.read_bytes()) if plain.exists() else (STATIC / f"{name}.gz").read_bytes()
