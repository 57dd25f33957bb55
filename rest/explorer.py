"""`GET /api/…`: what the Livepeer Explorer asks of its leaderboard server, in that server's shapes."""

from collections import defaultdict
from collections.abc import Mapping

from metrics import columns as c
from metrics.errors import BadRequest
from metrics.window import DAY_MS, Window, to_ms
from resolvers import explorer as reading
from resolvers.context import Context
from resolvers.explorer import Attempt, TopScore, region_id
from resolvers.pipelines import UNKNOWN, pipelines
from rest import explorer_schema as told
from rest.operation import Single
from rest.parameter import Asked
from rest.params import named, unix_seconds, wallet

# As its own server says it: the Explorer is served from elsewhere, and may keep an answer for a while.
HEADERS = {"Cache-Control": "public, max-age=30, stale-while-revalidate=15"}
# A whole network is read for one answer.
COST = 100
# Column that counts it → code and words.
FAILURES = {
    c.STARTUP_FAILED.name: ("STARTUP_FAILED", "no processed segment came"),
    c.OUTPUT_FAILED.name: ("OUTPUT_FAILED", "segments came, and none of the samples shows output"),
    c.JOBS_FAILED.name: ("JOB_FAILED", "the job ended without success"),
}
ORCHESTRATOR_DOC = "Only this orchestrator, by its wallet, in any case."
ORCHESTRATOR = wallet("orchestrator", ORCHESTRATOR_DOC)
REQUIRED = wallet("orchestrator", ORCHESTRATOR_DOC, required=True)
REGION = named("region", "Only this region, in any case; `GLOBAL` is what has none.")
PIPELINE = named("pipeline", "Only this pipeline.")
MODEL = named("model", "Only this model.")
SINCE = unix_seconds("since", "From when on, in Unix seconds, perhaps fractional; a day before `until` by default.")
UNTIL = unix_seconds("until", "Until when, excluded, in Unix seconds, perhaps fractional; now by default.")


async def aggregated_stats(context: Context, asked: Asked) -> Mapping[str, object]:
    """Scores by orchestrator and region."""
    found = await reading.standings(
        context, _window(context, asked), _region(asked), asked.get(PIPELINE), asked.get(MODEL), asked.get(ORCHESTRATOR)
    )
    by_wallet: dict[str, dict[str, object]] = defaultdict(dict)
    for one in found:
        by_wallet[one.orchestrator][one.region] = {
            "success_rate": one.success_rate,
            "round_trip_score": one.round_trip_score,
            "score": one.score,
        }
    return by_wallet


async def raw_stats(context: Context, asked: Asked) -> Mapping[str, object]:
    """Single sessions and jobs by region, newest first."""
    known = await pipelines(context)
    found = await reading.attempts(
        context, _window(context, asked), asked[REQUIRED], _region(asked), asked.get(PIPELINE), asked.get(MODEL)
    )
    by_region: dict[str, list[object]] = defaultdict(list)
    for one in found:
        by_region[region_id(one.region)].append(_attempt(one, known))
    return by_region


async def top_ai_score(context: Context, asked: Asked) -> Mapping[str, object]:
    """The best score of an orchestrator over the last day, or nothing."""
    end_ms = to_ms(context.now)
    found = await reading.top_score(context, Window.of_ms(end_ms - DAY_MS, end_ms), asked[REQUIRED])
    return {} if found is None else _top(found)


async def tried_pipelines(context: Context, asked: Asked) -> Mapping[str, object]:
    """Pipelines of which something was tried."""
    found = await reading.tried(context, _window(context, asked), _region(asked))
    return {"pipelines": [{"id": one.name, "models": one.models, "regions": one.regions} for one in found]}


async def regions(context: Context, _: Asked) -> Mapping[str, object]:
    """Every region."""
    found = await reading.region_names(context)
    return {"regions": [{"id": id, "name": name, "type": "ai"} for id, name in found.items()]}


def _top(found: TopScore) -> Mapping[str, object]:
    return {
        "region": found.standing.region,
        "orchestrator": found.standing.orchestrator,
        "value": found.standing.score,
        "model": found.model,
        "pipeline": found.pipeline,
    }


