"""The same person on another day: lies and breathes differently, with another bladder."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from phantom.habitus import POSTURE_Z

if TYPE_CHECKING:
    from phantom.habitus import Habitus

_TURN_DEG, _LEFT_MM, _BACK_MM = 1.2, 3.0, 2.5
_WHOLE_TURN_DEG = (0.8, 0.8, 1.2)
"""Between two visits, standard deviations: per step of `POSTURE_Z`, and of the whole body."""


def moved(habitus: Habitus, rng: np.random.Generator) -> Habitus:
    """Return the person of another visit: bones and their sizes stay, posture and organs do not."""
    spread = np.array([[_TURN_DEG], [_LEFT_MM], [_BACK_MM]])
    step = np.cumsum(spread * rng.standard_normal((3, len(POSTURE_Z))), axis=1)
    turn = rng.normal(0.0, _WHOLE_TURN_DEG)
    rx, ry, rz = (float(a + b) for a, b in zip(habitus.rotation_deg, turn, strict=True))
    return replace(
        habitus,
        posture=habitus.posture + step - step.mean(axis=1, keepdims=True),
        rotation_deg=(rx, ry, rz),
        arm_spread_mm=habitus.arm_spread_mm + float(rng.normal(0, 6)),
        diaphragm_mm=habitus.diaphragm_mm + float(rng.normal(0, 5)),
        bladder_ml=float(np.clip(rng.lognormal(np.log(190), 0.5), 70, 520)),
    )
