"""The `naap` command. Each subcommand is a small module; this one reads arguments and says errors to people."""

import os
import sys
import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any

import click

from gateway.options import Whole, described_faults, described_settings, instant
from gateway.settings import Settings, from_environment
from metrics.errors import BadRequest, GatewayError

WRONG_USAGE = 2
INTERRUPTED = 130


def settings() -> Settings:
    """The settings of this environment."""
    return from_environment(os.environ)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="naap-gateway")
@click.option("--debug", is_flag=True, help="Show the traceback of an unexpected error.")
def cli(debug: bool) -> None:
    """Service levels of the Livepeer AI network: load its events, ask about them in GraphQL and REST."""


@cli.command(epilog=described_settings())
@click.option("--host", help="The address to listen on (default: NAAP_HOST).")
@click.option("--port", type=Whole(1, 65_535), help="The port to listen on (default: NAAP_PORT).")
@click.option("--workers", type=Whole(1, 64), help="Serving processes (default: NAAP_WORKERS).")
def serve(host: str | None, port: int | None, workers: int | None) -> None:
    """Serve GraphQL and REST until stopped."""
    from gateway.serve import run

    run(settings(), host, port, workers)


@cli.command()
@click.argument("paths", nargs=-1, metavar="PATH…|-")
@click.option(
    "--source",
    default="default",
    show_default=True,
    help="The name of the feed that these events belong to. The same file under another name counts again.",
)
@click.option(
    "--stake",
    "stakes",
    multiple=True,
    metavar="FILE",
    help="A file of stake: CSV with the columns address, lpt and time, or JSON objects with these keys.",
)
@click.option("--to", "url", help="Send them to the gateway that serves at this URL instead of opening the store.")
@click.option("--strict", is_flag=True, help="Exit with 1 where an event was rejected.")
def ingest(paths: tuple[str, ...], stakes: tuple[str, ...], source: str, url: str | None, strict: bool) -> int:
    """Load event files: NDJSON or a JSON array, plain, .gz or .zst; - is standard input."""
    from gateway.ingest import run

    if not paths and not stakes:
        raise click.UsageError("name the files to load: PATH…, - or --stake FILE.")
    return run(settings(), paths, stakes, source, url, strict)


@cli.command(epilog=described_faults())
@click.option("--orchestrators", type=int, default=10, show_default=True, help="How many orchestrators there are.")
@click.option("--hours", type=float, default=24.0, show_default=True, help="How long the simulated time is.")
@click.option("--seed", type=int, default=1, show_default=True, help="Same seed, same bytes.")
@click.option("--end", metavar="TIME", callback=instant, help="When it ends: like 2026-01-10T00:00:00Z, or now.")
@click.option("--rate", type=float, help="Sessions per orchestrator and hour.")
@click.option("--faults", default="none", show_default=True, help="none, all, or a list such as loss,late.")
@click.option("--truth", type=click.Path(dir_okay=False, writable=True), help="Write what is true to this file.")
def simulate(**options: Any) -> None:
    """Write the events of a simulated network as NDJSON to standard output."""
    from gateway.simulate import run

    run(**options)


@cli.command()
@click.option(
    "--start", metavar="TIME", callback=instant, help="Derive only what is at or after this time; needs --end."
)
@click.option("--end", metavar="TIME", callback=instant, help="… and before this one.")
def rebuild(start: datetime | None, end: datetime | None) -> None:
    """Derive everything again from the raw log. Changes no answer."""
    from gateway.store import rebuild as run

    run(settings(), start, end)


@cli.command()
def migrate() -> None:
    """Bring the store's tables up to date."""
    from gateway.store import migrate as run

    run(settings())


@cli.command()
@click.argument("origin", metavar="FROM")
@click.argument("target", metavar="TO")
@click.option(
    "--where",
    multiple=True,
    metavar="KEY=VALUE…",
    help="Only a part: source=NAME, region=NAME (region= where none is known), from=TIME, until=TIME; whole hours.",
)
@click.option("--restart", is_flag=True, help="Begin anew where an earlier run of the same copy broke off.")
def copy(origin: str, target: str, where: tuple[str, ...], restart: bool) -> int:
    """Copy the content of one store into another: raw log, facts, stake.

    FROM and TO are URLs as in NAAP_BACKEND. Run it again after it was stopped: it goes on from there. At the end it
    compares counts and checksums of both.
    """
    from gateway.copy import run

    return run(settings(), origin, target, where, restart)


@cli.command()
def schema() -> None:
    """Print the GraphQL schema (SDL)."""
    from graph.schema import sdl

    click.echo(sdl().rstrip("\n"))


@cli.group()
def datasets() -> None:
    """List, check and sample the sets of prompts that workflows are loaded with."""


PLACE = click.option(
    "--from", "place", metavar="PLACE", help="A directory, archive or URL of datasets (default: NAAP_DATASETS)."
)
WORKFLOW = click.option("--workflow", help="Only datasets for this workflow.")
TYPE = click.option("--type", "kind", type=click.Choice(("good", "random", "bad")), help="Only datasets of this type.")


