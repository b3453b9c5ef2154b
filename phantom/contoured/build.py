"""What one person of the contoured model looks like: every drawn parameter of shape."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from phantom.contoured.implicit import Points


class Arms(StrEnum):
    """Where the arms lie."""

    AT_SIDES = "at sides"
    ON_BELLY = "hands on the belly"
    RAISED = "raised"


@dataclass(frozen=True, eq=False)
class Build:
    """Shape of one person. Lengths in mm of a person of 1740 mm, angles in degrees."""

    male: bool
    age: float
    scale: tuple[float, float, float]
    """Patient mm per mm of the person's frame."""
    lie_deg: tuple[float, float, float]
    """How crooked the person lies: forward, left, turned."""
    wave_mm: float
    arms: Arms
    lordosis_deg: float
    kyphosis_deg: float
    neck_deg: float
    cobb_deg: float
    """Lateral curvature; the sign says to which side."""
    apex: float
    """Level of its apex, counted from C1 = 0."""
    second_curve: float
    """Share of a counter-curve."""
    thoracic: int
    """Number of thoracic vertebrae and pairs of ribs: 12, in some 11."""
    lumbar: int
    """Number of lumbar vertebrae: 5, in some 4 or 6."""
    wedge: Points = field(repr=False)
    """(24,) height of each vertebral body against normal: collapse below 1."""
    fat_mm: float
    belly_mm: float
    muscle: float
    chest: tuple[float, float]
    """Width and depth of the chest against normal."""
    rib_tilt: float
    rib_flat: float
    """How much higher a rib's section is than thick."""
    pelvis_width: float
    wing_flare_deg: float
    neck_shaft_deg: float
    bone: float
    cortex_mm: float
    breath_mm: float
    """Height of the diaphragm against normal."""
    head: tuple[float, float, float]
    bladder_ml: float
    organ: Points = field(repr=False)
    """(12,) factors on the size of organs."""
    shift: Points = field(repr=False)
    """(12, 3) shifts of organs."""
    contour: Points = field(repr=False)
    """(4, 2) amplitude and phase of the outline's harmonics 2 to 5."""


def draw_build(rng: np.random.Generator) -> Build:
    """Draw one person."""
    male = bool(rng.random() < 0.6)
    bulk = float(rng.triangular(0.0, 0.3, 1.0))
    kyphosis = float(rng.uniform(18, 44))
    return Build(
        male=male,
        age=float(rng.triangular(30, 66, 90)),
        scale=_scale(rng, male, bulk),
        lie_deg=_three(rng.uniform(-2.5, 2.5, 3)),
        wave_mm=float(rng.uniform(1.5, 4.0)),
        arms=_arms(rng),
        lordosis_deg=kyphosis + float(rng.uniform(-4, 10)),
        kyphosis_deg=kyphosis,
        neck_deg=float(rng.uniform(-5, 30)),
        cobb_deg=_cobb(rng),
        apex=float(rng.uniform(12, 20)),
        second_curve=float(rng.uniform(0, 0.9)),
        **_counts(rng),
        wedge=_wedges(rng),
        fat_mm=3 + 38 * bulk * float(rng.uniform(0.6, 1.1)),
        belly_mm=-10 + 62 * bulk * float(rng.uniform(0.3, 1.2)),
        muscle=float(rng.uniform(0.8, 1.15)),
        chest=(float(rng.uniform(0.93, 1.08)), float(rng.uniform(0.9, 1.1))),
        rib_tilt=float(rng.uniform(0.7, 1.25)),
        rib_flat=float(rng.uniform(1.4, 2.1)),
        pelvis_width=float(rng.uniform(0.93, 1.06)) * (1.0 if male else 1.05),
        wing_flare_deg=float(rng.uniform(-8, 10)),
        neck_shaft_deg=float(rng.uniform(118, 138)),
        bone=float(rng.uniform(0.88, 1.14)),
        cortex_mm=float(rng.uniform(1.2, 2.8)),
        breath_mm=float(rng.uniform(-22, 20)),
        head=_three(rng.uniform(0.94, 1.06, 3)),
        bladder_ml=float(rng.uniform(60, 450)),
        organ=rng.uniform(0.84, 1.16, 12),
        shift=rng.uniform(-9, 9, (12, 3)),
        contour=np.stack([rng.uniform(0, 0.022, 4), rng.uniform(0, 2 * np.pi, 4)], axis=1),
    )


def _three(values: Points) -> tuple[float, float, float]:
    return float(values[0]), float(values[1]), float(values[2])


def _scale(rng: np.random.Generator, male: bool, bulk: float) -> tuple[float, float, float]:
    height = float(np.clip(rng.normal(1.005 if male else 0.94, 0.038), 0.89, 1.1))
    wide = height * float(rng.uniform(0.94, 1.05)) * (0.98 + 0.05 * bulk)
    deep = height * float(rng.uniform(0.94, 1.06)) * (0.97 + 0.1 * bulk)
    return wide, deep, height


def _arms(rng: np.random.Generator) -> Arms:
    return list(Arms)[int(rng.choice(3, p=[0.4, 0.4, 0.2]))]


def _cobb(rng: np.random.Generator) -> float:
    side = float(rng.choice([-1.0, 1.0]))
    return side * float(rng.uniform(12, 28) if rng.random() < 0.3 else rng.uniform(0, 8))


def _counts(rng: np.random.Generator) -> dict[str, int]:
    kind = rng.random()
    if kind < 0.07:
        return {"thoracic": 11, "lumbar": 6}
    if kind < 0.14:
        return {"thoracic": 12, "lumbar": 6}
    return {"thoracic": 12, "lumbar": 4 if kind < 0.18 else 5}


def _wedges(rng: np.random.Generator) -> Points:
    height = rng.uniform(0.94, 1.03, 26)
    for _ in range(int(rng.poisson(0.5))):
        height[rng.integers(11, 24)] = rng.uniform(0.5, 0.8)
    return height
