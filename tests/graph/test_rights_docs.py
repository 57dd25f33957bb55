"""The page of private fields: what the table says, with queries that work as they stand."""

import re

from gateway.rights_docs import page
from tests.gateway.processes import ROOT
from tests.graph.owners import ALICE, GAIL, ROLES, ask, network


def test_the_page_is_fresh() -> None:
    assert (ROOT / "docs" / "private-fields.md").read_text(encoding="utf-8") == page(), "run make docs"


async def test_its_queries_are_answered() -> None:
    orchestrators, gateways = re.findall(r"```graphql\n(.*?)```", page(), flags=re.DOTALL)

    own = await ask(network(), ROLES["alice"], orchestrators, me=ALICE, window={"last": "P1D"})
    users = await ask(network(), ROLES["gail"], gateways, me=GAIL)

    assert (own.errors, users.errors) == ([], [])
    assert all(own.data["orchestrator"].values())
    assert users.data["gateway"]["streams"]["nodes"][0]["sessions"][0]["parameters"]
