"""Which studies may be measured at all (dicom.md A3 R6 and A4): proposals, so they are settings."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FitLimits:
    """What a station's b-values in s/mm² and geometry must keep to; the defaults suit WB-DWI."""

    lowest_b_max: float = 150.0
    highest_b_min: float = 400.0
    highest_b_max: float = 1500.0
    b_span_min: float = 200.0
    oblique_max_degrees: float = 30.0
    """Between the slice normal and the patient's axis from feet to head."""
    in_plane_spacing_max_mm: float = 5.0
    slice_spacing_max_mm: float = 12.0
    coverage_min_mm: float | None = None
    """From the first slice to the last of all stations; None: any length is measured."""


DEFAULT_LIMITS = FitLimits()
