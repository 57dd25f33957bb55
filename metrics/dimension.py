"""What measures can be grouped and filtered by."""

from enum import StrEnum


class Dimension(StrEnum):
    """A property of every fact. Values are text; `None` where the log does not say."""

    SOURCE = "source"
    ORCHESTRATOR = "orchestrator"
    GPU = "gpu"
    GPU_MODEL = "gpu_model"
    WORKFLOW = "workflow"
    GATEWAY = "gateway"
    REGION = "region"
    SYNTHETIC = "synthetic"


DIMENSIONS = tuple(Dimension)
INDEX = {dimension: index for index, dimension in enumerate(DIMENSIONS)}


def synthetic(flag: bool) -> str:
    """The value of the dimension SYNTHETIC."""
    return "true" if flag else "false"
