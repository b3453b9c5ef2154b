"""Ranges of phantom seeds, and the ones that no model may ever have seen."""

from __future__ import annotations

from training.errors import TrainingError

TEST_SEEDS = range(1000, 1020)
"""Kept for evaluation: preparing or fitting on them is refused."""


def parse_seeds(text: str) -> tuple[int, ...]:
    """Return the seeds of "1-150", "900" or "1-3,7": ascending, each once.

    Raises:
        TrainingError: `SEEDS`, the text is not a list of ranges.

    """
    seeds: set[int] = set()
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        try:
            seeds.update(range(int(first), int(last if dash else first) + 1))
        except ValueError as error:
            message = f"seeds must look like '1-150' or '1-3,7', not {text!r}"
            raise TrainingError(message, code="SEEDS") from error
    if not seeds:
        raise TrainingError(f"the range {text!r} holds no seed", code="SEEDS")
    return tuple(sorted(seeds))


def refuse_test_seeds(seeds: tuple[int, ...]) -> None:
    """Keep the test patients out of training.

    Raises:
        TrainingError: `TEST_SEEDS`, one of them is in `seeds`.

    """
    forbidden = [s for s in seeds if s in TEST_SEEDS]
    if forbidden:
        message = (
            f"seeds {forbidden} are kept for evaluation (1000-1019) and must not be prepared for "
            "training; leave them out of the range"
        )
        raise TrainingError(message, code="TEST_SEEDS")


def seeds_in_words(seeds: tuple[int, ...]) -> str:
    """Return ascending seeds as ranges, "1-3,7": what `parse_seeds` reads."""
    ranges: list[list[int]] = []
    for seed in seeds:
        if ranges and seed == ranges[-1][1] + 1:
            ranges[-1][1] = seed
        else:
            ranges.append([seed, seed])
    return ",".join(f"{a}-{b}" if b > a else f"{a}" for a, b in ranges)
