"""The URL of a store as it may be told: without user, password and parameters."""


def masked(url: str) -> str:
    """A URL without anything that could be secret.

    What cannot be told apart, as a password with a question mark in it, is left out as a whole.
    """
    scheme, mark, rest = url.partition("://")
    if not mark:
        return "…" if "@" in url else url.partition("?")[0]
    place, _, parameters = rest.partition("?")
    return f"{scheme}{mark}{'…' if '@' in parameters else place.rpartition('@')[2]}"
