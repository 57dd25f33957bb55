"""How the command line reads and shows its options."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import click

from gateway.settings import described
from telemetry.simulator.options import FAULTS


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


class Whole(click.IntRange):
    """A whole number within bounds; click's own says "is not a valid integer range" to anything else."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The number. Raises click.BadParameter."""
        try:
            int(value)
        except ValueError:
            self.fail(f"{value!r} is not a whole number.", param, ctx)
        return super().convert(value, param, ctx)


def described_settings() -> str:
    """Every setting, one line each."""
    return _listed("Configuration, by environment variables:", {n: f"{doc} [{value}]" for n, value, doc in described()})


def described_faults() -> str:
    """Every fault that a simulation can put into its feed."""
    return _listed("Faults, for --faults:", FAULTS)


def _listed(title: str, entries: Mapping[str, str]) -> str:
    # \b keeps click from wrapping what follows.
    width = max(map(len, entries))
    return "\n".join(["\b", title, *(f"  {name:<{width}}  {doc}" for name, doc in entries.items())])
