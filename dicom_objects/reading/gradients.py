"""When single diffusion directions measure the trace: physics, not a count in a header.

The signal along g is S0 exp(-b gᵀDg). The geometric mean over directions is therefore
S0 exp(-b tr(MD)) with M the mean of ggᵀ. It is the trace signal S0 exp(-b tr(D) / 3) for every
tensor D exactly when M = I/3, as for three orthogonal axes or a well spread scheme.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

TOLERANCE = 0.02
"""Largest distance of an eigenvalue of M from 1/3.

The relative error of the ADC is tr((M - I/3)D) / (tr(D) / 3). For a tensor with one axis twice as
diffusive as the others (fractional anisotropy 0.41, more than muscle or marrow has) the tolerance
allows 3 · 0.02 · (2 - 1) / (2 + 1 + 1) = 1.5 %. Complete schemes of scanners stay below 0.003 (an
error of 0.2 %); three of twelve directions reach 0.19 (14 %).
"""
_LEAST_DIRECTIONS = 3


def deviation(directions: Sequence[tuple[float, ...] | None]) -> float:
    """Return the largest distance of an eigenvalue of M from 1/3, 1.0 where M is not known."""
    if len(directions) < _LEAST_DIRECTIONS or any(d is None or not any(d) for d in directions):
        return 1.0
    unit = np.array(directions, dtype=np.float64)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    eigenvalues = np.linalg.eigvalsh(unit.T @ unit / len(unit))
    return float(np.abs(eigenvalues - 1 / 3).max())


def measure_the_trace(directions: Sequence[tuple[float, ...] | None]) -> bool:
    """Whether the geometric mean of these directions, each given once, is the trace image."""
    return deviation(directions) <= TOLERANCE
