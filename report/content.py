"""What a report is made from: the numbers of one run, and the images that its pictures show."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from imaging.focal_lesions import FocalLesions
    from imaging.geometry import Geometry
    from imaging.measured_study import StudyOrigin
    from imaging.measurement import Measurement
    from imaging.provenance import Provenance
    from imaging.quality import QualityNote
    from imaging.response import Comparison


@dataclass(frozen=True)
class ReportContent:
    """The numbers of one run and where they come from; holds nothing that names a patient."""

    study_uid: str
    measurement: Measurement
    provenance: Provenance
    b_values: tuple[float, ...]
    """The b-values of the fit in s/mm², ascending."""
    fit: str
    """How the ADC was fitted, `imaging.adc.AdcFit.method`."""
    spacing_mm: tuple[float, float, float]
    """Spacing of the whole-body grid along (slice, row, column)."""
    normalisation: str = ""
    """What has the signal 1, `imaging.normalisation.NormalisedSignal.unit`."""
    series: tuple[Mapping[str, object], ...] = ()
    """One mapping a series of the study, with the fields of `dicom_objects` `SeriesRecord`."""
    quality: tuple[QualityNote, ...] = ()
    stages: Mapping[str, float] = field(default_factory=dict)
    """Seconds by stage, in the order in which they ran."""
    focal: FocalLesions | None = None
    """The list of focal lesions, a second definition beside `measurement`; None: no list."""
    histogram_ml: tuple[float, ...] = ()
    """Volume of disease by ADC in mL, `report.histogram.adc_histogram`; empty: not counted."""
    comparison: Comparison | None = None
    """The patient's earlier studies; None: they were not looked for."""
    origin: StudyOrigin | None = None
    """When the study was made and on which scanner; None: not known."""


@dataclass(frozen=True, eq=False)
class ReportImages:
    """The whole-body images that the pictures show, all on one geometry."""

    geometry: Geometry
    high_b: NDArray[np.float32] = field(repr=False)
    """Signal at the highest b-value, arbitrary unit, (slice, row, column)."""
    adc_um2_s: NDArray[np.float32] = field(repr=False)
    """ADC in µm²/s, NaN where invalid, the same shape."""
    disease: NDArray[np.bool_] = field(repr=False)
    """Where the measured disease is (the kept lesions), the same shape."""
    prior: ReportImages | None = field(default=None, repr=False)
    """The earlier study of `Comparison.headline` on its own geometry, its `high_b` in the unit of
    this study's, so that one window shows both; None where it is not kept."""

    def __post_init__(self) -> None:
        """Refuse images that are not on the geometry.

        Raises:
            ValueError: a shape differs from the geometry's.

        """
        for name in ("high_b", "adc_um2_s", "disease"):
            shape = getattr(self, name).shape
            if shape != self.geometry.shape:
                message = f"{name} has shape {shape}, the geometry has {self.geometry.shape}"
                raise ValueError(message)
