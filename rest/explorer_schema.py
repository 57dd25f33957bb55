"""The shapes that the Livepeer Explorer expects."""

from rest import schema

_REGION = "The region in upper case; `GLOBAL` where it has none."
_PIPELINE = "The pipeline; `unknown` where the events name none."
_MODEL = "The model; `unknown` where the events name none."

STANDING = schema.record(
    {
        "success_rate": schema.number(
            "Served sessions and succeeded jobs, of those attempted or ended.", minimum=0, maximum=1
        ),
        "round_trip_score": schema.number(
            "How short the mean round trip is: 0.8 at the median of all; 0 where none is known.", minimum=0, maximum=1
        ),
        "score": schema.number("Both together; 0 without success.", minimum=0, maximum=1),
    },
    "How an orchestrator does in a region.",
)
AGGREGATED = schema.mapping(schema.mapping(STANDING, "Region in upper case → how it does there."), "Wallet → regions.")
ERROR = schema.record(
    {
        "error_code": schema.text("What it was: how a session or job failed, or ERROR_EVENT."),
        "message": schema.text("The same in words."),
        "count": schema.whole("How often.", minimum=1),
    },
    "Something that went wrong.",
)
ATTEMPT = schema.record(
    {
        "region": schema.text(_REGION),
        "orchestrator": schema.text("Its wallet."),
        "success_rate": schema.number("1 where it was served or succeeded, else 0.", minimum=0, maximum=1),
        "round_trip_time": schema.number(
            "Prompt to first frame, or how long the job took, in seconds; 0 where it is not known.", minimum=0
        ),
        "errors": schema.listing(ERROR, "What went wrong."),
        "timestamp": schema.whole("When it was requested or the job began, in Unix seconds."),
        "model": schema.text(_MODEL),
        "pipeline": schema.text(_PIPELINE),
    },
    "One session or job.",
)
RAW = schema.mapping(schema.listing(ATTEMPT, "What was tried, newest first."), "Region in upper case → attempts.")
_TOP = {
    "region": schema.text(_REGION),
    "orchestrator": schema.text("Its wallet."),
    "value": schema.number("The score.", minimum=0, maximum=1),
    "model": schema.text(_MODEL),
    "pipeline": schema.text(_PIPELINE),
}
TOP = schema.record(_TOP, "The best score; empty where nothing was tried.", optional=(*_TOP,))
PIPELINES = schema.record(
    {
        "pipelines": schema.listing(
            schema.record(
                {
                    "id": schema.text("The pipeline."),
                    "models": schema.listing(schema.text("A model."), "Its models."),
                    "regions": schema.listing(schema.text("A region in upper case."), "Where they were tried."),
                },
                "A pipeline.",
            ),
            "The pipelines, by name.",
        )
    },
    "Every pipeline.",
)
REGIONS = schema.record(
    {
        "regions": schema.listing(
            schema.record(
                {
                    "id": schema.text("The region in upper case."),
                    "name": schema.text("Its name."),
                    "type": schema.text("What work there is: always ai.", enum=["ai", "transcoding"]),
                },
                "A region.",
            ),
            "The regions, `GLOBAL` first.",
        )
    },
    "Every region.",
)
