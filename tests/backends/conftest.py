"""Every store under the same promises: each test that takes `store`, `shared` or `started` runs on each of COLUMNS.

At the end of a run the results are printed as a table.
"""

from collections.abc import Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.backends.stores import COLUMNS, Column, Missing, Started
from tests.backends.table import TRIED, Tried

_STARTED: dict[str, Started | Missing] = {}
_HELD = ExitStack()
STORES_FILE = Path(__file__).with_name("stores.py")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "column" in metafunc.fixturenames:
        metafunc.parametrize("column", COLUMNS, ids=[column.name for column in COLUMNS], indirect=True, scope="session")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if (column := _column(item)) and (why := column.gaps.get(_name(item))):
            item.add_marker(pytest.mark.xfail(reason=why, strict=True))


@pytest.fixture(scope="session")
def column(request: pytest.FixtureRequest) -> Column:
    """The kind of store that a test runs on."""
    chosen: Column = request.param
    return chosen


@pytest.fixture(scope="session")
def started(column: Column) -> Started:
    """The store's kind, started once; skips where it is missing."""
    if column.name not in _STARTED:
        try:
            _STARTED[column.name] = _HELD.enter_context(column.start())
        except Missing as why:
            _STARTED[column.name] = why
    found = _STARTED[column.name]
    if isinstance(found, Missing):
        pytest.skip(f"backend {column.name}: {found}")
    return found


@pytest.fixture
def store(started: Started) -> Iterator[Any]:
    """A new, empty store of each kind."""
    with started.new() as one:
        yield one


@pytest.fixture(scope="module")
def shared(started: Started) -> Iterator[Any]:
    """A store of each kind that tests share: each must use owners of its own or take its facts away."""
    with started.new() as one:
        yield one


@pytest.fixture
def place(started: Started, column: Column) -> Iterator[str]:
    """The URL of a new, empty store that other processes can open."""
    if started.place is None:
        pytest.skip(f"{column.name}: nothing outlives its process")
    with started.place() as url:
        yield url


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, None, None]:
    outcome = yield
    report: pytest.TestReport = outcome.get_result()  # type: ignore[attr-defined]  # pluggy's old-style wrapper
    if (column := _column(item)) and (report.when == "call" or not report.passed):
        if isinstance(report.longrepr, tuple) and "Skipped: backend" in report.longrepr[2]:
            # One place, so that pytest's own summary says it once and not for every test.
            report.longrepr = (str(STORES_FILE), 1, report.longrepr[2])
        # The table is printed by tests/conftest.py, which may run in another process.
        tried = Tried(_name(item)[5:].replace("_", " "), column.name, *_became(report, column))
        report.user_properties.append((TRIED, list(tried)))


def pytest_sessionfinish() -> None:
    _HELD.close()


def _became(report: pytest.TestReport, column: Column) -> tuple[str, str]:
    if report.skipped and hasattr(report, "wasxfail"):
        return "gap", report.wasxfail.removeprefix("reason: ")
    if report.skipped and isinstance(report.longrepr, tuple):
        return "skipped", report.longrepr[2].removeprefix("Skipped: ").removeprefix(f"backend {column.name}: ")
    return report.outcome, ""


def _column(item: pytest.Item) -> Column | None:
    spec = getattr(item, "callspec", None)
    return spec.params.get("column") if spec else None


def _name(item: pytest.Item) -> str:
    return getattr(item, "originalname", None) or item.name
