"""The plan of one person's bone disease: drawn numbers, before any voxel is known.

Sizes after papers.md E.6: log-normal with median 0.5 mL, a quarter at or above 1 mL, some
confluent up to 60 mL, about eleven lesions a patient. ADC after Messiou 2011 (A.5).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_MEDIAN_ML = 0.5
_LOG_SPREAD = np.log(2.0) / 0.6745  # a quarter of a log-normal with median 0.5 is above 1.0
_SMALLEST_ML = 0.08
_LARGEST_ML = 60.0
_REGIONS: dict[str, float] = {
    "pelvis": 0.24, "lumbar_spine": 0.17, "thoracic_spine": 0.19, "sacrum": 0.08, "ribs": 0.09,
    "femur_left": 0.045, "femur_right": 0.045, "cervical_spine": 0.03, "sternum": 0.03,
    "scapulae": 0.03, "humerus_left": 0.015, "humerus_right": 0.015, "clavicles": 0.01,
    "skull": 0.01,
}  # fmt: skip


@dataclass(frozen=True)
class PlannedLesion:
    """One focal lesion to grow."""

    region: str
    volume_ml: float
    adc_um2_s: float
    contrast: float
    """b900 signal over that of the person's normal marrow."""
    where: tuple[float, float, float]
    """Uniform numbers that choose the place in the region's marrow."""
    seed: int
    place_mm: tuple[float, float, float] | None = None
    """A place of the reference person that `where` gives way to: the same place of the body
    however the person lies."""


@dataclass(frozen=True)
class Disease:
    """Focal lesions and, rarely, diffuse infiltration of the axial skeleton."""

    lesions: tuple[PlannedLesion, ...]
    diffuse_fraction: float
    """Share of axial marrow infiltrated in patches; 0 for focal disease only."""
    diffuse_adc_um2_s: float
    diffuse_contrast: float
    seed: int


def draw_disease(rng: np.random.Generator, diseased: bool, count: int | None) -> Disease:
    """Draw the plan; `count` fixes the number of focal lesions."""
    n = 0 if not diseased else _count(rng) if count is None else count
    treated = bool(rng.random() < 0.25)
    level = float(np.clip(rng.normal(1350.0 if treated else 1000.0, 180), 650, 1900))
    confluent = count is None and rng.random() < 0.2
    diffuse = diseased and count is None and rng.random() < 0.08
    return Disease(
        tuple(_lesion(rng, level, confluent and k < 3) for k in range(n)),
        float(rng.uniform(0.08, 0.4)) if diffuse else 0.0,
        level,
        float(np.clip(rng.lognormal(np.log(3.2), 0.2), 2.2, 6.0)),
        int(rng.integers(2**31)),
    )


def _count(rng: np.random.Generator) -> int:
    """Negative binomial with mean about eleven, at most sixty, at least one."""
    return int(np.clip(rng.negative_binomial(1.2, 1.2 / (1.2 + 10.5)) + 1, 1, 60))


def _lesion(rng: np.random.Generator, level: float, confluent: bool) -> PlannedLesion:
    names = list(_REGIONS)
    weights = np.array(list(_REGIONS.values()))
    volume = (
        rng.uniform(8.0, _LARGEST_ML)
        if confluent
        else rng.lognormal(np.log(_MEDIAN_ML), _LOG_SPREAD)
    )
    region = names[rng.choice(len(names) if not confluent else 4, p=_weights(weights, confluent))]
    adc = np.clip(rng.normal(level, 260), 500, 2300)
    return PlannedLesion(
        region,
        float(np.clip(volume, _SMALLEST_ML, _LARGEST_ML)),
        float(adc),
        float(np.clip(rng.lognormal(np.log(3.8), 0.28), 2.3, 7.5)),
        (float(rng.random()), float(rng.random()), float(rng.random())),
        int(rng.integers(2**31)),
    )


def _weights(
    weights: np.ndarray[tuple[int], np.dtype[np.float64]], confluent: bool
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    chosen = weights[:4] if confluent else weights
    result: np.ndarray[tuple[int], np.dtype[np.float64]] = chosen / chosen.sum()
    return result
