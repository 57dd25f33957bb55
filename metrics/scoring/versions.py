"""Every version of the score, the default one first."""

from metrics.errors import BadRequest
from metrics.scoring.naap_1 import NAAP_1
from metrics.scoring.quality_benchmark_1 import QUALITY_BENCHMARK_1
from metrics.scoring.score import Version

DEFAULT = NAAP_1
VERSIONS = (DEFAULT, QUALITY_BENCHMARK_1)
BY_NAME = {version.name: version for version in VERSIONS}


def version_named(name: str | None, argument: str = "version") -> Version:
    """The version of this name, the default one without. Raises BadRequest, naming those that there are."""
    if name is None:
        return DEFAULT
    if name not in BY_NAME:
        raise BadRequest(f"{argument} {name[:80]!r} is no version of the score: {', '.join(BY_NAME)}.", argument)
    return BY_NAME[name]
