"""Lesions grown in bone: lobed and drawn out, some from the cortex, infiltration as strands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from imaging.anatomy import BY_NAME
from phantom.contoured.implicit import frame_of, ripples
from phantom.fields import smooth_noise
from phantom.lesions import Grown
from phantom.tissue import Tissue

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from phantom.contoured.canvas import Canvas
    from phantom.disease import Disease, PlannedLesion

_DIFFUSE_IN = ("thoracic_spine", "lumbar_spine", "sacrum", "pelvis", "ribs", "sternum")
_DIFFUSE_ML = 0.3


def grow_lesions(canvas: Canvas, disease: Disease) -> Grown:
    """Grow every lesion in its region's bone; later ones take what earlier ones left."""
    index = np.zeros(canvas.labels.shape, np.uint16)
    adc: list[float] = []
    contrast: list[float] = []
    if disease.diffuse_fraction > 0:
        n = _infiltrate(canvas, disease, index)
        rng = np.random.default_rng(disease.seed)
        adc += np.clip(rng.normal(disease.diffuse_adc_um2_s, 140, n), 500, 2300).tolist()
        contrast += np.clip(rng.normal(disease.diffuse_contrast, 0.5, n), 2.0, 7.0).tolist()
    for plan in disease.lesions:
        if _grow(canvas, index, plan, len(adc) + 1):
            adc.append(plan.adc_um2_s)
            contrast.append(plan.contrast)
    return Grown(index, tuple(adc), tuple(contrast))


def _grow(canvas: Canvas, index: NDArray[np.uint16], plan: PlannedLesion, number: int) -> bool:
    """Take the bone nearest to a seed under a stretched, lobed metric, up to the volume."""
    label = BY_NAME[plan.region].label
    layer = Tissue.CORTEX if plan.where[1] < 0.3 else Tissue.MARROW
    bone = np.flatnonzero((canvas.labels == label) & (canvas.tissue == layer))
    if not len(bone):
        return False
    seed = np.array(np.unravel_index(bone[int(plan.where[0] * len(bone))], index.shape))
    spacing = np.array(canvas.geometry.spacing_mm)
    radius = (plan.volume_ml * 750 / np.pi) ** (1 / 3)
    reach = np.ceil((3.2 * radius + 6) / spacing).astype(int)
    low, high = np.maximum(seed - reach, 0), np.minimum(seed + reach + 1, index.shape)
    box = tuple(slice(a, b) for a, b in zip(low.tolist(), high.tolist(), strict=True))
    rng = np.random.default_rng(plan.seed)
    distance = _metric(
        [
            (np.arange(s.start, s.stop) - c) * mm
            for s, c, mm in zip(box, seed, spacing, strict=True)
        ],
        radius,
        rng,
    )
    free = (canvas.labels[box] == label) & (index[box] == 0)
    distance[~free] = np.inf
    wanted = max(1, round(plan.volume_ml / canvas.geometry.voxel_volume_ml))
    chosen = np.argsort(distance, axis=None)[:wanted]
    chosen = chosen[distance.ravel()[chosen] < 3.0 * radius]
    index[box][np.unravel_index(chosen, distance.shape)] = number
    return bool(len(chosen))


def _metric(
    axes: list[NDArray[np.float64]], radius: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Distance from the middle in mm, shorter along a random axis and where lobes bulge."""
    offsets = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    turn = frame_of(*rng.uniform(-80, 80, 3))
    scale = np.exp(rng.normal(0, 0.3, 3))
    moved = (offsets @ turn.T) / (scale / np.prod(scale) ** (1 / 3))
    length = np.linalg.norm(moved, axis=-1)
    unit = (moved / np.maximum(length, 1e-3)[..., None]).astype(np.float32)
    lobes = ripples(rng, 0.25, 8)((unit[..., 0], unit[..., 1], unit[..., 2]))
    metric: NDArray[np.float64] = length / np.maximum(1 + lobes, 0.4)
    metric += 0.02 * radius * rng.random(length.shape)
    return metric


def _infiltrate(canvas: Canvas, disease: Disease, index: NDArray[np.uint16]) -> int:
    """Cords between two levels of a smooth field: infiltration as strands, not as islands."""
    rng = np.random.default_rng(disease.seed)
    cell = [18.0 / s for s in canvas.geometry.spacing_mm]
    noise = np.abs(smooth_noise(index.shape, (cell[0], cell[1], cell[2]), rng))
    labels = [BY_NAME[n].label for n in _DIFFUSE_IN]
    marrow = np.isin(canvas.labels, labels) & (canvas.tissue == Tissue.MARROW)
    if not marrow.any():
        return 0
    level = np.quantile(noise[marrow], disease.diffuse_fraction)
    strands, n = ndimage.label(marrow & (noise < level))
    sizes = np.bincount(strands.ravel(), minlength=n + 1) * canvas.geometry.voxel_volume_ml
    keep = np.nonzero(sizes[1:] >= _DIFFUSE_ML)[0] + 1
    table = np.zeros(n + 1, np.uint16)
    table[keep] = np.arange(1, len(keep) + 1)
    index[:] = table[strands]
    return len(keep)
