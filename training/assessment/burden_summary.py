"""TDV and gADC beside their truth: relative errors, logarithms, Bland-Altman limits."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from training.assessment.reliability import bland_altman
from training.assessment.structure_summary import log_difference_percent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from training.assessment.reliability import BlandAltman
    from training.scoring.case import CaseResult


@dataclass(frozen=True)
class Errors:
    """Signed relative errors in percent, summed up."""

    median: float
    median_absolute: float
    mean_absolute: float
    p90_absolute: float
    n: int


@dataclass(frozen=True)
class BurdenSummary:
    """Errors and limits of agreement of TDV and gADC; None where too few exams define one.

    `tdv_log_ratio` is the Bland-Altman of ln(measured / true): its exponential is a factor in mL.
    `log_tdv_difference_percent` is relative to ln(mL), as the paper has it: 4 % at 1000 mL is a
    factor of 1.32, so it is no error of a volume.
    """

    tdv_error_percent: Errors | None
    log_tdv_difference_percent: Errors | None
    tdv_log_ratio: BlandAltman | None
    tdv_ml: BlandAltman | None
    gadc_error_percent: Errors | None
    gadc_um2_s: BlandAltman | None
    gadc_percent_of_mean: BlandAltman | None


def summarise_burden(cases: Sequence[CaseResult]) -> BurdenSummary:
    """Sum up all exams; each number uses the exams where it is defined."""
    tdv = [(c.tdv_ml, c.true_tdv_ml) for c in cases]
    gadc = gadc_pairs(cases)
    logs = [log_difference_percent(m, t) for m, t in tdv]
    return BurdenSummary(
        errors([relative_error(m, t) for m, t in tdv if t > 0]),
        errors([v for v in logs if v is not None]),
        bland_altman([math.log(m / t) for m, t in positive_tdv(cases)]),
        bland_altman([m - t for m, t in tdv]),
        errors([relative_error(m, t) for m, t in gadc]),
        bland_altman([m - t for m, t in gadc]),
        bland_altman([200 * (m - t) / (m + t) for m, t in gadc]),
    )


def positive_tdv(cases: Sequence[CaseResult]) -> list[tuple[float, float]]:
    """Return (measured, true) TDV where both are above 0 and a ratio exists."""
    return [(c.tdv_ml, c.true_tdv_ml) for c in cases if c.tdv_ml > 0 and c.true_tdv_ml > 0]


def gadc_pairs(cases: Sequence[CaseResult]) -> list[tuple[float, float]]:
    """Return (measured, true) gADC where there is disease in both."""
    pairs = [(c.gadc_um2_s, c.true_gadc_um2_s) for c in cases]
    return [(m, t) for m, t in pairs if m is not None and t is not None]


def relative_error(measured: float, true: float) -> float:
    """Return (measured - true) / true in percent."""
    return 100 * (measured - true) / true


def errors(values: Sequence[float]) -> Errors | None:
    """Sum up signed errors; None without any."""
    if not values:
        return None
    size = np.abs(values)
    return Errors(
        float(np.median(values)),
        float(np.median(size)),
        float(np.mean(size)),
        float(np.percentile(size, 90)),
        len(values),
    )
