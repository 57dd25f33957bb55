"""What orchestrators ask for, as the NaaP dashboard shows it: the mean price of each model."""

from asyncio import gather
from collections import defaultdict
from dataclasses import dataclass
from fractions import Fraction

from resolvers.capabilities import Capability, capabilities, last_day
from resolvers.context import Context
from resolvers.pipelines import UNKNOWN, pipelines

# The dashboard's price is in 10¹² wei per unit.
WEI_PER_PRICE = 10**12


@dataclass(frozen=True, slots=True)
class Price:
    """The mean over the service URIs that offer a model and name a price, and how many orchestrators offer it."""

    pipeline: str
    model: str
    wei_per_pixel: Fraction
    orchestrators: int

    @property
    def price(self) -> float:
        """The price in 10¹² wei per pixel."""
        return float(self.wei_per_pixel / WEI_PER_PRICE)

    @property
    def whole_wei(self) -> str | None:
        """The price in wei per pixel, rounded half up; None where that would make something free that is not."""
        rounded = int(self.wei_per_pixel + Fraction(1, 2))
        return None if self.wei_per_pixel and not rounded else str(rounded)


async def pricing(context: Context) -> list[Price]:
    """The price of each model by the last snapshots, the dearest first; models without one are left out."""
    offers, known = await gather(capabilities(context, await last_day(context)), pipelines(context))
    found: dict[str, list[Capability]] = defaultdict(list)
    for one in offers:
        if one.offered.workflow is not None:
            found[one.offered.workflow].append(one)
    made = [_price(known.get(model, UNKNOWN), model, own) for model, own in found.items()]
    kept = [one for one in made if one is not None]
    return sorted(kept, key=lambda one: (-one.wei_per_pixel, one.pipeline, one.model))


def _price(pipeline: str, model: str, offers: list[Capability]) -> Price | None:
    told = [Fraction(one.price_wei_per_pixel) for one in offers if one.price_wei_per_pixel is not None]
    if not told:
        return None
    # Where a wallet is not known, its URI stands for it.
    who = {one.offered.orchestrator or one.offered.service_uri for one in offers}
    return Price(pipeline, model, sum(told, Fraction()) / len(told), len(who))
