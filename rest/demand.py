"""`GET /v1/sla/network/demand`: one row per interval, gateway, region and workflow."""

from asyncio import gather
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from metrics.dimension import Dimension
from metrics.errors import TooComplex
from metrics.question import Question
from metrics.row import Row
from metrics.window import Grain, Window, from_ms, to_ms
from resolvers.context import Context
from resolvers.demand import CAPACITY, Demand, demand_asked
from resolvers.measured import clipped
from resolvers.scope import EVERYWHERE, Scope
from resolvers.stake import stakes
from rest import schema
from rest.cursor import Key, not_ours, order
from rest.operation import Listed
from rest.page import Listing, Paged, instant, interval
from rest.parameter import Asked
from rest.params import GATEWAY, INTERVAL, REGION, WORKFLOW, time_range_of

FILTERS = {GATEWAY: Dimension.GATEWAY, REGION: Dimension.REGION, WORKFLOW: Dimension.WORKFLOW}
TIME_RANGE = time_range_of("24h")
NAME = "network_demand"
KEY_PARTS = 4
MAX_INTERVALS = 1_000
UNKNOWN = "unknown"
# What a row tells comes of these fields of a demand; a row exists where one of their sums is not zero.
ASKED = demand_asked(("streams", "sessions", "unserved", "by_gpu_model", "fees_wei", "tickets"))
BY = (Dimension.GPU_MODEL, Dimension.GATEWAY, Dimension.REGION, Dimension.WORKFLOW)


async def network_demand(context: Context, asked: Asked) -> Paged:
    """The page that is asked for."""
    time_range, grain = asked[TIME_RANGE], asked[INTERVAL]
    listing = Listing.of(NAME, asked, time_range.text, time_range.until(context.clock), KEY_PARTS)
    if (count := listing.window.count(grain)) > MAX_INTERVALS:
        raise TooComplex(
            f"time_range has {count:,} intervals; at most {MAX_INTERVALS:,}. Use a wider interval or a shorter range.",
            "interval",
        )
    where = {dimension: (value,) for parameter, dimension in FILTERS.items() if (value := asked.get(parameter))}
    question = Question.of(ASKED.measures, _left(listing, grain), grain, BY, where)
    rows = _grouped(await context.rows(question), question.by)
    page, following = listing.cut(sorted(rows, key=order), lambda key: key)
    starts = {key: rows[key][0].start_ms or 0 for key in page}
    spans = {key: clipped(start, start + grain.value, listing.window) for key, start in starts.items()}
    # Of the whole network: a workflow's or a region's share of a stake would be a guess.
    staked, supply = await gather(
        stakes(context, EVERYWHERE, sorted({span.end_ms for span in spans.values()})),
        _supply(context, question),
    )
    return listing.paged(
        [
            _item(key, Demand(span, rows[key], staked[span.end_ms], supply.get((key[0], *key[2:]), ())))
            for key, span in spans.items()
        ],
        following,
    )


async def _supply(context: Context, question: Question) -> Mapping[Key, list[Row]]:
    """(Interval, region, workflow) → what was supplied there, whichever gateway used it."""
    where: Scope = {dimension: values for dimension, values in question.where if dimension is not Dimension.GATEWAY}
    by = (Dimension.REGION, Dimension.WORKFLOW)
    asked = Question.of(CAPACITY.formula.reads(), question.window, question.grain, by, where)
    region, workflow = asked.by.index(Dimension.REGION), asked.by.index(Dimension.WORKFLOW)
    return {
        (instant(from_ms(row.start_ms or 0)), row.by[region], row.by[workflow]): [row._replace(by=(None,))]  # no model
        for row in await context.rows(asked)
    }


def _left(listing: Listing, grain: Grain) -> Window:
    """The part of the window that a page can still be about. Raises BadRequest for a cursor that is none."""
    if listing.after is None:
        return listing.window
    try:
        start_ms = to_ms(datetime.fromisoformat(listing.after[0] or "").astimezone(UTC))
    except (ValueError, OverflowError):
        start_ms = -1
    window = listing.window
    if grain.floor(start_ms) != start_ms or not window.start_ms - grain.value < start_ms < window.end_ms:
        raise not_ours()
    return Window.of_ms(max(start_ms, window.start_ms), window.end_ms)


