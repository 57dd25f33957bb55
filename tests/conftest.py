"""What all tests share: a backend that REQUIRE_BACKENDS names may not be skipped, and no answer tells a secret."""

import os
import re
from collections.abc import Generator, Iterator
from typing import Any

import pytest

from tests.backends.stores import COLUMNS
from tests.backends.table import TRIED, Tried, table
from tests.canaries.suite import Report, searching

# Tests that lack an engine skip with this beginning: pytest.skip("backend clickhouse: no server").
SKIPPED_BACKEND = re.compile(r"backend ([a-z0-9]+):")
_TRIED: list[Tried] = []


def required() -> set[str]:
    """The backends that must be tested here."""
    return {name.strip() for name in os.environ.get("REQUIRE_BACKENDS", "").split(",") if name.strip()}


@pytest.fixture(scope="session", autouse=True)
def canaries(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Report]:
    """Every answer is searched for what only its owner may read."""
    with searching(tmp_path_factory.mktemp("canaries") / "report") as report:
        yield report
    report.check()


@pytest.fixture(autouse=True)
def no_canary_escapes(canaries: Report) -> Iterator[None]:
    """A test fails in which something private was told."""
    yield
    canaries.check()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, None, None]:
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]  # pluggy's old-style wrapper gives a Result
    if report.skipped and isinstance(report.longrepr, tuple):
        named = SKIPPED_BACKEND.search(report.longrepr[2])
        if named and named[1] in required():
            report.outcome = "failed"
            report.longrepr = f"{report.longrepr[2]} — but REQUIRE_BACKENDS={os.environ['REQUIRE_BACKENDS']}"


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    _TRIED.extend(Tried(*value) for name, value in report.user_properties if name == TRIED)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if _TRIED:
        terminalreporter.section("capabilities by store")
        for line in table(_TRIED, [column.name for column in COLUMNS]):
            terminalreporter.line(line)
