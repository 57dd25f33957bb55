"""Drawing prompts: the same seed draws the same ones, on every machine and in every version of Python."""

from collections.abc import Sequence
from hashlib import blake2b

from metrics.errors import BadRequest
from promptsets.dataset import Dataset, Prompt, PromptSet

Drawn = tuple[Dataset, Prompt]


def sample(sets: Sequence[PromptSet], seed: int, count: int) -> list[Drawn]:
    """So many prompts of these sets, each at most once; a smaller sample of the same seed is the beginning of a larger.

    Raises BadRequest where there are not so many.
    """
    pool = [(one.dataset, prompt) for one in sets for prompt in one.prompts]
    if not 1 <= count <= len(pool):
        raise BadRequest(f"--count must be from 1 to {len(pool):,}, the number of prompts to draw from.", "--count")
    return sorted(pool, key=lambda drawn: _lot(seed, *drawn))[:count]


def _lot(seed: int, dataset: Dataset, prompt: Prompt) -> bytes:
    return blake2b(f"{seed}/{dataset.name}/{prompt.text}".encode(), digest_size=16).digest()