def _grouped(rows: Sequence[Row], by: Sequence[Dimension]) -> Mapping[Key, list[Row]]:
    """Key → the rows by GPU model, of the groups that have any demand."""
    workflow, gateway, region = (by.index(one) for one in (Dimension.WORKFLOW, Dimension.GATEWAY, Dimension.REGION))
    found: dict[Key, list[Row]] = defaultdict(list)
    for row in rows:
        if any(row.sums.values()):
            start = instant(from_ms(row.start_ms or 0))
            found[start, row.by[gateway], row.by[region], row.by[workflow]].append(row)
    return found


def _item(key: Key, demand: Demand) -> dict[str, object]:
    _, gateway, region, workflow = key
    return {
        "time_window": interval(demand.window),
        "gateway": gateway,
        "region": region,
        "workflow": workflow,
        "total_streams": demand.streams,
        "total_sessions": demand.sessions,
        "unserved": demand.unserved,
        "inference_minutes": demand.inference_minutes,
        "inference_minutes_by_gpu_type": _by_gpu_type(demand),
        "capacity_rate_pct": demand.capacity_rate_pct,
        "fees_wei": str(demand.fees_wei),
        "fees_eth": demand.fees_eth,
        "stake_lpt": demand.stake_lpt,
    }


def _by_gpu_type(demand: Demand) -> dict[str, float]:
    minutes: dict[str, float] = defaultdict(float)
    for one in demand.by_gpu_model:
        minutes[one.gpu_model or UNKNOWN] += one.inference_minutes
    return dict(minutes)


ITEM = schema.record(
    {
        "time_window": schema.text(
            "What the numbers are over: the interval, where time_range cuts it the part within (ISO 8601)."
        ),
        "gateway": schema.text("The gateway's wallet, else its name.", nullable=True),
        "region": schema.text("The region.", nullable=True),
        "workflow": schema.text("The workflow: the id of a model.", nullable=True),
        "total_streams": schema.whole("Streams requested, each counted once, with its first session.", minimum=0),
        "total_sessions": schema.whole("Sessions requested.", minimum=0),
        "unserved": schema.whole("Sessions for which no orchestrator was available: missing capacity.", minimum=0),
        "inference_minutes": schema.number(
            "Minutes from request to last event that lie in the interval; refused and abandoned sessions left out.",
            minimum=0,
        ),
        "inference_minutes_by_gpu_type": schema.mapping(
            schema.number("Minutes.", minimum=0),
            f"The minutes by GPU model; those on a GPU that is not known are {UNKNOWN!r}.",
        ),
        "capacity_rate_pct": schema.share(
            "Busy share of the GPU time that was advertised for the workflow in the region, the same in the rows of "
            "each gateway: supply belongs to none. Null where none is known."
        ),
        "fees_wei": schema.integer_text(
            "Expected value of the tickets paid in the interval: face value × win probability × tickets, in wei."
        ),
        "fees_eth": schema.decimal_text("The same in ETH, exactly."),
        "stake_lpt": schema.decimal_text(
            "Stake of the whole network at the end of the interval, in LPT: the same in each of its rows, not to be "
            "added up. Null where none is known.",
            nullable=True,
        ),
    },
    "The demand of one interval, gateway, region and workflow.",
)
DEMAND = Listed(
    path="/v1/sla/network/demand",
    name=NAME,
    summary="Demand, hour by hour, day by day or week by week",
    doc=(
        "One item per interval, gateway, region and workflow with any demand: a request, a minute of inference or a "
        f"ticket. At most {MAX_INTERVALS:,} intervals at once."
    ),
    answers="A page of demand.",
    own=(*FILTERS, INTERVAL, TIME_RANGE),
    item=ITEM,
    answer=network_demand,
    example="interval=1h&time_range={range}&limit=2",
    row_cost=len(ITEM["properties"].keys() - {"time_window", "gateway", "region", "workflow"}),
)
