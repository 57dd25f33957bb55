"""`GET /v1/sla/network/capabilities`: who offers which workflow on what, for a program that chooses orchestrators."""

from metrics.window import from_ms
from resolvers.capabilities import Capability, capabilities, last_day, regions
from resolvers.context import Context
from rest import schema
from rest.cursor import Key, order
from rest.operation import Listed
from rest.page import Listing, Paged, instant
from rest.parameter import Asked
from rest.params import REGION, WORKFLOW
from rest.version import release

NAME = "network_capabilities"
KEY_PARTS = 3


async def network_capabilities(context: Context, asked: Asked) -> Paged:
    """The page that is asked for."""
    listing = Listing.of(NAME, asked, "", await last_day(context), KEY_PARTS)
    workflow, region = asked.get(WORKFLOW), asked.get(REGION)
    found = await capabilities(context, listing.window)
    places = await regions(context)
    kept = [
        one
        for one in found
        if workflow in (None, one.offered.workflow) and region in (None, places.get(one.offered.service_uri))
    ]
    page, following = listing.cut(sorted(kept, key=lambda one: order(one.offered)), _key)
    return listing.paged([_item(one, places.get(one.offered.service_uri)) for one in page], following)


def _key(one: Capability) -> Key:
    return one.offered


def _item(one: Capability, region: str | None) -> dict[str, object]:
    return {
        "o_wallet": one.offered.orchestrator,
        "service_uri": one.offered.service_uri,
        "workflow": one.offered.workflow,
        "pipeline": one.pipeline,
        "region": region,
        "price_wei_per_pixel": one.price_wei_per_pixel,
        "orchestrator_agent_version": release(one.node_version),
        "runner_version": one.runner_version,
        "gpus": [
            {"gpu_id": gpu.id, "model": gpu.model, "vram_bytes": gpu.vram_bytes, "cuda_capability": gpu.cuda_capability}
            for gpu in one.gpus
        ],
        "last_seen_at": instant(from_ms(one.last_ms)),
    }


GPU = schema.record(
    {
        "gpu_id": schema.text("Its id, as its runner states it; ids change over time."),
        "model": schema.text("Its model.", nullable=True),
        "vram_bytes": schema.whole("Its memory in bytes.", nullable=True, minimum=0),
        "cuda_capability": schema.text("Its CUDA compute capability.", nullable=True),
    },
    "A GPU that is offered.",
)
ITEM = schema.record(
    {
        "o_wallet": schema.text("The orchestrator's wallet; null where it is not known.", nullable=True),
        "service_uri": schema.text("Where it offers this: in lower case, without a slash at the end."),
        "workflow": schema.text("The workflow: the id of a model. Null where the node names none.", nullable=True),
        "pipeline": schema.text("The pipeline that the workflow runs in.", nullable=True),
        "region": schema.text("The region that sessions at this URI were last seen in.", nullable=True),
        "price_wei_per_pixel": schema.decimal_text("What it asks, in wei per pixel, exactly.", nullable=True),
        "orchestrator_agent_version": schema.text(
            "The release of the node, without the commit that nodes append.", nullable=True
        ),
        "runner_version": schema.text("The version of the workflow's runner.", nullable=True),
        "gpus": schema.listing(GPU, "The GPUs that it offers for this workflow."),
        "last_seen_at": schema.instant("When it was last advertised so."),
    },
    "What one service URI offers for one workflow, by the last snapshot of that URI.",
)
CAPABILITIES = Listed(
    path="/v1/sla/network/capabilities",
    name=NAME,
    summary="What orchestrators offer",
    doc=(
        "One item per wallet, service URI and workflow that the URI's last capability snapshot offers, where that is "
        "at most 24 hours older than the latest event of the data."
    ),
    answers="A page of capabilities.",
    own=(WORKFLOW, REGION),
    item=ITEM,
    answer=network_capabilities,
    example="limit=2",
)
