"""Passwords of stores: in no message, no error with all that led to it, and no line of the log."""

import logging
import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from auth.meter import open_meter
from gateway.login import open_access
from gateway.masked import masked
from gateway.places import shown
from gateway.serve import run
from gateway.settings import Settings, from_environment
from gateway.store import migrate, open_store, utc_now

SECRET = "s3cr3t"
QUICK = Settings(store_retry_s=0, store_connect_s=1)
BACKENDS = (
    f"clickhouse://user:{SECRET}@127.0.0.1:1/naap",
    f"clickhouse://user:{SECRET}@127.0.0.1:1/naap?cluster=c",
    f"clickhouse://127.0.0.1:1/naap?password={SECRET}",
    f"clickhouse://user:{SECRET}@127.0.0.1:x/naap",
    f"clickhouse://user:{SECRET}#@127.0.0.1/naap",
    f"postgresql://user:{SECRET}@127.0.0.1:1/naap",
    f"postgresql://user@127.0.0.1:1/naap?password={SECRET}",
    f"postgresql://user:a?{SECRET}@127.0.0.1:1/naap",
    f"postgresql://user:{SECRET}@127.0.0.1:x/naap",
    f"chdb://user:{SECRET}@/nowhere?x",
    f"mysql://user:{SECRET}@127.0.0.1/naap?password={SECRET}",
    f"mysql:user:{SECRET}@127.0.0.1/naap",
)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("chdb:///data/naap", "chdb:///data/naap"),
        ("chdb://~/.naap", "chdb://~/.naap"),
        ("clickhouse://u:p@h:8123/naap?cluster=c", "clickhouse://h:8123/naap"),
        ("clickhouse://h/naap?password=p", "clickhouse://h/naap"),
        ("clickhouse://h/naap?password=p@ss", "clickhouse://…"),
        ("postgresql://u:p@ss/w@h:5432/naap", "postgresql://h:5432/naap"),
        ("postgresql://u:p?x@h/naap", "postgresql://…"),
        ("postgresql://u:p@h1,u:p@h2/naap", "postgresql://h2/naap"),
        ("u:p@h", "…"),
    ],
)
def test_a_url_is_told_without_what_is_secret(url: str, told: str) -> None:
    assert masked(url) == shown(url) == told


def test_of_several_stores_the_names_are_told() -> None:
    assert shown("chdb:///a?name=x, clickhouse://u:p@h/b?password=p") == "x, store-2"


def _serve(url: str) -> None:
    run(replace(QUICK, backend=url), None, None, 2)


@pytest.mark.parametrize(
    "use", [lambda url: open_store(url, QUICK), lambda url: migrate(replace(QUICK, backend=url)), _serve]
)
@pytest.mark.parametrize("url", BACKENDS)
def test_a_store_that_cannot_be_opened_tells_no_password(
    url: str, use: Callable[[str], object], caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    _tells_nothing(lambda: use(url), caplog, capfd)


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://user:{SECRET}@127.0.0.1:1/logins",
        f"postgresql://user@127.0.0.1:1/logins?password={SECRET}",
        f"postgresql://user:{SECRET}@127.0.0.1:x/logins",
        f"mysql://user:{SECRET}@127.0.0.1/logins",
        f"user:{SECRET}@127.0.0.1",
    ],
)
def test_a_login_store_that_cannot_be_used_tells_no_password(
    url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    settings = replace(QUICK, auth_store=url, auth_directory=str(tmp_path))

    _tells_nothing(lambda: open_access(settings, utc_now), caplog, capfd)


@pytest.mark.parametrize("url", [f"redis://:{SECRET}@127.0.0.1:x/0", f"redis://:{SECRET}@127.0.0.1:1/0?x={SECRET}"])
def test_a_redis_that_cannot_be_named_tells_no_password(
    url: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    _tells_nothing(lambda: open_meter(url), caplog, capfd, may_open=True)


def test_a_setting_that_is_wrong_tells_no_password(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    _tells_nothing(lambda: from_environment({"NAAP_REDIS_URL": f"http://:{SECRET}@h"}), caplog, capfd)
    _tells_nothing(lambda: from_environment({"NAAP_OPERATOR_TOKEN": SECRET}), caplog, capfd)


def _tells_nothing(
    use: Callable[[], object],
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    may_open: bool = False,
) -> None:
    said = ""
    with caplog.at_level(logging.DEBUG):
        try:
            use()
        except Exception as error:
            # The frames hold our own sources, which name the secret where a test writes it.
            said = "".join(traceback.TracebackException.from_exception(error).format_exception_only()) + _causes(error)
        else:
            assert may_open
    written = capfd.readouterr()
    logged = "".join(f"{one.getMessage()} {one.exc_text or ''}" for one in caplog.records)
    for text in (said, logged, written.out, written.err):
        assert SECRET not in text


def _causes(error: BaseException) -> str:
    """The words of all that led to an error, as a traceback would show them."""
    below = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "" if below is None else f"{below!r} {below} {_causes(below)}"
