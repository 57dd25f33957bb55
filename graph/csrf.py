"""Whether a page of another site may have made a browser send a request, unseen by its user."""

from collections.abc import Mapping

# A browser asks first (a preflight) before it sends one of these across sites.
PREFLIGHTED = ("graphql-require-preflight", "apollo-require-preflight", "x-apollo-operation-name")
OWN = ("same-origin", "none")


def is_forgeable(headers: Mapping[str, str]) -> bool:
    """Whether a GET comes from another site's page without a preflight. Programs that are no browsers never do.

    A POST needs no look: it must be application/json, which is preflighted.
    """
    if any(name in headers for name in PREFLIGHTED) or "authorization" in headers:
        return False
    return headers.get("sec-fetch-site", "none") not in OWN
