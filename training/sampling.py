"""Which part of which patient the network sees next.

Every patch is a function of (seed, step, position in the batch): nothing needs to be remembered,
and a resumed run sees what an unbroken one would have seen.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from imaging.lesions import find_lesions

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from training.cases import Case

Triple = tuple[int, int, int]


@dataclass(frozen=True, eq=False)
class IndexedCase:
    """A case and what a patch may aim at: (n, 3) of (slice, row, column) for every target.

    In anatomy a target is a class, by its centroid in every slice; in disease it is one lesion,
    so that a small one is seen as often as a large one.
    """

    case: Case
    centres: dict[int, NDArray[np.int64]] = field(repr=False)


def index_case(case: Case, task: str = "anatomy") -> IndexedCase:
    """Find where everything lies that patches aim at."""
    return _index_lesions(case) if task == "disease" else _index_structures(case)


def _index_lesions(case: Case) -> IndexedCase:
    geometry = case.model_input.geometry
    parts = find_lesions(case.labels > 0, geometry, min_volume_ml=0.0)
    order = np.argsort(parts, axis=None, kind="stable")[np.count_nonzero(parts == 0) :]
    numbers = parts.reshape(-1)[order]
    groups = np.split(order, np.flatnonzero(np.diff(numbers)) + 1) if order.size else []
    targets = (np.stack(np.unravel_index(group, parts.shape), axis=1) for group in groups)
    return IndexedCase(case, dict(enumerate(targets, start=1)))


def _index_structures(case: Case) -> IndexedCase:
    centres: dict[int, list[tuple[int, int, int]]] = {}
    for k, plane in enumerate(case.labels):
        rows, columns = np.nonzero(plane)
        found = plane[rows, columns]
        counts = np.bincount(found)
        row_sums = np.bincount(found, weights=rows)
        column_sums = np.bincount(found, weights=columns)
        for label in np.flatnonzero(counts):
            centre = (k, row_sums[label] / counts[label], column_sums[label] / counts[label])
            centres.setdefault(int(label), []).append((k, int(centre[1]), int(centre[2])))
    return IndexedCase(case, {label: np.array(found) for label, found in centres.items()})


def choose_centre(indexed: IndexedCase, rare_share: float, rng: np.random.Generator) -> Triple:
    """Choose a patch's centre.

    `rare_share` of the patches aim at a structure, each structure as often as any other, so that
    small ones are seen; the others fall anywhere along the body.
    """
    shape = indexed.case.labels.shape
    if indexed.centres and rng.random() < rare_share:
        label = int(rng.choice(sorted(indexed.centres)))
        k, j, i = rng.choice(indexed.centres[label])
        jitter = rng.integers(-12, 13, size=3)
        return (int(k + jitter[0]), int(j + jitter[1]), int(i + jitter[2]))
    anywhere = rng.random(3) * shape
    return (int(anywhere[0]), int(anywhere[1]), int(anywhere[2]))


def cut(array: NDArray[np.generic], centre: Triple, size: Triple) -> NDArray[np.generic]:
    """Return the box of `size` around `centre` from the last three axes, zeros outside.

    The box is moved inside the array where it fits, so that no patch is mostly empty.
    """
    lead = array.shape[:-3]
    out = np.zeros((*lead, *size), dtype=array.dtype)
    source: list[slice] = []
    target: list[slice] = []
    k, j, i = array.shape[-3:]
    for start, n, full in zip(corner(centre, size, (k, j, i)), size, (k, j, i), strict=True):
        low, high = max(0, start), min(full, start + n)
        source.append(slice(low, high))
        target.append(slice(low - start, high - start))
    out[..., target[0], target[1], target[2]] = array[..., source[0], source[1], source[2]]
    return out


def corner(centre: Triple, size: Triple, shape: Triple) -> Triple:
    """Return where the box that `cut` takes from an array of `shape` begins; it may be below 0."""
    k, j, i = (_start(c, n, full) for c, n, full in zip(centre, size, shape, strict=True))
    return k, j, i


def _start(centre: int, size: int, full: int) -> int:
    start = centre - size // 2
    if size >= full:
        return -((size - full) // 2)
    return min(max(start, 0), full - size)
