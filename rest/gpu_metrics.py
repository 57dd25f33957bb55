"""`GET /v1/sla/gpu/metrics`: one row per wallet, GPU, workflow and region over the whole time range."""

from collections.abc import Mapping

from metrics import catalogue
from metrics.dimension import Dimension
from metrics.metric import Metric, Statistic
from metrics.question import Question
from metrics.row import Row
from metrics.sighting import SightingQuestion, Trait
from metrics.window import Window
from resolvers.context import Context
from rest import schema
from rest.cursor import Key, order
from rest.operation import Listed
from rest.page import Listing, Paged, interval
from rest.parameter import Asked
from rest.params import GPU_ID, REGION, WALLET, WORKFLOW, time_range_of
from rest.schema import Schema
from rest.version import release

BY = (Dimension.ORCHESTRATOR, Dimension.GPU, Dimension.WORKFLOW, Dimension.REGION)
FILTERS = {
    WALLET: Dimension.ORCHESTRATOR,
    GPU_ID: Dimension.GPU,
    REGION: Dimension.REGION,
    WORKFLOW: Dimension.WORKFLOW,
}
TIME_RANGE = time_range_of("1h")
NAME = "gpu_metrics"

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


async def gpu_metrics(context: Context, asked: Asked) -> Paged:
    """The page that is asked for."""
    time_range = asked[TIME_RANGE]
    listing = Listing.of(NAME, asked, time_range.text, time_range.until(context.clock), len(BY))
    where = {dimension: (value,) for parameter, dimension in FILTERS.items() if (value := asked.get(parameter))}
    rows = await context.rows(Question.of(READ, listing.window, by=BY, where=where))
    items = sorted((row for row in rows if _has_evidence(row)), key=lambda row: order(row.by))
    page, following = listing.cut(items, _key)
    versions = await _versions(context, {row.by[0] for row in page} - {None})
    return listing.paged([_item(row, versions, listing.window) for row in page], following)


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


def _item(row: Row, versions: Mapping[str | None, str | None], window: Window) -> dict[str, object]:
    wallet, gpu, workflow, region = row.by
    values = {name: None if metric is None else metric.value(row.sums) for name, metric in METRICS.items()}
    return {
        "o_wallet": wallet,
        "orchestrator_agent_version": release(versions.get(wallet)),
        "gpu_id": gpu,
        "workflow": workflow,
        "region": region,
        "time_window": interval(window),
        "metrics": values | {"samples": catalogue.OUTPUT_FPS.value(row.sums, Statistic.SAMPLES)},
    }


def _metric_schema(metric: Metric | None) -> Schema:
    """What OpenAPI says of a metric: the catalogue's words and its bounds."""
    if metric is None:
        return schema.number("Null: nothing measures it yet.", nullable=True)
    doc = f"{metric.doc} Unit: {metric.unit}."
    return schema.share(doc) if metric.unit == "%" else schema.number(doc, nullable=True, minimum=0)


ITEM = schema.record(
    {
        "o_wallet": schema.text("The orchestrator's wallet; null where it is not known.", nullable=True),
        "orchestrator_agent_version": schema.text(
            "The release that its node was last seen with, without the commit that nodes append.", nullable=True
        ),
        "gpu_id": schema.text("The GPU; null where several may have run it, or none is known.", nullable=True),
        "workflow": schema.text("The workflow: the id of a model.", nullable=True),
        "region": schema.text("The region.", nullable=True),
        "time_window": schema.text("What the metrics are over: an ISO 8601 interval."),
        "metrics": schema.record(
            {name: _metric_schema(metric) for name, metric in METRICS.items()}
            | {"samples": schema.whole("How many status samples output_fps rests on.", minimum=0)},
            "The metrics; null without evidence, 0 is a measurement.",
        ),
    },
    "One wallet, GPU, workflow and region over the whole time range.",
)
GPU_METRICS = Listed(
    path="/v1/sla/gpu/metrics",
    name=NAME,
    summary="Service levels of GPUs",
    doc="One item per wallet, GPU, workflow and region for which at least one metric has evidence in the time range.",
    answers="A page of GPUs with their metrics.",
    own=(*FILTERS, TIME_RANGE),
    item=ITEM,
    answer=gpu_metrics,
    example="time_range={range}&limit=2",
    row_cost=len(METRICS),
)
