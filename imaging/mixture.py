"""Two populations in one set of numbers: a Gaussian mixture of two components."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_STEPS = 60
_ENOUGH = 1e-4


@dataclass(frozen=True, eq=False)
class Mixture:
    """Lower and upper component: means, standard deviations and shares (arrays of two).

    `lower` (n) is the probability that each value belongs to the lower component.
    """

    means: NDArray[np.float64]
    sds: NDArray[np.float64]
    shares: NDArray[np.float64]
    lower: NDArray[np.float64] = field(repr=False)


def two_components(values: NDArray[np.floating]) -> Mixture:
    """Fit by expectation and maximisation, from the quartiles; deterministic.

    Args:
        values: finite numbers (n), n >= 2.

    """
    data = np.asarray(values, dtype=np.float64)
    least = max(float(data.std()) * 0.05, 1e-9)
    means = np.percentile(data, (25, 75))
    sds = np.full(2, max(float(data.std()) / 2, least))
    shares = np.full(2, 0.5)
    for _ in range(_STEPS):
        belongs = _responsibility(data, means, sds, shares)
        mass = np.maximum(belongs.sum(axis=1), 1e-9)
        before = means
        means = belongs @ data / mass
        spread = (belongs * (data - means[:, np.newaxis]) ** 2).sum(axis=1) / mass
        sds = np.maximum(np.sqrt(spread), least)
        shares = mass / data.size
        if float(np.abs(means - before).max()) < _ENOUGH * least:
            break
    order = np.argsort(means)
    belongs = _responsibility(data, means, sds, shares)[order]
    return Mixture(means[order], sds[order], shares[order], belongs[0])


def _responsibility(
    data: NDArray[np.float64],
    means: NDArray[np.float64],
    sds: NDArray[np.float64],
    shares: NDArray[np.float64],
) -> NDArray[np.float64]:
    z = (data - means[:, np.newaxis]) / sds[:, np.newaxis]
    log = -0.5 * z**2 + np.log(shares / sds)[:, np.newaxis]
    log -= log.max(axis=0)
    weight = np.exp(log)
    belongs: NDArray[np.float64] = weight / weight.sum(axis=0)
    return belongs
