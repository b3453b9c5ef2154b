"""What one synthetic person looks like: every drawn parameter of shape, in one place."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from phantom.extent import Extent
from phantom.shapes import vector

Array = NDArray[np.float64]

_VERTEX_MM = 1719.0
_THIGH_MM = 735.0
POSTURE_Z = (760.0, 900.0, 1100.0, 1320.0, 1455.0, 1580.0)
"""Heights between which turn and shift of the body are interpolated."""


@dataclass(frozen=True, eq=False)
class Habitus:
    """Shape parameters. Lengths are mm of the reference person, factors are relative to one."""

    male: bool
    age: float
    scale: tuple[float, float, float]
    """Patient mm per reference mm along x, y, z."""
    rotation_deg: tuple[float, float, float]
    posture: Array = field(repr=False)
    """(3, 6) turn in degrees, shift left and shift back in mm at `POSTURE_Z`."""
    fat_mm: float
    """Subcutaneous fat at the waist."""
    belly_mm: float
    """How far visceral fat pushes the belly forward."""
    muscle: float
    kyphosis: float
    lordosis: float
    neck_lordosis: float
    scoliosis_mm: tuple[float, float]
    """Amplitudes of one and two half waves of lateral curvature between sacrum and skull."""
    rib_slope: float
    shoulder_mm: float
    """Height of the shoulders against the reference."""
    pelvis_width: float
    pelvis_tilt_mm: float
    arm_spread_mm: float
    bone: float
    """Thickness of bones."""
    cortex_mm: float
    diaphragm_mm: float
    warp_mm: float
    bladder_ml: float
    organ_scale: Array = field(repr=False)
    """(16, 3) factors on organ radii."""
    organ_shift_mm: Array = field(repr=False)
    """(16, 3) shifts of organs."""
    vertebra_scale: Array = field(repr=False)
    """(24,) factors on vertebral radii."""
    vertebra_height: Array = field(repr=False)
    """(24,) factors on body height: collapse below 1."""
    rib_wobble_mm: Array = field(repr=False)
    """(2, 12, 3) displacement of the middle of each rib."""
    side_shift_mm: Array = field(repr=False)
    """(2, 8, 3) asymmetry of limbs, girdles and pelvis by side."""
    thigh_mm: float = 0.0


def draw_habitus(rng: np.random.Generator) -> Habitus:
    """Draw one person; wide ranges, because real bodies differ from this one more than these do."""
    male = bool(rng.random() < 0.7)
    height = rng.normal(1.02 if male else 0.95, 0.045)
    heavy = rng.beta(1.6, 2.6)
    side = np.clip(rng.normal(0, 3.0, (2, 8, 3)), -8, 8)
    return Habitus(
        male=male,
        age=float(rng.uniform(35, 88)),
        scale=_scale(rng, height, heavy),
        rotation_deg=vector(rng.normal(0, (2.0, 1.8, 2.2))),
        posture=_posture(rng),
        fat_mm=float(4 + 36 * heavy * rng.uniform(0.6, 1.2)),
        belly_mm=float(-12 + 60 * heavy * rng.uniform(0.4, 1.3)),
        muscle=float(rng.normal(1.0, 0.12)),
        kyphosis=float(rng.normal(1.0, 0.25)),
        lordosis=float(rng.normal(0.9, 0.3)),
        neck_lordosis=float(rng.normal(1.0, 0.6)),
        scoliosis_mm=(float(rng.normal(0, 7)), float(rng.normal(0, 5))),
        rib_slope=float(np.clip(rng.normal(1.0, 0.15), 0.6, 1.4)),
        shoulder_mm=float(rng.normal(0, 10)),
        pelvis_width=float(np.clip(rng.normal(1.0 if male else 1.05, 0.04), 0.9, 1.15)),
        pelvis_tilt_mm=float(rng.normal(0, 5)),
        arm_spread_mm=float(rng.choice([0.0, 25.0, 70.0], p=[0.45, 0.3, 0.25]) + rng.normal(0, 8)),
        bone=float(np.clip(rng.normal(1.0, 0.08), 0.82, 1.2)),
        cortex_mm=float(rng.uniform(1.4, 2.6)),
        diaphragm_mm=float(rng.normal(0, 14)),
        warp_mm=float(rng.uniform(2.5, 7.0)),
        bladder_ml=float(np.clip(rng.lognormal(np.log(190), 0.5), 70, 520)),
        organ_scale=np.clip(
            rng.normal(0.99, 0.055, (16, 1)) * rng.normal(1, 0.045, (16, 3)), 0.8, 1.22
        ),
        organ_shift_mm=np.clip(rng.normal(0, 6.0, (16, 3)), -15, 15),
        vertebra_scale=np.clip(rng.normal(1.0, 0.04, 24), 0.88, 1.12),
        vertebra_height=_heights(rng),
        rib_wobble_mm=rng.normal(0, 3.0, (2, 12, 3)),
        side_shift_mm=side,
        thigh_mm=float(rng.normal(0, 6)),
    )


def extent_of(h: Habitus) -> Extent:
    """How much room the person fills."""
    belly = max(h.belly_mm, 0.0)
    return Extent(
        vertex_mm=_VERTEX_MM,
        thigh_mm=_THIGH_MM,
        size=h.scale[2],
        front_mm=-(112 + belly + h.fat_mm) * h.scale[1],
        back_mm=(108 + 0.8 * h.fat_mm) * h.scale[1],
        half_width_mm=(172 + 0.35 * belly + h.fat_mm) * h.scale[0],
    )


def _scale(rng: np.random.Generator, height: float, heavy: float) -> tuple[float, float, float]:
    return (
        float(np.clip(height * rng.normal(1.0, 0.04) * (0.97 + 0.08 * heavy), 0.86, 1.16)),
        float(np.clip(height * rng.normal(1.0, 0.05) * (0.95 + 0.12 * heavy), 0.84, 1.2)),
        float(np.clip(height, 0.86, 1.12)),
    )


def _posture(rng: np.random.Generator) -> Array:
    turn = np.cumsum(rng.normal(0, (1.5, 1.5, 2.0, 2.0, 2.0, 9.0)))
    left = np.cumsum(rng.normal(0, (6.0, 3.0, 5.0, 5.0, 3.0, 6.0)))
    back = np.cumsum(rng.normal(0, (6.0, 3.0, 4.0, 4.0, 5.0, 8.0)))
    return np.stack([np.clip(turn, -25, 25), np.clip(left, -16, 16), np.clip(back, -18, 18)])


def _heights(rng: np.random.Generator) -> Array:
    height = np.clip(rng.normal(1.0, 0.03, 24), 0.9, 1.06)
    for _ in range(rng.poisson(0.6)):
        height[rng.integers(10, 24)] = rng.uniform(0.55, 0.85)
    return height
