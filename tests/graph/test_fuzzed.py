"""Both graphs, asked by a fuzzer: no 5xx, no code but ours, and no word of what went wrong inside."""

import csv
import io
import re
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import strategies as st
from hypothesis_graphql import nodes
from schemathesis.config import SchemathesisConfig

from graph.accept import RESPONSE_JSON
from metrics.errors import GatewayError, every_error
from resolvers.tables.forms import CSV
from tests.served import Served

CONFIG: dict[str, Any] = {
    "seed": 20260109,
    "generation": {"max-examples": 12, "deterministic": True, "database": "none"},
}
# What Python, its libraries and the stores say of themselves.
LEAKS = re.compile(
    r"Traceback|File \"|\.py\b|site-packages|object at 0x|Error\(|Exception|SELECT |chdb|<class |NoneType"
)


def codes() -> set[str]:
    """Every code that an error may have, but INTERNAL."""
    return {one.code for one in every_error()} - {GatewayError.code}


def texts(*likely: str) -> st.SearchStrategy[Any]:
    """Values of a scalar: likely ones, and any text."""
    return st.one_of(st.sampled_from(likely), st.text(max_size=20)).map(nodes.String)


WALLET = "0x21ea09377315554d7cd16c39cdbeceb7812ccce0"
for name, values in {
    "Address": texts(WALLET, "0x", WALLET.upper()),
    "DateTime": texts("2026-01-09T14:00:00Z", "2026-01-09T14:00:00", "9999-12-31T23:59:59Z"),
    "Decimal": texts("1.5", "-0", "NaN", "1e999"),
    "Duration": texts("P1D", "PT1H", "P0D", "P9999999D", "-P1D"),
    "Wei": texts("0", "-1", "9" * 80),
    "_Any": st.just({"__typename": "Gpu", "gpuId": "x"}).map(
        lambda one: nodes.Object([(key, nodes.String(value)) for key, value in one.items()])
    ),
}.items():
    schemathesis.graphql.scalar(name, values)

served = Served()
schema = schemathesis.graphql.from_asgi("/graphql", served, config=SchemathesisConfig.from_dict(CONFIG))
# A few fields with loose texts for arguments: much is tried of each.
MUCH = SchemathesisConfig.from_dict(CONFIG | {"generation": CONFIG["generation"] | {"max-examples": 60}})
dashboard = schemathesis.graphql.from_asgi("/dashboard/graphql", served, config=MUCH)


@pytest.fixture(scope="module", autouse=True)
def started() -> Iterator[None]:
    served.writer.start()
    yield
    served.writer.stop()


@schema.parametrize()
def test_the_graph_answers_whatever_is_asked(case: Any) -> None:
    answered_well(case)


@dashboard.parametrize()
def test_the_dashboards_graph_answers_whatever_is_asked(case: Any) -> None:
    answered_well(case)


def answered_well(case: Any) -> None:
    """No 5xx, and errors as the contract has them."""
    answer = case.call()

    assert answer.status_code < 500, answer.text
    checked(answer.json(), str(case.body))


@schema.parametrize()
def test_it_is_a_table_or_told_in_json(case: Any) -> None:
    answer = case.call(headers={"Accept": "text/csv"})

    if answer.status_code == 200:
        assert answer.headers["content-type"] == [CSV.content_type]
        assert next(csv.reader(io.StringIO(answer.text)))
    else:
        assert answer.status_code < 500, answer.text
        assert answer.headers["content-type"] == [RESPONSE_JSON]
        checked(answer.json(), str(case.body))


def checked(body: Any, sent: str) -> None:
    """Are its errors such as may be told? What was sent may be told again: some texts that are tried are our own."""
    assert isinstance(body, dict)
    for error in body.get("errors", ()):
        assert error["extensions"]["code"] in codes(), error
        found = LEAKS.search(error["message"])
        assert found is None or found[0] in sent, error
