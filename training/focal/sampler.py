"""Instance-balanced patches: each lesion is seen once an epoch, and as many patches without any.

A lesion's box is grown by 10 voxels and to 4/3 of the patch, and the patch is drawn inside it. A
patch without lesions is drawn inside a box of the same size from a grid with 50 % overlap, of
boxes that hold no lesion voxel (`papers.md` B.3). An epoch is a function of (seed, epoch).

Such boxes lie mostly in head and legs. Where it is asked, a share of the patches without a lesion
lies instead where something else is as bright as one: what a network takes for lesions.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from imaging.lesions import find_lesions
from training.focal.settings import CHANNELS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from training.cases import Case
    from training.sampling import Triple

MARGIN_VOXELS = 10
_LARGER = 4 / 3
_B1000 = [channel.quantity for channel in CHANNELS].index("b1000")
_BRIGHT_KEPT = 50_000
"""Voxels a case: enough to choose from."""


@dataclass(frozen=True, eq=False)
class LesionIndex:
    """A case, its lesions by number (26-connected), and where boxes without lesions begin.

    `bright` (n, 3) are voxels without lesion, as bright on b1000 as the median lesion voxel.
    """

    case: Case
    lesions: NDArray[np.uint16] = field(repr=False)
    boxes: tuple[tuple[slice, ...], ...] = field(repr=False)
    empty_corners: tuple[Triple, ...] = field(repr=False)
    bright: NDArray[np.int16] = field(repr=False)


@dataclass(frozen=True)
class PatchPlan:
    """A patch: position of the case, the patch's middle voxel, and the lesion it is for, or 0.

    A patch for something bright may hold a lesion too; its labels say so.
    """

    case: int
    centre: Triple
    lesion: int


def index_lesions(case: Case, patch: Triple) -> LesionIndex:
    """Find a case's lesions and the places that hold none."""
    lesions = find_lesions(case.labels > 0, case.model_input.geometry, 0.0)
    size = region_size(patch)
    corners = [
        (k, j, i)
        for k in _starts(lesions.shape[0], size[0])
        for j in _starts(lesions.shape[1], size[1])
        for i in _starts(lesions.shape[2], size[2])
        if not lesions[k : k + size[0], j : j + size[1], i : i + size[2]].any()
    ]
    boxes = tuple(ndimage.find_objects(lesions))
    return LesionIndex(case, lesions, boxes, tuple(corners), _bright(case, lesions > 0))


def region_size(patch: Triple) -> Triple:
    """Return the size of the box in which a patch is drawn: 4/3 of it (128 for 96)."""
    k, j, i = (round(n * _LARGER) for n in patch)
    return k, j, i


def epoch_plan(
    cases: Sequence[LesionIndex], patch: Triple, seed: int, epoch: int, bright_share: float = 0.0
) -> list[PatchPlan]:
    """Return an epoch's patches, shuffled: one a lesion, and as many for none.

    Places without lesions are taken without repetition while there are enough. `bright_share` of
    the patches for none are at something bright.
    """
    rng = np.random.default_rng((seed, epoch))
    plan = [
        PatchPlan(n, _centre_with(indexed, lesion, patch, rng), lesion)
        for n, indexed in enumerate(cases)
        for lesion in range(1, len(indexed.boxes) + 1)
    ]
    lesions = len(plan)
    bright = [n for n, indexed in enumerate(cases) if len(indexed.bright)]
    at_bright = round(lesions * bright_share) if bright else 0
    plan += _without(cases, patch, lesions - at_bright, rng)
    for n in rng.choice(bright, size=at_bright).tolist() if at_bright else []:
        plan.append(PatchPlan(n, _centre_bright(cases[n], patch, rng), 0))
    return [plan[at] for at in rng.permutation(len(plan)).tolist()]


def _without(
    cases: Sequence[LesionIndex], patch: Triple, wanted: int, rng: np.random.Generator
) -> list[PatchPlan]:
    empty = [(n, corner) for n, indexed in enumerate(cases) for corner in indexed.empty_corners]
    if not empty or not wanted:
        return []
    plan = []
    for at in rng.choice(len(empty), size=wanted, replace=wanted > len(empty)).tolist():
        n, corner = empty[at]
        plan.append(PatchPlan(n, _centre_inside(corner, region_size(patch), patch, rng), 0))
    return plan


def _bright(case: Case, lesion: NDArray[np.bool_]) -> NDArray[np.int16]:
    if not lesion.any():
        return np.zeros((0, 3), dtype=np.int16)
    signal = case.image[_B1000]
    voxels = np.argwhere((signal >= np.median(signal[lesion])) & ~lesion).astype(np.int16)
    return voxels[:: -(-len(voxels) // _BRIGHT_KEPT) or 1]


def _centre_bright(indexed: LesionIndex, patch: Triple, rng: np.random.Generator) -> Triple:
    """Draw a slice first, so that the brain counts as any other part."""
    slices = np.unique(indexed.bright[:, 0])
    here = indexed.bright[indexed.bright[:, 0] == rng.choice(slices)]
    k, j, i = (
        int(at + rng.integers(-(n // 4), n // 4 + 1))
        for at, n in zip(here[rng.integers(len(here))], patch, strict=True)
    )
    return k, j, i


def _centre_with(
    indexed: LesionIndex, lesion: int, patch: Triple, rng: np.random.Generator
) -> Triple:
    """Draw a patch in the lesion's box; where it holds no voxel of it, move it onto one."""
    corner, size = _region(indexed.boxes[lesion - 1], patch)
    centre = _within(_centre_inside(corner, size, patch, rng), patch, indexed.lesions.shape)
    box = tuple(
        slice(max(0, c - n // 2), c - n // 2 + n) for c, n in zip(centre, patch, strict=True)
    )
    if (indexed.lesions[box] == lesion).any():
        return centre
    inside = indexed.boxes[lesion - 1]
    voxels = np.argwhere(indexed.lesions[inside] == lesion) + [s.start for s in inside]
    k, j, i = voxels[rng.integers(len(voxels))].tolist()
    return k, j, i


def _region(box: tuple[slice, ...], patch: Triple) -> tuple[Triple, Triple]:
    """Return corner and size of a lesion's box with its margin, at least 4/3 of the patch."""
    size = [
        max(s.stop - s.start + 2 * MARGIN_VOXELS, n)
        for s, n in zip(box, region_size(patch), strict=True)
    ]
    corner = [(s.start + s.stop) // 2 - n // 2 for s, n in zip(box, size, strict=True)]
    return (corner[0], corner[1], corner[2]), (size[0], size[1], size[2])


def _centre_inside(corner: Triple, size: Triple, patch: Triple, rng: np.random.Generator) -> Triple:
    k, j, i = (
        int(c + rng.integers(0, max(n - p, 0) + 1) + p // 2)
        for c, n, p in zip(corner, size, patch, strict=True)
    )
    return k, j, i


def _within(centre: Triple, patch: Triple, shape: tuple[int, ...]) -> Triple:
    """Move the patch inside the array where it fits, as `training.sampling.cut` will."""
    k, j, i = (
        min(max(c, p // 2), n - p + p // 2) if n > p else n // 2
        for c, p, n in zip(centre, patch, shape, strict=True)
    )
    return k, j, i


def _starts(n: int, size: int) -> list[int]:
    """Return where boxes of `size` begin along an axis, half of one overlapping the next."""
    if n <= size:
        return [0]
    step = max(size // 2, 1)
    return sorted({*range(0, n - size, step), n - size})
