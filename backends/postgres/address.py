"""URLs of PostgreSQL databases."""

import psycopg
from psycopg.conninfo import conninfo_to_dict

from metrics.errors import BadRequest


def checked(url: str) -> str:
    """The URL, as libpq writes them. Raises BadRequest where it is none, without telling it: it may hold a password."""
    try:
        conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        raise BadRequest(
            "NAAP_BACKEND is no URL that PostgreSQL understands. "
            "Write it as postgresql://user:password@host:5432/database.",
            "NAAP_BACKEND",
        ) from None
    return url
