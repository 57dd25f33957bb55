"""`GET /v1/sla/datasets`: the sets of prompts that workflows are loaded with, in order of their names."""

from collections.abc import Mapping

from metrics.errors import BadRequest
from promptsets.dataset import DatasetType
from resolvers import datasets as reading
from resolvers.context import Context
from resolvers.page import Slice
from rest import params
from rest.page import framed

PARAMETERS = ("workflow", "type", "limit", "cursor")
DEFAULT_LIMIT = 100


async def datasets(context: Context, asked: Mapping[str, str]) -> dict[str, object]:
    """The answer to these parameters."""
    limit = params.limit(asked["limit"]) if "limit" in asked else DEFAULT_LIMIT
    type = DatasetType.of(asked["type"]) if "type" in asked else None
    try:
        page = reading.datasets(context, Slice(limit, after=asked.get("cursor")), asked.get("workflow"), type).page
    except BadRequest:
        # The only argument of the page that comes from outside and is not checked yet.
        raise BadRequest(
            "cursor is not one of ours. Pass pagination.next_cursor back unchanged, or leave it out.", "cursor"
        ) from None
    following = page.items[-1][0] if page.has_next else None
    return await framed([one.told() for _, one in page.items], following, limit, None, context)
