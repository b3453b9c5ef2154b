"""How well a number repeats: from pairs of measurements with nothing changed between them.

Formulas of `clinical_and_console.md` A2, those of Bland and Altman (Lancet 1986;i:307) and of the
QIBA conventions.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from imaging.errors import ImagingError
from imaging.response_limits import REPEATABILITY

if TYPE_CHECKING:
    from collections.abc import Sequence

_TWO_SIDED_95 = NormalDist().inv_cdf(0.975)
LEAST_PAIRS = 3


class TooFewPairs(ImagingError):  # noqa: N818 - it names the condition
    """Pairs are too few, or are no measurements; the message says which."""

    code = "REPEATABILITY_PAIRS"


@dataclass(frozen=True)
class Repeatability:
    """Of n pairs, in the quantity's own unit; the coefficients of variation in %.

    `rc` is the repeatability coefficient: 95 % of repeated pairs differ by less. Bland-Altman
    limits are of second minus first.
    """

    n_pairs: int
    mean: float
    wsd: float
    """Within-subject standard deviation, sqrt(sum d² / 2n)."""
    wcv_percent: float | None
    """Within-subject coefficient of variation, sqrt(mean(d² / 2 m²)); None of logarithms."""
    rc: float
    rc_percent: float | None
    bias: float
    loa_low: float
    loa_high: float


def repeatability(pairs: Sequence[tuple[float, float]]) -> Repeatability:
    """Describe pairs of a quantity that is positive and has a true zero, such as ADC.

    Raises:
        TooFewPairs: fewer than three, or a value that is not positive and finite.

    """
    first, second = _columns(pairs)
    described = _describe(first, second)
    mean = (first + second) / 2
    wcv = 100 * math.sqrt(float(np.mean((second - first) ** 2 / (2 * mean**2))))
    return Repeatability(*described[:3], wcv, described[3], REPEATABILITY * wcv, *described[4:])


def repeatability_of_ln(pairs: Sequence[tuple[float, float]]) -> Repeatability:
    """Describe the natural logarithm of pairs of a volume in mL; `rc_percent` has two sides.

    A coefficient of variation of a logarithm depends on the unit, so there is none; the limits
    in % are exp(+-rc) - 1, `imaging.response_limits.Limit.of_ln`.

    Raises:
        TooFewPairs: as `repeatability`.

    """
    first, second = _columns(pairs)
    described = _describe(np.log(first), np.log(second))
    return Repeatability(*described[:3], None, described[3], None, *described[4:])


def _columns(
    pairs: Sequence[tuple[float, float]],
) -> tuple[np.ndarray[tuple[int], np.dtype[np.float64]], ...]:
    if len(pairs) < LEAST_PAIRS:
        raise TooFewPairs(f"{len(pairs)} pairs are too few; at least {LEAST_PAIRS} are needed")
    for number, pair in enumerate(pairs, start=1):
        if not all(math.isfinite(v) and v > 0 for v in pair):
            raise TooFewPairs(f"pair {number} holds a value that is not a positive number")
    first, second = zip(*pairs, strict=True)
    return np.array(first, dtype=np.float64), np.array(second, dtype=np.float64)


def _describe(
    first: np.ndarray[tuple[int], np.dtype[np.float64]],
    second: np.ndarray[tuple[int], np.dtype[np.float64]],
) -> tuple[int, float, float, float, float, float, float]:
    difference = second - first
    wsd = math.sqrt(float(np.mean(difference**2)) / 2)
    bias, spread = float(difference.mean()), float(difference.std(ddof=1))
    return (
        len(first),
        float((first + second).mean() / 2),
        wsd,
        REPEATABILITY * wsd,
        bias,
        bias - _TWO_SIDED_95 * spread,
        bias + _TWO_SIDED_95 * spread,
    )
