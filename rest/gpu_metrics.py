"""`GET /v1/sla/gpu/metrics`: one row per wallet, GPU, workflow and region over the whole time range."""

import re
from collections.abc import Mapping

from metrics import catalogue
from metrics.dimension import Dimension
from metrics.metric import Metric, Statistic
from metrics.question import Question
from metrics.row import Row
from metrics.sighting import SightingQuestion, Trait
from metrics.window import Window
from resolvers.context import Context
from rest import params
from rest.cursor import Key, order
from rest.page import Listing, framed, interval

BY = (Dimension.ORCHESTRATOR, Dimension.GPU, Dimension.WORKFLOW, Dimension.REGION)
FILTERS = {
    "o_wallet": Dimension.ORCHESTRATOR,
    "gpu_id": Dimension.GPU,
    "region": Dimension.REGION,
    "workflow": Dimension.WORKFLOW,
}
PARAMETERS = (*FILTERS, "time_range", "limit", "cursor")
# What a node adds to its version: the commit it was built from, and that there were changes.
BUILD = re.compile(r"-[0-9a-f]{7,40}(-dirty)?$")
DEFAULT_RANGE = "1h"
DEFAULT_LIMIT = 100

# Where REST says a metric's name in another way than the catalogue: catalogue → REST.
REST_NAMES = {
    "prompt_to_first_frame_ms": "prompt_to_first_frame_latency_ms",
    "e2e_latency_ms": "e2e_stream_latency_ms",
}
# What an item tells, in the order of the contract. A name that the catalogue does not have yet is null.
NAMES = (
    "output_fps",
    "prompt_to_first_frame_ms",
    "e2e_latency_ms",
    "jitter_coefficient",
    "startup_time_s",
    "failure_rate_pct",
    "swap_rate_pct",
    "bandwidth_up_mbps",
    "bandwidth_down_mbps",
    "cuda_utilization_efficiency_pct",
)
METRICS: Mapping[str, Metric | None] = {REST_NAMES.get(name, name): catalogue.BY_NAME.get(name) for name in NAMES}
READ = frozenset(
    measure
    for metric in METRICS.values()
    if metric is not None
    for statistic in (Statistic.VALUE, Statistic.SAMPLES)
    for measure in metric.reads(statistic)
)


async def gpu_metrics(context: Context, asked: Mapping[str, str]) -> dict[str, object]:
    """The answer to these parameters."""
    limit = params.limit(asked["limit"]) if "limit" in asked else DEFAULT_LIMIT
    filters = _filters(asked)
    listing = Listing.of(asked.get("time_range", DEFAULT_RANGE), filters, asked.get("cursor"), len(BY), context.now)
    where = {FILTERS[name]: (value,) for name, value in filters.items()}
    rows = await context.rows(Question.of(READ, listing.window, by=BY, where=where))
    items = sorted((row for row in rows if _has_evidence(row)), key=lambda row: order(row.by))
    page, following = listing.cut(items, _key, limit)
    versions = await _versions(context, {row.by[0] for row in page} - {None})
    data = [_item(row, versions, listing.window) for row in page]
    return await framed(data, following, limit, listing.window, context)


def _filters(asked: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in asked.items() if name in FILTERS}
    if "o_wallet" in kept:
        kept["o_wallet"] = params.address(kept["o_wallet"], "o_wallet")
    return kept


def _key(row: Row) -> Key:
    return row.by


def _has_evidence(row: Row) -> bool:
    """Whether any metric rests on something here: payments alone, or refused sessions, make no row."""
    return any(metric is not None and metric.value(row.sums, Statistic.SAMPLES) for metric in METRICS.values())


async def _versions(context: Context, wallets: set[str | None]) -> dict[str | None, str | None]:
    """The software version that each wallet was last seen with."""
    if not wallets:
        return {}
    asked = SightingQuestion.of(
        (Trait.ORCHESTRATOR, Trait.NODE_VERSION), {Trait.ORCHESTRATOR: [wallet for wallet in wallets if wallet]}
    )
    seen = [one for one in await context.seen(asked) if one.traits[1]]
    return {one.traits[0]: one.traits[1] for one in sorted(seen, key=lambda one: (one.last_ms, one.traits[1] or ""))}


def _release(version: str | None) -> str | None:
    """The release of a version as nodes state it: `0.8.8-3a5678ec-dirty` is 0.8.8."""
    return version and BUILD.sub("", version)


def _item(row: Row, versions: Mapping[str | None, str | None], window: Window) -> dict[str, object]:
    wallet, gpu, workflow, region = row.by
    values = {name: None if metric is None else metric.value(row.sums) for name, metric in METRICS.items()}
    return {
        "o_wallet": wallet,
        "orchestrator_agent_version": _release(versions.get(wallet)),
        "gpu_id": gpu,
        "workflow": workflow,
        "region": region,
        "time_window": interval(window),
        "metrics": values | {"samples": catalogue.OUTPUT_FPS.value(row.sums, Statistic.SAMPLES)},
    }
