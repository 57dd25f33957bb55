"""What all tests share: a backend that REQUIRE_BACKENDS names may not be skipped, and no answer tells a secret."""

import os
import re
from collections.abc import Generator, Iterator

import pytest

from tests.canaries import watching

# Tests that lack an engine skip with this beginning: pytest.skip("backend clickhouse: no server").
SKIPPED_BACKEND = re.compile(r"backend ([a-z0-9]+):")


def required() -> set[str]:
    """The backends that must be tested here."""
    return {name.strip() for name in os.environ.get("REQUIRE_BACKENDS", "").split(",") if name.strip()}


@pytest.fixture(autouse=True)
def watched() -> Iterator[None]:
    """Every answer is searched for what only its owner may read."""
    with watching():
        yield


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, None, None]:
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]  # pluggy's old-style wrapper gives a Result
    if report.skipped and isinstance(report.longrepr, tuple):
        named = SKIPPED_BACKEND.search(report.longrepr[2])
        if named and named[1] in required():
            report.outcome = "failed"
            report.longrepr = f"{report.longrepr[2]} — but REQUIRE_BACKENDS={os.environ['REQUIRE_BACKENDS']}"