@datasets.command("list")
@PLACE
@WORKFLOW
@TYPE
@click.option("--format", "form", type=click.Choice(("text", "ndjson")), default="text", show_default=True)
def list_datasets(**options: Any) -> None:
    """List the datasets that there are."""
    from gateway.datasets import listed

    listed(settings().datasets, **options)


@datasets.command()
@PLACE
def validate(place: str | None) -> int:
    """Check every dataset, and say what is wrong in which file."""
    from gateway.datasets import validated

    return validated(settings().datasets, place)


@datasets.command()
@click.argument("name", required=False)
@PLACE
@WORKFLOW
@TYPE
@click.option("--count", type=int, default=10, show_default=True, help="How many prompts; each comes at most once.")
@click.option("--seed", type=int, default=1, show_default=True, help="Same seed, same prompts.")
@click.option(
    "--format",
    "form",
    type=click.Choice(("ndjson", "text")),
    default="ndjson",
    show_default=True,
    help="ndjson has every character; text is for reading, one prompt to a line.",
)
def sample(**options: Any) -> None:
    """Draw prompts from the dataset NAME, or from all that fit."""
    from gateway.datasets import sampled

    sampled(settings().datasets, **options)


@cli.group()
def token() -> None:
    """Issue, list and revoke the tokens of machines, and rotate the keys that sign tokens."""


@token.command()
@click.option("--name", required=True, help="Whose it is: a-z, 0-9, '.', '_', '-'.")
@click.option("--role", type=click.Choice(("orchestrator", "gateway", "operator")), required=True)
@click.option("--wallet", "wallets", multiple=True, help="The wallet whose private data it may read; repeatable.")
@click.option("--scope", "scopes", multiple=True, help="What it is good for, such as earnings:read; repeatable.")
@click.option("--days", type=Whole(1, 731), default=90, show_default=True, help="How long it is good.")
@click.option(
    "--kind",
    type=click.Choice(("key", "jwt")),
    default="key",
    show_default=True,
    help="An API key, or a signed token that others can check with /.well-known/jwks.json.",
)
def issue(**options: Any) -> None:
    """Make a token and print it: the one time that it can be seen."""
    from gateway.tokens import issued

    issued(settings(), **options)


@token.command("list")
@click.option("--format", "form", type=click.Choice(("text", "ndjson")), default="text", show_default=True)
def list_tokens(form: str) -> None:
    """List the tokens that were issued, and when each was last used."""
    from gateway.tokens import listed

    listed(settings(), form)


@token.command()
@click.argument("id")
def revoke(id: str) -> None:
    """End the token ID; processes that know it already forget it within five seconds."""
    from gateway.tokens import revoked

    revoked(settings(), id)


@token.command("rotate")
@click.option(
    "--retire", is_flag=True, help="Remove all older keys as well, as after a leak: what they signed is refused."
)
def rotate_keys(retire: bool) -> None:
    """Make a new signing key. What older keys signed stays good until they are retired."""
    from gateway.tokens import rotated

    rotated(settings(), retire)


@token.command("retire")
def retire_keys() -> None:
    """Remove every signing key but the newest: what the others signed is refused from then on."""
    from gateway.tokens import retired

    retired(settings())


@cli.command(hidden=True)
@click.option("--port", type=Whole(1, 65_535), default=8000, show_default=True)
@click.option("--directory", default=".demo", show_default=True, type=click.Path(file_okay=False))
@click.option("--hours", type=click.FloatRange(0.1, 240), default=48.0, show_default=True)
def demo(port: int, directory: str, hours: float) -> None:
    """Simulate the last hours of a network, load them, and serve (`make demo`)."""
    from gateway.demo import run

    run(port, directory, hours)


def main() -> None:
    """The entry point: runs a command, and turns every failure into a line that helps and an exit status."""
    sys.exit(_status(lambda: cli.main(prog_name="naap", standalone_mode=False)))


def _status(run: Callable[[], object]) -> int:
    try:
        result = run()
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except GatewayError as error:
        _complain(str(error))
        return WRONG_USAGE if _of_an_option(error) else 1
    except (click.Abort, KeyboardInterrupt):
        _complain("stopped. What was acknowledged is kept; the same command goes on from there.")
        return INTERRUPTED
    except OSError as error:
        _complain(f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}.")
        return 1
    except Exception as error:
        if "--debug" in sys.argv:
            raise
        _complain(f"unexpected {type(error).__name__}: {error} (id {uuid.uuid4().hex[:12]})")
        _complain("this is a fault of naap-gateway. `naap --debug …` with the same arguments shows where.")
        return 1
    return result if isinstance(result, int) else 0


def _of_an_option(error: GatewayError) -> bool:
    return isinstance(error, BadRequest) and (error.argument or "").startswith("--")


def _complain(text: str) -> None:
    click.echo(f"naap: {' '.join(text.split())}", err=True)


if __name__ == "__main__":
    main()
