"""How the command line reads and shows its options."""

from datetime import UTC, datetime

import click

from gateway.settings import described


def instant(context: click.Context, option: click.Parameter, text: str | None) -> datetime | None:
    """The instant that an option names: a time with a zone, or `now`."""
    if text is None or text == "now":
        return None if text is None else datetime.now(UTC).replace(microsecond=0)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(f"{text!r} is not a time. Write it like 2026-01-10T00:00:00Z.") from None
    if at.tzinfo is None:
        raise click.BadParameter(f"{text!r} has no time zone. Write it like 2026-01-10T00:00:00Z.")
    return at.astimezone(UTC)


def described_settings() -> str:
    """Every setting, one line each; the first character keeps click from wrapping them."""
    rows = described()
    width = max(len(name) for name, _, _ in rows)
    lines = [f"  {name:<{width}}  {doc} [{default}]" for name, default, doc in rows]
    return "\b\nConfiguration, by environment variables:\n" + "\n".join(lines)
