"""The project itself: generated pages are fresh, layers hold, packaging lists what there is."""

import ast
import sys
import tomllib
from pathlib import Path

import pytest

from gateway.docs import page
from metrics.catalogue import BY_NAME
from metrics.metric import NO_TARGET, Direction, Metric
from tests.gateway.processes import ROOT

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_the_page_of_metrics_is_what_the_catalogue_says() -> None:
    assert (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8") == page(), "run make docs"


def imported(path: Path) -> set[str]:
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom) and not node.level]
    return {name.partition(".")[0] for name in names}


def test_metrics_imports_nothing_but_itself_and_the_standard_library() -> None:
    for path in (ROOT / "metrics").rglob("*.py"):
        assert imported(path) <= {"metrics", *sys.stdlib_module_names}, path


def test_every_package_is_listed_and_nothing_shadows_a_library() -> None:
    listed = PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    found = sorted(path.parent.name for path in ROOT.glob("*/__init__.py") if path.parent.name != "tests")

    assert (
        found == listed == PYPROJECT["tool"]["importlinter"]["root_packages"] == PYPROJECT["tool"]["mypy"]["packages"]
    )
    assert not {"alembic", "docker", "bench"} & set(found)


def test_packages_are_empty_at_their_root() -> None:
    assert [path for path in ROOT.glob("*/__init__.py") if path.read_text(encoding="utf-8").strip()] == []


@pytest.mark.parametrize("metric", BY_NAME.values(), ids=lambda metric: metric.name)
def test_every_metric_says_what_it_is_where_it_comes_from_and_what_it_does_not_tell(metric: Metric) -> None:
    said = (metric.doc, metric.unit, metric.source, metric.caveats, str(metric.formula), str(metric.evidence))

    assert all(text.strip() for text in said)
    assert metric.caveats.endswith(".")
    assert metric.direction is not Direction.NEITHER or metric.target == NO_TARGET
