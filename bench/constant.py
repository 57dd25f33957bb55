"""`naap serve` with one more path: `/constant/N` answers anything with the same N bytes (`python -m bench.constant`).

What the gateway tells from memory is measured beside it (`bench.cached`).
"""

import os
from functools import cache

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway import serve
from gateway.app import Parts, build_app
from gateway.settings import from_environment


@cache
def content(length: int) -> bytes:
    """So many bytes."""
    return b"x" * length


async def constant(request: Request) -> Response:
    """The same bytes, whatever is asked."""
    await request.body()
    body = content(request.path_params["length"])
    return Response(body, headers={"Cache-Control": "no-store"}, media_type="application/json")


def with_constant(parts: Parts) -> Starlette:
    """The application and the path, found before any other, which goes through everything that others go through."""
    app = build_app(parts)
    app.router.routes.insert(0, Route("/constant/{length:int}", constant, methods=["GET", "POST"]))
    return app


if __name__ == "__main__":
    serve.build_app = with_constant
    serve.run(from_environment(os.environ), None, None, None)
