"""`naap token`: the tokens of machines, and the keys that sign. Runs beside a gateway that serves."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import click
import orjson

from auth import audit, signing
from auth.access import Access
from auth.caller import Role, Scope
from auth.signature import ADDRESS
from auth.store.tokens import Token
from gateway.login import keys_directory, open_access
from gateway.settings import Settings
from gateway.store import utc_now
from metrics.errors import BadRequest

COLUMNS = ("id", "name", "kind", "role", "scopes", "expires", "last used", "state")


def issued(
    settings: Settings, name: str, role: str, wallets: tuple[str, ...], scopes: tuple[str, ...], days: int, kind: str
) -> None:
    """Print a new token, and nothing else, to standard output."""
    named = [_wallet(one) for one in wallets]
    wanted = frozenset(_scope(one) for one in scopes)
    with _opened(settings) as access:
        _, text = access.machines.issue(name, kind, Role(role), named, wanted, timedelta(days=days), utc_now())
    click.echo(text)
    click.echo("Keep it now: it is not shown again. Send it as Authorization: Bearer …", err=True)


def listed(settings: Settings, form: str) -> None:
    """Print every token, without what it is."""
    with _opened(settings) as access:
        told = [_told(one) for one in access.machines.listed()]
    if form == "ndjson":
        click.echo(b"".join(orjson.dumps(one) + b"\n" for one in told), nl=False)
        return
    rows = [COLUMNS, *(tuple(str(one[name.replace(" ", "_")] or "-") for name in COLUMNS) for one in told)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def revoked(settings: Settings, id: str) -> None:
    """End a token."""
    with _opened(settings) as access:
        token = access.machines.revoke(id, utc_now())
    click.echo(f"{token.name} ({token.id}) is revoked")


def rotated(settings: Settings, retire: bool) -> None:
    """Make a new key that signs; with `retire` remove the others."""
    with _opened(settings):  # which makes the first one
        directory = keys_directory(settings)
        key = signing.rotate(directory)
        audit.record("key_rotated", utc_now(), kid=key.kid)
        click.echo(f"{directory / key.name} signs from now on")
        if retire:
            _retire(directory)


def retired(settings: Settings) -> None:
    """Remove every key but the one that signs."""
    with _opened(settings):
        directory = keys_directory(settings)
        if not _retire(directory):
            click.echo(f"{directory} has one key only, which signs: there is nothing to retire")


def _retire(directory: Path) -> int:
    old = signing.retire(directory)
    for one in old:
        audit.record("key_retired", utc_now(), kid=one.kid)
        click.echo(f"{one.name} is retired: what it signed is refused within five seconds")
    return len(old)


@contextmanager
def _opened(settings: Settings) -> Iterator[Access]:
    audit.to_stream()
    access = open_access(settings, utc_now)
    try:
        yield access
    finally:
        access.close()


def _told(token: Token) -> dict[str, str | None]:
    role = Role.OPERATOR if token.operator else Role.ORCHESTRATOR if token.orchestrators else Role.GATEWAY
    over = "revoked" if token.revoked_at else "expired" if token.expires_at <= utc_now() else "in force"
    return {
        "id": token.id,
        "name": token.name,
        "kind": token.kind,
        "role": str(role),
        "scopes": " ".join(sorted(token.scopes)),
        "expires": token.expires_at.isoformat(timespec="seconds"),
        "last_used": token.last_used_at.isoformat(timespec="seconds") if token.last_used_at else None,
        "state": over,
    }


def _wallet(text: str) -> str:
    if not ADDRESS.fullmatch(text):
        raise BadRequest(f"--wallet: {text!r} is no wallet: 0x and 40 hexadecimal digits.", "--wallet")
    return text.lower()


def _scope(text: str) -> Scope:
    try:
        return Scope(text)
    except ValueError:
        raise BadRequest(f"--scope: {text!r} is none. There are: {', '.join(sorted(Scope))}.", "--scope") from None
