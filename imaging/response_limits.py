"""How much a number must change before it says more than a repeated measurement would.

Values and sources are those of `clinical_and_console.md` A3; a site replaces them by its own
(`osteon repeatability`). They are printed with every change that they judge.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

REPEATABILITY = 1.96 * math.sqrt(2)
"""Repeatability coefficient over within-subject SD, for 95 % of pairs (A2)."""


@dataclass(frozen=True)
class Limit:
    """A change outside `low_percent` to `high_percent` is more than repeatability explains."""

    low_percent: float
    high_percent: float
    source: str

    @classmethod
    def symmetric(cls, percent: float, source: str) -> Limit:
        """Return the same limit up and down."""
        return cls(-percent, percent, source)

    @classmethod
    def of_ln(cls, wsd_ln: float, source: str) -> Limit:
        """Return the limit of a quantity whose logarithm repeats with the SD `wsd_ln`."""
        ratio = math.exp(REPEATABILITY * wsd_ln)
        return cls(100 * (1 / ratio - 1), 100 * (ratio - 1), source)


@dataclass(frozen=True)
class ResponseLimits:
    """What a site may change; every field is a setting of `[follow_up]`."""

    gadc_percent: float = 10.0
    gadc_source: str = (
        "2.77 x 3.54 %, CoV of the median gADC in 10 test-retest pairs (Candito et al.,"
        " doi 10.1088/1361-6560/ae19c5), rounded"
    )
    gadc_other_scanner_percent: float = 20.0
    gadc_other_scanner_source: str = (
        "Osteon's choice for two scanners: twice the limit of one; no publication gives it"
    )
    lesion_adc_percent: float = 15.0
    lesion_adc_source: str = (
        "coefficient of reproducibility 14.8 % in bone (Messiou et al. 2011,"
        " doi 10.1007/s00330-011-2116-4), rounded"
    )
    tdv_wsd_ln: float = 0.23
    tdv_source: str = (
        "CoV 4.57 % of ln TDV (Candito et al., doi 10.1088/1361-6560/ae19c5) at 150 mL as one"
        " fixed SD of ln TDV, 0.23; the unit under the logarithm is assumed to be mL"
    )
    lesion_wsd_ln: float = 0.23
    lesion_source: str = "no publication gives it for one lesion's volume: that of TDV"
    smallest_ml: float = 0.5
    """Of a smaller lesion, or of less disease, no change is called (a 10 mm sphere, A3)."""
    marks_percent: tuple[float, ...] = (25.0, 40.0)
    """Rises of median ADC that MET-RADS-P names; marks, no limits (A4)."""
    marks_um2_s: tuple[float, ...] = (1000.0, 1400.0)
    """ADC values whose crossing MET-RADS-P names."""

    @property
    def tdv(self) -> Limit:
        """Of the total diffusion volume, and of the disease volume of a region."""
        return Limit.of_ln(self.tdv_wsd_ln, self.tdv_source)

    @property
    def lesion_volume(self) -> Limit:
        """Of one lesion's volume."""
        return Limit.of_ln(self.lesion_wsd_ln, self.lesion_source)

    @property
    def lesion_adc(self) -> Limit:
        """Of one lesion's median ADC."""
        return Limit.symmetric(self.lesion_adc_percent, self.lesion_adc_source)

    def gadc(self, *, same_scanner: bool) -> Limit:
        """Of the median ADC of all disease, or of a region's."""
        if same_scanner:
            return Limit.symmetric(self.gadc_percent, self.gadc_source)
        return Limit.symmetric(self.gadc_other_scanner_percent, self.gadc_other_scanner_source)


USUAL_LIMITS = ResponseLimits()
