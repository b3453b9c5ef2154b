"""Planned lesions grown inside the bone of a painted body."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from imaging.anatomy import BY_NAME
from phantom.fields import smooth_noise
from phantom.tissue import Tissue

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from phantom.canvas import Canvas
    from phantom.disease import Disease, PlannedLesion

_AXIAL = ("thoracic_spine", "lumbar_spine", "sacrum", "pelvis")
_DIFFUSE_PATCH_ML = 0.3


@dataclass(frozen=True, eq=False)
class Grown:
    """Lesions on the painting grid: `index` is 0 or the position + 1 in `adc` and `contrast`."""

    index: NDArray[np.uint16] = field(repr=False)
    adc_um2_s: tuple[float, ...]
    contrast: tuple[float, ...]
    planned: tuple[int, ...] = ()
    """Which of the plan's lesions each is, from 0; -1 for a patch of diffuse disease."""


def grow_lesions(canvas: Canvas, labels: NDArray[np.uint8], disease: Disease) -> Grown:
    """Grow every planned lesion to its volume within its region's bone, marrow first."""
    index = np.zeros(labels.shape, np.uint16)
    adc: list[float] = []
    contrast: list[float] = []
    planned: list[int] = []
    if disease.diffuse_fraction > 0:
        n = _infiltrate(canvas, labels, disease, index)
        rng = np.random.default_rng(disease.seed)
        adc += list(np.clip(rng.normal(disease.diffuse_adc_um2_s, 120, n), 500, 2300))
        contrast += list(np.clip(rng.normal(disease.diffuse_contrast, 0.4, n), 2.0, 7.0))
        planned += [-1] * n
    marrow = _marrow_by_region(canvas, labels, {p.region for p in disease.lesions})
    for position, plan in enumerate(disease.lesions):
        if len(marrow[plan.region][0]) and _grow(canvas, labels, index, plan, marrow, len(adc) + 1):
            adc.append(plan.adc_um2_s)
            contrast.append(plan.contrast)
            planned.append(position)
    return Grown(index, tuple(adc), tuple(contrast), tuple(planned))


def _marrow_by_region(
    canvas: Canvas, labels: NDArray[np.uint8], regions: set[str]
) -> dict[str, tuple[NDArray[np.intp], ...]]:
    marrow = canvas.tissue == Tissue.MARROW
    found: Sequence[tuple[slice, ...] | None] = ndimage.find_objects(labels, max_label=255)
    result: dict[str, tuple[NDArray[np.intp], ...]] = {}
    for name in sorted(regions):
        label = BY_NAME[name].label
        box = found[label - 1]
        if box is None:
            result[name] = (np.empty(0, np.intp),) * 3
            continue
        inside = np.nonzero((labels[box] == label) & marrow[box])
        result[name] = tuple(i + s.start for i, s in zip(inside, box, strict=True))
    return result


def _grow(
    canvas: Canvas,
    labels: NDArray[np.uint8],
    index: NDArray[np.uint16],
    plan: PlannedLesion,
    marrow: dict[str, tuple[NDArray[np.intp], ...]],
    number: int,
) -> bool:
    """Take the nearest bone voxels under a warped metric until the volume is reached."""
    where = np.array([m[int(plan.where[0] * len(m))] for m in marrow[plan.region]], dtype=float)
    if plan.place_mm is not None:
        where = canvas.locate(np.array([plan.place_mm]))[0]
    radius = (plan.volume_ml * 1000 * 0.75 / np.pi) ** (1 / 3)
    box = canvas.box(where, 2.2 * radius + 6)
    if box is None:
        return False
    free = (labels[box] == BY_NAME[plan.region].label) & (index[box] == 0)
    rng = np.random.default_rng(plan.seed)
    grid = np.meshgrid(*[np.arange(s.start, s.stop) for s in box], indexing="ij")
    stretch = np.exp(rng.normal(0, 0.22, 3)) * np.array(canvas.geometry.spacing_mm)
    distance = np.sqrt(
        sum(((g - w) * s) ** 2 for g, w, s in zip(grid, where, stretch, strict=True))
    )
    cell = [max(1.5, 0.7 * radius / s) for s in canvas.geometry.spacing_mm]
    distance += 0.22 * radius * smooth_noise(distance.shape, (cell[0], cell[1], cell[2]), rng)
    distance += 0.35 * radius * (canvas.tissue[box] != Tissue.MARROW)
    distance[~free] = np.inf
    wanted = max(1, round(plan.volume_ml / canvas.geometry.voxel_volume_ml))
    flat = np.argsort(distance, axis=None)[:wanted]
    flat = flat[np.isfinite(distance.ravel()[flat])]
    if not len(flat):
        return False
    index[box][np.unravel_index(flat, distance.shape)] = number
    return True


def _infiltrate(
    canvas: Canvas, labels: NDArray[np.uint8], disease: Disease, index: NDArray[np.uint16]
) -> int:
    """Patchy infiltration of axial marrow; returns the number of patches."""
    rng = np.random.default_rng(disease.seed)
    cell = [14.0 / s for s in canvas.geometry.spacing_mm]
    noise = smooth_noise(labels.shape, (cell[0], cell[1], cell[2]), rng)
    axial = np.isin(labels, [BY_NAME[n].label for n in _AXIAL]) & (canvas.tissue == Tissue.MARROW)
    if not axial.any():
        return 0
    level = np.quantile(noise[axial], 1 - disease.diffuse_fraction)
    patches, n = ndimage.label(axial & (noise > level))
    sizes = np.bincount(patches.ravel(), minlength=n + 1) * canvas.geometry.voxel_volume_ml
    keep = np.nonzero(sizes[1:] >= _DIFFUSE_PATCH_ML)[0] + 1
    table = np.zeros(n + 1, np.uint16)
    table[keep] = np.arange(1, len(keep) + 1)
    index[:] = table[patches]
    return len(keep)
