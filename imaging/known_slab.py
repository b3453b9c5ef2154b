"""One small slab that everybody can make, and what a model answers to it: a model's fingerprint.

Export writes the answer into `osteon.json`; whoever runs the model elsewhere asks it the same slab
and compares. So a server with another file, other axes or another precision is found before it
answers for a patient.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from imaging.errors import ModelMismatch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from imaging.model import ModelSpec

KEY = "known_slab"
"""The free field of `osteon.json` that holds the answer."""
TOLERANCE = 1e-3
"""Largest difference of a probability; float32 keeps far below it, bfloat16 does not."""
_N_SAMPLES = 8
_DECIMALS = 7


@dataclass(frozen=True)
class KnownAnswer:
    """Probabilities by class: means over the slab, and those of the voxels at `places`.

    `places` index the raveled (slice, row, column).
    """

    means: tuple[float, ...]
    places: tuple[int, ...]
    samples: tuple[tuple[float, ...], ...]


def known_slab(spec: ModelSpec) -> NDArray[np.float32]:
    """Return float32 (channel, slice, row, column), `divisor` in size and twice as many columns.

    Waves in [0, 1], a few voxels long and different along each axis and in each channel: no flip
    or exchange of axes leaves them as they are, and networks are unsure about them.
    """
    slices, rows, columns = spec.divisor
    k, j, i = np.ogrid[:slices, :rows, : 2 * columns]
    waves = [
        0.5 + 0.5 * np.sin(k / 2.8 + n) * np.cos(j / 4.0 - n) * np.sin(i / 5.2 + 2 * n)
        for n in range(len(spec.channels))
    ]
    return np.stack(waves).astype(np.float32)


def describe(answer: NDArray[np.float32]) -> KnownAnswer:
    """Return the fingerprint of an answer (class, slice, row, column).

    The voxels are the least certain one of each eighth of the slab: they move first.
    """
    certainty = answer.max(axis=0).ravel()
    eighths = np.array_split(np.arange(certainty.size), _N_SAMPLES)
    places = tuple(int(part[certainty[part].argmin()]) for part in eighths)
    return _at(answer, places)


def parse(name: str, row: Mapping[str, Any]) -> KnownAnswer:
    """Read what `dataclasses.asdict` of an answer became in JSON.

    Raises:
        ModelMismatch: it is not one.

    """
    try:
        means = tuple(float(value) for value in row["means"])
        places = tuple(int(value) for value in row["places"])
        samples = tuple(tuple(float(value) for value in sample) for sample in row["samples"])
    except (KeyError, TypeError, ValueError) as error:
        message = f"model {name}: {KEY} of osteon.json is not an answer: {error!r}"
        raise ModelMismatch(message) from error
    return KnownAnswer(means, places, samples)


def difference(expected: KnownAnswer, answer: NDArray[np.float32]) -> float:
    """Return the largest difference of a probability; infinite where the two cannot be compared."""
    inside = all(0 <= place < answer[0].size for place in expected.places)
    rows = (expected.means, *expected.samples)
    alike = all(len(row) == answer.shape[0] for row in rows)
    if not (inside and alike and len(expected.places) == len(expected.samples)):
        return float("inf")
    found = _at(answer, expected.places)
    return float(np.abs(np.subtract(rows, (found.means, *found.samples))).max())


def _at(answer: NDArray[np.float32], places: tuple[int, ...]) -> KnownAnswer:
    means = answer.mean(axis=(1, 2, 3), dtype=np.float64)
    flat = answer.reshape(answer.shape[0], -1)
    return KnownAnswer(_rounded(means), places, tuple(_rounded(flat[:, n]) for n in places))


def _rounded(values: NDArray[Any]) -> tuple[float, ...]:
    return tuple(round(float(value), _DECIMALS) for value in values)
