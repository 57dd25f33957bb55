"""`GET /v1/sla/datasets`: the sets of prompts that workflows are loaded with, in order of their names."""

from metrics.window import Window
from promptsets.dataset import Dataset, DatasetType
from resolvers.context import Context
from rest import schema
from rest.cursor import Key
from rest.operation import Listed
from rest.page import Listing, Paged
from rest.parameter import Asked, Parameter
from rest.params import WORKFLOW

NAME = "datasets"
TYPES = [one.value for one in DatasetType]
TYPE = Parameter("type", DatasetType.of, {"type": "string", "enum": TYPES}, "Only sets of this type.")
# The list is about no time; a cursor holds one all the same.
NO_TIME = Window.of_ms(0, 1)


async def datasets(context: Context, asked: Asked) -> Paged:
    """The page that is asked for."""
    listing = Listing.of(NAME, asked, "", NO_TIME, 1)
    page, following = listing.cut(context.datasets.where(asked.get(WORKFLOW), asked.get(TYPE)), _key)
    return Paged([one.told() for one in page], following, listing.limit, None)


def _key(one: Dataset) -> Key:
    return (one.name,)


ITEM = schema.record(
    {
        "name": schema.text("Its name."),
        "version": schema.text("Its version."),
        "workflow": schema.text("The workflow that it loads: the id of a model."),
        "type": schema.text("What kind of prompts it holds.", enum=TYPES),
        "description": schema.text("What it is for."),
        "license": schema.text("An SPDX expression."),
        "prompt_count": schema.whole("How many prompts it has.", minimum=0),
        "sha256": schema.text("Of the file of prompts, as it is.", pattern="^[0-9a-f]{64}$"),
        "updated_at": schema.instant("When it was changed last."),
        "url": schema.text("Where it can be had; null where only this gateway has it.", nullable=True),
    },
    "A set of prompts to load a workflow with.",
)
DATASETS = Listed(
    path="/v1/sla/datasets",
    name=NAME,
    summary="Prompt sets to load workflows with",
    doc="One item per set that this gateway knows, by name. The prompts themselves are files.",
    answers="A page of datasets.",
    own=(WORKFLOW, TYPE),
    reads=False,
    item=ITEM,
    answer=datasets,
    example="limit=2",
)
