"""Writes `docs/private-fields.md` from the table of rights: `python -m gateway.rights_docs`."""

import sys
from typing import Any

from auth.caller import Scope
from auth.rights import RULES, Party, Private
from graph.rights import OWNERS
from graph.schema import build_schema

INTRODUCTION = """\
# Private fields

Generated from `auth/rights.py` by `make docs`; change it there. Everything that is not listed here is public.

A private field is answered to its owner, to whoever acts for the owner, and to operators, each with a login that has
the scope. Anybody else gets `null` for it beside an error, and the rest of the query is answered: `UNAUTHENTICATED`
without a login, `FORBIDDEN` with one that does not do. The error says which login or which scope would. What is refused
is not read either.

Prompts, addresses of users, error texts, logs of restarts and the keys of nodes are nowhere else: not in timelines,
error messages, ids or cursors, and there is no filter and no order by them. REST has nothing private. Keys of nodes are
told to nobody. Fees in sum and ranks are public, as the tickets are.
"""
OWN = {
    Party.ORCHESTRATOR: "the orchestrator itself",
    Party.GATEWAY: "the gateway of the session; of one whose gateway has no wallet, operators only",
}
EXAMPLE = """\
## For example
With a token of the orchestrator in `Authorization: Bearer …`; [auth.md](auth.md#machines) makes one for `make demo`:
```graphql
query ($me: Address!, $window: WindowInput) {
  orchestrator(address: $me) {
    earnings(window: $window, interval: DAY) { start feesEth parts { gateway { gatewayId } workflow { name } feesEth } }
    payments(window: $window, first: 20) { totalCount nodes { at feesWei tickets } pageInfo { endCursor hasNextPage } }
    incidents(window: $window, first: 20) { nodes { at kind text logs streamId gpu { gpuId } } }
    standing(window: $window) { rank of distances(first: 4) { orchestrator { address } rank points } }
  }
}
```
and of a gateway:
```graphql
query ($me: ID!) {
  gateway(gatewayId: $me) {
    streams(first: 20) { nodes { streamId sessions { outcome parameters { at prompt } clientAddresses } } }
  }
}
```
"""


def page() -> str:
    """The page."""
    types: Any = build_schema()._schema.type_map
    rows = ["| field | is | scope | for |", "|---|---|---|---|"]
    for name, rule in RULES.items():
        type_name, _, field = name.partition(".")
        if isinstance(rule, Private) and type_name in OWNERS:
            said = types[type_name].fields[field].description
            rows.append(f"| `{name}` | {said} | `{rule.scope}` | {OWN[rule.owner]} |")
    unused = sorted(set(Scope) - {rule.scope for rule in RULES.values() if rule is not None})
    note = f"The other scopes ({', '.join(f'`{one}`' for one in unused)}) open no field of the graph.\n"
    return "\n".join([INTRODUCTION, *rows, "", note, EXAMPLE])


if __name__ == "__main__":
    sys.stdout.write(page())
