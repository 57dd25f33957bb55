"""Python runs this first in every process that a test starts: where it answers HTTP, its answers are searched."""

import importlib.util
import os
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any


class Applications:
    """Begins the search once there are applications: most processes never have any, and shall not wait for it."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if name != "starlette.applications":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        assert spec is not None
        assert spec.loader is not None
        load = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            load(module)
            from tests.canaries.search import begin

            begin()

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


if "CANARY_REPORT" in os.environ:
    sys.meta_path.insert(0, Applications())
