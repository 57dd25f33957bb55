"""The search, as the suite does it: in this process and those that it starts, reported after each test."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from graphql import GraphQLError
from starlette.applications import Starlette

from auth.caller import ANONYMOUS, Caller
from graph.schema import Schema
from resolvers.context import Context
from tests.canaries.search import search, searched, variables


class Report:
    """What escaped, and has not been told yet."""

    def __init__(self, file: Path) -> None:
        self._file, self._read = file, 0
        file.touch()

    def check(self) -> None:
        """Fail where something escaped since the last time."""
        with self._file.open(encoding="utf-8") as report:
            report.seek(self._read)
            escaped = report.read()
            self._read = report.tell()
        assert not escaped, escaped


@contextmanager
def searching(file: Path) -> Iterator[Report]:
    """Search every answer."""
    execute = Schema.execute

    async def searched_execute(self: Schema, *args: Any, **kwargs: Any) -> Any:
        result = await execute(self, *args, **kwargs)
        errors = [error.formatted if isinstance(error, GraphQLError) else str(error) for error in result.errors or []]
        said = json.dumps([result.data, errors], ensure_ascii=False, default=str)
        search(said.encode(errors="replace"), _caller(kwargs.get("context_value")), "GraphQL")
        return result

    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables(file).items():
            patch.setenv(name, value)
        # Much is asked without HTTP.
        patch.setattr(Schema, "execute", searched_execute)
        patch.setattr(Starlette, "__call__", searched(Starlette.__call__))
        yield Report(file)


def _caller(context: Any) -> Caller:
    """Who asks; a context that notes who looks at it does not notice."""
    if not isinstance(context, Context):
        return ANONYMOUS
    made_of = replace(context.made_of)
    caller, context.made_of = context.caller, made_of
    return caller
