"""Samples: seeded, without repetition, and the same everywhere."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.errors import BadRequest
from promptsets.sample import sample
from promptsets.source import load

SETS = load(None)
TOTAL = sum(len(one.prompts) for one in SETS)


@given(st.integers(), st.integers(1, TOTAL), st.integers(1, TOTAL))
def test_a_sample_repeats_nothing_and_begins_a_larger_one(seed: int, one: int, other: int) -> None:
    smaller, larger = (sample(SETS, seed, count) for count in sorted((one, other)))

    assert larger[: len(smaller)] == smaller
    assert len({(dataset.name, prompt.text) for dataset, prompt in larger}) == len(larger) == max(one, other)


def test_the_order_of_the_sets_changes_nothing_and_the_seed_does() -> None:
    assert sample(SETS, 1, 50) == sample(SETS[::-1], 1, 50)
    assert sample(SETS, 1, 50) != sample(SETS, 2, 50)


def test_every_prompt_is_drawn_about_as_often() -> None:
    pool = SETS[:1]
    drawn = [prompt for seed in range(200) for _, prompt in sample(pool, seed, 24)]

    counts = [drawn.count(prompt) for prompt in pool[0].prompts]
    assert sum(counts) == 4800
    assert 1 <= min(counts) <= max(counts) <= 45


@pytest.mark.parametrize("count", [0, -1, TOTAL + 1])
def test_more_than_there_are_is_an_error_that_says_how_many_there_are(count: int) -> None:
    with pytest.raises(BadRequest, match="--count must be from 1 to 2,160"):
        sample(SETS, 1, count)
