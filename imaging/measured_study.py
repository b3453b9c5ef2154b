"""A measured study in the form in which it is compared, whether just measured or read back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from imaging.response import TimePoint

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from imaging.geometry import Geometry
    from imaging.measurement import LesionMeasurement, Measurement
    from imaging.region_measurements import RegionMeasurement

HISTOGRAM_BIN_UM2_S = 50.0
HISTOGRAM_BINS = 60


@dataclass(frozen=True, eq=False)
class StudyImages:
    """What was found on the whole-body grid; arrays (slice, row, column) on `geometry`."""

    geometry: Geometry
    labels: NDArray[np.uint8] = field(repr=False)
    lesion_labels: NDArray[np.uint16] = field(repr=False)
    adc_um2_s: NDArray[np.float32] = field(repr=False)
    """NaN where invalid."""
    signal: NDArray[np.float32] = field(repr=False)
    """Normalised high-b signal."""
    signal_unit: str
    """What has the signal 1; of two studies only signals of one unit are compared. Empty: the
    signal has no unit (the canal failed its checks)."""


@dataclass(frozen=True)
class RegionFigures:
    """What a comparison needs of one region; `coverage` as in `RegionMeasurement`."""

    name: str
    title: str
    coverage: float | None
    volume_ml: float
    adc_um2_s: float | None
    """Median of its disease."""


@dataclass(frozen=True)
class KnownLesion:
    """One lesion of the burden; `label` is its number in `StudyImages.lesion_labels`."""

    label: int
    name: str
    region: str
    volume_ml: float
    tracking_uid: str = ""
    """Empty: none was given yet."""


@dataclass(frozen=True, eq=False)
class MeasuredStudy:
    """Numbers of a study, and its images where they are kept."""

    point: TimePoint
    regions: tuple[RegionFigures, ...]
    met_rads: tuple[RegionFigures, ...]
    lesions: tuple[KnownLesion, ...]
    scanner_key: str = ""
    """Equal for one scanner; empty where the images do not say which it was."""
    burden: float = 0.0
    """Share of the bone that is disease, 0 to 1."""
    former_names: tuple[str, ...] = ()
    """Names of lesions that were resolved before: never given again."""
    images: StudyImages | None = field(default=None, repr=False)


@dataclass(frozen=True)
class StudyOrigin:
    """Which study it is and when and where it was made; nothing that names a patient."""

    study_uid: str
    run_id: str
    date: str = ""
    scanner: str = ""
    scanner_key: str = ""


def measured_study(
    origin: StudyOrigin, measurement: Measurement, images: StudyImages | None = None
) -> MeasuredStudy:
    """Return what was measured just now in the form that comparisons take."""
    whole = next((r for r in measurement.regions if r.name == "whole_skeleton"), None)
    bone_ml = whole.bone_volume_ml if whole else 0.0
    return MeasuredStudy(
        point=_point(origin, measurement, images),
        regions=_figures(measurement.regions),
        met_rads=_figures(measurement.met_rads),
        lesions=tuple(_known(lesion) for lesion in measurement.lesions),
        scanner_key=origin.scanner_key,
        burden=measurement.tdv_ml / bone_ml if bone_ml > 0 else 0.0,
        images=images,
    )


def adc_volumes_ml(images: StudyImages) -> tuple[float, ...]:
    """Return the volume of disease by ADC, bins of 50 µm²/s from 0; the last holds the rest."""
    adc = images.adc_um2_s[images.lesion_labels > 0]
    adc = adc[np.isfinite(adc)]
    bins = np.clip(adc // HISTOGRAM_BIN_UM2_S, 0, HISTOGRAM_BINS - 1).astype(np.intp)
    counts = np.bincount(bins, minlength=HISTOGRAM_BINS) * images.geometry.voxel_volume_ml
    return tuple(float(volume) for volume in counts)


def _point(origin: StudyOrigin, measurement: Measurement, images: StudyImages | None) -> TimePoint:
    classes = measurement.classes
    return TimePoint(
        study_uid=origin.study_uid,
        run_id=origin.run_id,
        date=origin.date,
        scanner=origin.scanner,
        tdv_ml=measurement.tdv_ml,
        gadc_um2_s=None if measurement.adc is None else measurement.adc.median,
        n_lesions=measurement.n_lesions,
        classes_ml=(classes.low_ml, classes.intermediate_ml, classes.high_ml),
        coverage_status=measurement.coverage_status,
        adc_histogram_ml=() if images is None else adc_volumes_ml(images),
    )


def _figures(regions: Iterable[RegionMeasurement]) -> tuple[RegionFigures, ...]:
    return tuple(
        RegionFigures(
            name=region.name,
            title=region.title,
            coverage=region.coverage,
            volume_ml=region.disease_volume_ml,
            adc_um2_s=None if region.adc is None else region.adc.median,
        )
        for region in regions
    )


def _known(lesion: LesionMeasurement) -> KnownLesion:
    return KnownLesion(lesion.label, lesion.name, lesion.region, lesion.volume_ml)
