"""The REST routes. What they need of the gateway they are given; they know no store and no loader."""

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from resolvers.context import Context
from rest import datasets, params
from rest.events import Door, Intake, events
from rest.gpu_metrics import PARAMETERS, gpu_metrics
from rest.json import Json


def routes(context: Callable[[Request], Context], intake: Callable[[Request], Intake], door: Door) -> list[Route]:
    """Every REST route. `context` and `intake` give a request its view of the stores and the way in."""

    async def get_gpu_metrics(request: Request) -> Response:
        return Json(await gpu_metrics(context(request), params.checked(request.query_params, PARAMETERS)))

    async def get_datasets(request: Request) -> Response:
        asked = params.checked(request.query_params, datasets.PARAMETERS)
        return Json(await datasets.datasets(context(request), asked))

    async def post_events(request: Request) -> Response:
        return Json(await events(request, intake(request), door))

    return [
        Route("/v1/sla/gpu/metrics", get_gpu_metrics, methods=["GET"]),
        Route("/v1/sla/datasets", get_datasets, methods=["GET"]),
        Route("/v1/events", post_events, methods=["POST"]),
    ]
