"""A backend that REQUIRE_BACKENDS names may not be skipped."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.gateway.processes import ROOT, environment

TEST = """
import pytest

def test_one():
    pytest.skip("backend clickhouse: no server")

def test_other():
    pytest.skip("something else")
"""


@pytest.mark.parametrize(
    ("required", "told"), [("", "2 skipped"), ("chdb", "2 skipped"), ("chdb,clickhouse", "1 failed, 1 skipped")]
)
def test_a_required_backend_fails_where_it_would_be_skipped(tmp_path: Path, required: str, told: str) -> None:
    shutil.copy(ROOT / "tests" / "conftest.py", tmp_path)
    (tmp_path / "test_it.py").write_text(TEST)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)],
        cwd=tmp_path, env=environment(REQUIRE_BACKENDS=required), capture_output=True, text=True, timeout=60,
    )  # fmt: skip

    assert told in done.stdout
