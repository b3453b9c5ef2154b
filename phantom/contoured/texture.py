"""Texture of the contoured model: marrow in islands, muscle in bundles, grain of many sizes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from imaging.anatomy import BY_NAME
from phantom.fields import smooth_noise
from phantom.physics import TissueMaps
from phantom.tissue import Tissue

if TYPE_CHECKING:
    from collections.abc import Sequence

    from phantom.body import Body
    from phantom.fields import Field
    from phantom.patient import Patient
    from phantom.tissue import TissueValues

# Share of red marrow by region; the long bones lose it from the shaft outwards.
_RED = {
    "skull": 0.45, "humerus_left": 0.35, "humerus_right": 0.35, "femur_left": 0.4,
    "femur_right": 0.4, "clavicles": 0.55, "scapulae": 0.6, "pelvis": 0.8, "sternum": 0.95,
    "ribs": 0.85, "sacrum": 0.8, "cervical_spine": 0.9, "thoracic_spine": 1.0, "lumbar_spine": 0.95,
}  # fmt: skip
_YELLOW_S0 = 0.35
_OCTAVES_MM = (3.5, 7.0, 14.0, 28.0, 56.0)


def tissue_maps(body: Body, patient: Patient) -> TissueMaps:
    """Give every voxel its tissue's values with a grain of many sizes."""
    values, tissue = patient.tissues, body.tissue
    rng = np.random.default_rng(patient.streams["texture"])
    grain, other = _grain(body, rng), _grain(body, rng)
    s0 = values.s0[tissue]
    adc = values.adc_um2_s[tissue]
    marrow = tissue == Tissue.MARROW
    s0[marrow] *= _red_marrow(body, rng)[marrow]
    _streak_muscle(body, s0, rng)
    _set_lesions(body, values, s0, adc)
    s0 *= np.maximum(1 + values.s0_texture[tissue] * grain, np.float32(0.2))
    adc *= np.maximum(1 + values.adc_texture[tissue] * other, np.float32(0.5))
    return TissueMaps(s0, adc, values.perfusion[tissue])


def _noise(body: Body, mm: tuple[float, float, float], rng: np.random.Generator) -> Field:
    cell = [m / s for m, s in zip(mm, body.geometry.spacing_mm, strict=True)]
    return smooth_noise(body.tissue.shape, (cell[0], cell[1], cell[2]), rng)


def _grain(body: Body, rng: np.random.Generator) -> Field:
    """Sum octaves whose amplitude grows with their size: a falling spectrum."""
    total = np.zeros(body.tissue.shape, np.float32)
    for size in _OCTAVES_MM:
        total += np.float32((size / 14.0) ** 0.35) * _noise(body, (size,) * 3, rng)
    total *= np.float32(0.45)
    return total


def _red_marrow(body: Body, rng: np.random.Generator) -> Field:
    """Factor on marrow S0: islands of red in yellow, the share after the region."""
    share = np.ones(256, np.float32)
    for name, value in _RED.items():
        share[BY_NAME[name].label] = value
    island = _noise(body, (9.0, 11.0, 11.0), rng)
    red = np.clip(share[body.labels] + np.float32(0.16) * island, 0, 1.1)
    factor: Field = (_YELLOW_S0 + np.float32(1 - _YELLOW_S0) * red).astype(np.float32)
    return factor


def _streak_muscle(body: Body, s0: Field, rng: np.random.Generator) -> None:
    """Darken and brighten muscle in bundles along the body."""
    bundle = _noise(body, (45.0, 5.0, 6.0), rng)
    muscle = body.tissue == Tissue.MUSCLE
    s0[muscle] *= 1 + np.float32(0.13) * bundle[muscle]


def _set_lesions(body: Body, values: TissueValues, s0: Field, adc: Field) -> None:
    """Give lesions their ADC and contrast; every third large one has a core that died."""
    grown = body.lesions
    if not grown.adc_um2_s:
        return
    marrow = float(values.s0[Tissue.MARROW] * np.exp(-9e-4 * values.adc_um2_s[Tissue.MARROW]))
    found: Sequence[tuple[slice, ...] | None] = ndimage.find_objects(grown.index)
    for k, box in enumerate(found, start=1):
        if box is None:
            continue
        inside = grown.index[box] == k
        own = np.full(inside.shape, grown.adc_um2_s[k - 1], np.float32)
        signal = max(marrow, 16.0) * grown.contrast[k - 1]
        own_s0 = np.full(inside.shape, min(signal * np.exp(9e-4 * own.flat[0]), 620.0), np.float32)
        if k % 3 == 0:
            deep = ndimage.distance_transform_edt(np.pad(inside, 1), body.geometry.spacing_mm)
            core = deep[1:-1, 1:-1, 1:-1] > 8.0
            own[core] = np.minimum(1.5 * own[core], 2500)
        adc[box][inside] = own[inside]
        s0[box][inside] = own_s0[inside]