def _attempt(one: Attempt, known: Mapping[str, str]) -> Mapping[str, object]:
    return {
        "region": region_id(one.region),
        "orchestrator": one.orchestrator,
        "success_rate": 1.0 if one.failure is None else 0.0,
        "round_trip_time": one.round_trip_s or 0.0,
        "errors": _errors(one),
        "timestamp": one.at_ms // 1000,
        "model": one.workflow or UNKNOWN,
        "pipeline": known.get(one.workflow or "", UNKNOWN),
    }


def _errors(one: Attempt) -> list[Mapping[str, object]]:
    """What went wrong. The texts of error events are the orchestrator's own, so only their number is told."""
    found = []
    if one.failure is not None:
        found.append((*FAILURES[one.failure], 1))
    if errors := one.counts.get(c.ERROR_EVENTS.name):
        found.append(("ERROR_EVENT", "error events of the session", errors))
    return [{"error_code": code, "message": message, "count": count} for code, message, count in found]


def _region(asked: Asked) -> str | None:
    region = asked.get(REGION)
    return None if region is None else region_id(region)


def _window(context: Context, asked: Asked) -> Window:
    """The time that is asked about."""
    until_ms, since_ms = asked.get(UNTIL), asked.get(SINCE)
    end_ms = to_ms(context.now) if until_ms is None else until_ms
    start_ms = max(0, end_ms - DAY_MS) if since_ms is None else since_ms
    if end_ms <= start_ms:
        wrong = UNTIL if since_ms is None else SINCE
        raise BadRequest("since must lie before until, and before now where that is not given.", wrong.name)
    return Window.of_ms(start_ms, end_ms)


FILTERS = (REGION, PIPELINE, MODEL, SINCE, UNTIL)
AGGREGATED_STATS = Single(
    path="/api/aggregated_stats",
    name="explorer_aggregated_stats",
    summary="For the Livepeer Explorer: scores",
    doc=(
        "Per orchestrator and region: the share of attempted sessions and ended jobs that succeeded; how short its "
        "mean round trip is beside the median of all that succeeded, whichever orchestrator is asked for; and both "
        "together: 0.65 × success rate + 0.35 × e^(ln 0.8 ÷ median × round trip). The round trip of a stream is its "
        "prompt to first frame, of a job its duration: name a pipeline or model to compare like with like."
    ),
    answers="Scores by wallet and region.",
    own=(ORCHESTRATOR, *FILTERS),
    result=told.AGGREGATED,
    answer=aggregated_stats,
    row_cost=COST,
    headers=HEADERS,
)
RAW_STATS = Single(
    path="/api/raw_stats",
    name="explorer_raw_stats",
    summary="For the Livepeer Explorer: single attempts",
    doc=(
        f"Sessions attempted with one orchestrator and jobs that ended there, at most {reading.MAX_ATTEMPTS:,}: those "
        "that /api/aggregated_stats counts."
    ),
    answers="Sessions and jobs by region, newest first.",
    own=(REQUIRED, *FILTERS),
    result=told.RAW,
    answer=raw_stats,
    row_cost=COST,
    headers=HEADERS,
)
TOP_AI_SCORE = Single(
    path="/api/top_ai_score",
    name="explorer_top_ai_score",
    summary="For the Livepeer Explorer: the best score",
    doc="The best score of one orchestrator over its models and regions in the last 24 hours, each model on its own.",
    answers="The score; an empty object where nothing was tried.",
    own=(REQUIRED,),
    result=told.TOP,
    answer=top_ai_score,
    row_cost=COST,
    headers=HEADERS,
)
PIPELINES = Single(
    path="/api/pipelines",
    name="explorer_pipelines",
    summary="For the Livepeer Explorer: pipelines",
    doc="Pipelines and models of which a session was attempted or a job ended.",
    answers="The pipelines by name.",
    own=(REGION, SINCE, UNTIL),
    result=told.PIPELINES,
    answer=tried_pipelines,
    headers=HEADERS,
)
REGIONS = Single(
    path="/api/regions",
    name="explorer_regions",
    summary="For the Livepeer Explorer: regions",
    doc="Every region that is configured or was seen, and `GLOBAL` for what has none.",
    answers="The regions.",
    result=told.REGIONS,
    answer=regions,
    headers=HEADERS,
)
EXPLORER = (AGGREGATED_STATS, RAW_STATS, TOP_AI_SCORE, PIPELINES, REGIONS)
