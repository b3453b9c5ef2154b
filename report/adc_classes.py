"""The three ADC classes of disease: names, colours and meanings, the same in every output.

Colours are Okabe and Ito's, told apart by colour-blind readers too; text always stands beside
them (clinical_and_console.md A6).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

DEFAULT_THRESHOLDS_UM2_S = (900.0, 1400.0)


@dataclass(frozen=True)
class AdcClass:
    """One class: `fill` for areas, `line` for what must be seen on white."""

    name: str
    fill: str
    line: str
    meaning: str


LOW = AdcClass("low", "#D55E00", "#B34F00", "cellular, untreated-like")
INTERMEDIATE = AdcClass("intermediate", "#F0E442", "#A89B00", "indeterminate")
HIGH = AdcClass("high", "#009E73", "#007A59", "likely treated, necrotic or oedematous")
CLASSES: tuple[AdcClass, AdcClass, AdcClass] = (LOW, INTERMEDIATE, HIGH)


def classify(
    adc_um2_s: NDArray[np.floating], thresholds_um2_s: tuple[float, float]
) -> NDArray[np.uint8]:
    """Class by value: 1 below the first threshold, 3 above the second, 2 between, 0 where NaN.

    A value on a threshold is intermediate.
    """
    low, high = thresholds_um2_s
    classes = np.full(adc_um2_s.shape, 2, dtype=np.uint8)
    classes[adc_um2_s < low] = 1
    classes[adc_um2_s > high] = 3
    classes[np.isnan(adc_um2_s)] = 0
    return classes


def class_ranges(thresholds_um2_s: tuple[float, float]) -> tuple[str, str, str]:
    """Say each class's range in words, in µm²/s."""
    low, high = thresholds_um2_s
    return (f"below {low:g}", f"{low:g} to {high:g}", f"above {high:g}")
