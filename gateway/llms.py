"""`/llms.txt`: what a language model needs to use the gateway, derived from what the gateway declares.

`python -m gateway.llms` writes the repository's copy, which is that of a gateway with default settings.
"""

import sys
from json import dumps

from auth.account import READ
from gateway.docs import field, target
from gateway.login import site_of
from gateway.settings import Settings
from metrics.catalogue import JOB_METRICS, METRICS
from metrics.errors import GatewayError, every_error
from metrics.metric import Metric
from metrics.window import Grain
from resolvers.context import LIMITS
from resolvers.tables.forms import ARROW, PARQUET
from rest.routes import DOCS_PATH, OPENAPI_PATH, OPERATIONS

FIRST = "{ network { lastEventAt } }"
QUERY = """\
query ($window: WindowInput) {
  orchestrators(first: 3, orderBy: { metric: "sessions", window: $window, direction: DESC }) {
    nodes { address metrics(window: $window) { outputFps { value p95 samples } failureRatePct { value target met } } }
  }
}"""
DAY = {"window": {"start": "2026-01-08T14:00:00Z", "end": "2026-01-09T14:00:00Z"}}
PAGE = """\
# naap-gateway

> Service levels of the Livepeer AI network, worked out from the network's own event log: how orchestrators (wallets that run GPUs), their GPUs, \
workflows (models), gateways and regions do, and why. GraphQL and REST over the same numbers. Reading needs no account.

This gateway is at {uri}. Paths below are relative to that.

## How to ask
1. Ask `{first}` first. Data may be old: let windows end there (plus a millisecond), not now. `{{"last": "P1D"}}` ends now.
2. `POST /graphql` with `Content-Type: application/json` and `{{"query": "…", "variables": {{…}}}}`. One query can ask for several things at once; that is \
cheaper than several queries.
3. Ask only for fields that exist: introspection is {introspection}; the schema with every description is in `schema.graphql` of the project.

```graphql
{query}
```
with the variables
```json
{variables}
```

## How to read answers
- `null` is "no evidence", `0` is a measurement. Never show one as the other. `samples` says how much evidence a value has.
- Times are UTC, RFC 3339. A window includes its start and excludes its end. `window` is `{{"last": "PT1H"}}` or `{{"start", "end"}}`; the default is the last hour.
- `Wei` and `Decimal` are exact, as text: do not make floating-point numbers of them.
- Lists are Relay connections: `nodes`, `pageInfo {{ hasNextPage endCursor }}`, then `after`. Cursors belong to their filter and window.
- With `Accept: text/csv`, `{arrow}` or `{parquet}` (these two where they are offered) a query is answered as a table, a row for each \
item of its innermost list: ask for one list at a time then. REST's lists likewise.
- News: `subscription {{ metricsUpdated {{ cursor buckets {{ start metrics {{ sessions }} }} }} }}` by `POST /graphql` with `Accept: text/event-stream`, or over a \
WebSocket (`graphql-transport-ws`).
- `/dashboard/graphql` is another schema, that of the NaaP dashboard. Ask `/graphql` unless you are one.
- In GraphQL a failing field is null beside its error in `errors`; the rest of the answer stands. `extensions.code` says what it was (below).
- `metrics` is one value over the window, `series` the same by `interval` ({intervals}), `demand` minutes and fees, `jobs` batch and language models, \
`slaScore` 0 to 100 with everything it was made of, `leaderboard` ranks. All on `network`, `orchestrator(address:)`, `gpu(gpuId:)`, `workflow(name:)`, \
`gateway(gatewayId:)` and their lists; not each on all.

## Metrics
Of `metrics` and `series`:
{metrics}

Of `jobs`:
{jobs}

## REST
{operations}

`{openapi}` is the OpenAPI document, `{docs}` the same to read. Lists take `limit` (100, at most 1000) and `cursor`, and are CSV with `format=csv`.

## Limits
- A query costs points × metrics × entities, and {read} for each read of the store (a field with a `window` or a `filter`); its price is known before it runs. `X-Naap-Estimate: cost` tells it without running the query.
- Anybody may spend {anonymous} in 60 seconds (with a token {caller}), in {rate} requests a second ({caller_rate}); one request {request_cost}. \
`RateLimit` headers say what is left. Give `first` and wide intervals, to pay less.
- A document has at most {max_tokens} tokens, {max_depth} levels, {max_aliases} aliases, {max_root_fields} fields at its root; a page {max_page} items; a series {max_points} buckets.

## Signing in
Only for what is one's own (earnings, payments, incidents, sessions of one's gateway). `POST /auth/nonce` gives a message, a wallet signs it, `POST /auth/login` \
gives an access token for `Authorization: Bearer …`. A token that is not good is 401 everywhere: leave the header out rather than send an old one. \
Never ask a user for a private key.

## Errors
{errors}

Messages name the argument that was wrong and what would be right: correct it and ask again. After `RATE_LIMITED` wait as long as `Retry-After` says.
"""


def page(settings: Settings) -> str:
    """The text, for a gateway with these settings."""
    return PAGE.format(
        uri=site_of(settings).uri,
        first=FIRST,
        introspection="on" if settings.introspection else "off here",
        query=QUERY,
        variables=dumps(DAY),
        intervals=", ".join(grain.name for grain in Grain),
        metrics="\n".join(map(_metric, METRICS)),
        jobs="\n".join(map(_metric, JOB_METRICS)),
        operations="\n".join(f"- `{one.method} {one.path}`: {one.summary}" for one in OPERATIONS),
        openapi=OPENAPI_PATH,
        docs=DOCS_PATH,
        arrow=ARROW.media_type,
        parquet=PARQUET.media_type,
        read=READ,
        anonymous=_limit(settings.budgets.anonymous),
        caller=_limit(settings.budgets.caller),
        rate=_limit(settings.rates.anonymous),
        caller_rate=_limit(settings.rates.caller),
        request_cost=f"{settings.request_cost:,}",
        max_tokens=f"{LIMITS.max_tokens:,}",
        max_depth=LIMITS.max_depth,
        max_aliases=LIMITS.max_aliases,
        max_root_fields=LIMITS.max_root_fields,
        max_page=LIMITS.max_page,
        max_points=f"{LIMITS.max_points:,}",
        errors="\n".join(f"- `{code}` {status}: {doc}" for code, (status, doc) in sorted(_errors().items())),
    )


def _metric(metric: Metric) -> str:
    goal = "" if target(metric) == "–" else f", target {target(metric)}"
    return f"- `{field(metric.name)}` ({metric.unit}{goal}): {metric.doc}"


def _limit(number: int) -> str:
    return f"{number:,}" if number else "without limit"


def _errors() -> dict[str, tuple[int, str]]:
    """Every code with its status and what it means, of the class that brings it in."""
    found = {GatewayError.code: (GatewayError.status, "A fault inside; the log has it under the id that is told.")}
    for one in every_error():
        found.setdefault(one.code, (one.status, (one.__doc__ or "").strip().partition("\n")[0]))
    return found


if __name__ == "__main__":
    sys.stdout.write(page(Settings()))
