"""The plan of one person's bone disease in the contoured model: flat spreads, heavy tails."""

from __future__ import annotations

import numpy as np

from phantom.disease import Disease, PlannedLesion

_SMALLEST_ML, _LARGEST_ML = 0.1, 80.0
_REGIONS = {
    "pelvis": 0.22, "thoracic_spine": 0.21, "lumbar_spine": 0.18, "ribs": 0.12, "sacrum": 0.07,
    "femur_left": 0.04, "femur_right": 0.04, "sternum": 0.03, "cervical_spine": 0.03,
    "scapulae": 0.02, "humerus_left": 0.01, "humerus_right": 0.01, "clavicles": 0.01,
    "skull": 0.01,
}  # fmt: skip


def draw_disease(rng: np.random.Generator, diseased: bool, count: int | None) -> Disease:
    """Draw the plan; `count` fixes the number of focal lesions and leaves diffuse disease out."""
    n = 0 if not diseased else count if count is not None else _count(rng)
    level = float(rng.uniform(750, 1500))
    diffuse = diseased and count is None and rng.random() < 0.1
    return Disease(
        tuple(_lesion(rng, level) for _ in range(n)),
        float(rng.uniform(0.1, 0.35)) if diffuse else 0.0,
        level,
        float(rng.uniform(2.4, 5.0)),
        int(rng.integers(2**31)),
    )


def _count(rng: np.random.Generator) -> int:
    return int(np.clip(rng.geometric(0.09), 1, 50))


def _lesion(rng: np.random.Generator, level: float) -> PlannedLesion:
    names = list(_REGIONS)
    weights = np.array(list(_REGIONS.values()))
    region = names[rng.choice(len(names), p=weights / weights.sum())]
    # Sizes after papers.md E.6, with a heavier tail than a log-normal's.
    volume = 0.55 * np.exp(0.55 * rng.standard_t(3.0))
    where = rng.random(3)
    return PlannedLesion(
        region,
        float(np.clip(volume, _SMALLEST_ML, _LARGEST_ML)),
        float(np.clip(level + rng.uniform(-350, 350), 500, 2300)),
        float(rng.uniform(2.2, 6.0)),
        (float(where[0]), float(where[1]), float(where[2])),
        int(rng.integers(2**31)),
    )
