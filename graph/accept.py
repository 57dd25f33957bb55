"""Which media type a request to the graph is answered in."""

from starlette.requests import Request

from graph.event_stream import EVENTS
from resolvers import media
from resolvers.tables.forms import BY_MEDIA_TYPE

JSON, RESPONSE_JSON, MULTIPART, PAGE = media.JSON, "application/graphql-response+json", "multipart/mixed", "text/html"
# What an ETag calls the media types.
VARIANTS = {JSON: "j", RESPONSE_JSON: "g", MULTIPART: "m"} | {kind: form.name for kind, form in BY_MEDIA_TYPE.items()}


def _accept(request: Request) -> str:
    return ",".join(request.headers.getlist("accept"))


def wants_page(request: Request) -> bool:
    """Is it a browser, which shows pages?"""
    try:
        return media.chosen(_accept(request), (JSON, PAGE)) == PAGE
    except media.NotAcceptable:
        return False


def without_tables(kind: str) -> str:
    """What is told of this type in JSON, with a status, where it is a table."""
    return RESPONSE_JSON if kind in BY_MEDIA_TYPE else kind


def names(kind: str, request: Request) -> bool:
    """Does Accept name this type, and not refuse it?"""
    accept = _accept(request).lower()
    try:
        return kind in accept and media.chosen(accept, (kind,)) == kind
    except media.NotAcceptable:
        return False


def wanted_type(request: Request, is_live: bool) -> str:
    """JSON where anything will do, for clients that do not say know that best; the new type where it is named.

    Events only where nothing else will do: many clients list them beside JSON and read none from a query.
    """
    accept = _accept(request)
    offered = (RESPONSE_JSON, JSON) if RESPONSE_JSON in accept.lower() else (JSON, RESPONSE_JSON)
    try:
        return media.chosen(accept, (*offered, MULTIPART, *BY_MEDIA_TYPE))
    except media.NotAcceptable:
        if is_live and names(EVENTS, request):
            return EVENTS
        raise
