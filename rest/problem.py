"""Errors on the REST surface: `application/problem+json` with the project's stable codes."""

from http import HTTPStatus

from starlette.responses import Response

from metrics.errors import BadRequest, GatewayError, RateLimited
from rest import schema
from rest.json import encoded

MEDIA_TYPE = "application/problem+json"
SCHEMA = schema.record(
    {
        "type": schema.text("Always about:blank: `code` tells problems apart."),
        "title": schema.text("The status in words."),
        "status": schema.whole("The HTTP status.", minimum=400, maximum=599),
        "code": schema.text("What went wrong; stable, for programs."),
        "detail": schema.text("What was wrong and what would be right, for people."),
        "argument": schema.text("The parameter or header that was wrong."),
        "request_id": schema.text("Under which id the log has this request."),
    },
    "A problem (RFC 9457).",
    optional=("argument",),
)


def problem(status: int, code: str, detail: str, request_id: str, **more: object) -> Response:
    """One problem as a response; `more` holds members of its own, and those that are None are left out."""
    content = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
    }
    content |= {name: value for name, value in more.items() if value is not None} | {"request_id": request_id}
    return Response(encoded(content), status, media_type=MEDIA_TYPE)


def of_error(error: GatewayError, request_id: str) -> Response:
    """The response that tells a caller what was wrong, and with which argument."""
    argument = error.argument if isinstance(error, BadRequest) else None
    response = problem(error.status, error.code, str(error), request_id, argument=argument)
    if isinstance(error, RateLimited):
        response.headers["Retry-After"] = str(error.retry_after_s)
    if error.status == HTTPStatus.REQUEST_TIMEOUT:
        response.headers["Connection"] = "close"  # the rest of the body may still come, and is no request
    if error.status == HTTPStatus.NOT_ACCEPTABLE:
        response.headers["Vary"] = "Accept"
    if error.status == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = 'Bearer realm="naap-gateway"'
    return response
