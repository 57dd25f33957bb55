"""URLs of stores as they may be told: without user, password and parameters."""

import re

# An address may hold commas itself (several hosts of one server): the next URL begins with a scheme.
BETWEEN = re.compile(r"\s*,\s*(?=[a-z][a-z0-9+.-]*://)")


def shown(text: str) -> str:
    """One or several URLs, with commas between, without anything that could be secret.

    What cannot be told apart, as a password with a question mark in it, is left out as a whole.
    """
    return ", ".join(_shown(url) for url in BETWEEN.split(text.strip()))


def _shown(url: str) -> str:
    scheme, mark, rest = url.partition("://")
    if not mark:
        return url.partition("?")[0] if "@" not in url else "…"
    place, _, parameters = rest.partition("?")
    return f"{scheme}{mark}{'…' if '@' in parameters else place.rpartition('@')[2]}"
