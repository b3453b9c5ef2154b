"""Total diffusion volume (TDV), global ADC (gADC), regions and lesions of one study."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from imaging.adc_bins import PUBLISHED, AdcBins, BinnedVolumes, binned_volumes
from imaging.adc_statistics import AdcStatistics, ClassVolumes, adc_statistics, class_volumes
from imaging.anatomy import STRUCTURES
from imaging.coverage import BodyCoverage, body_coverage, region_coverage
from imaging.lesion_regions import locate
from imaging.lesions import diameter_mm
from imaging.region_measurements import RegionMeasurement, Regions

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imaging.disease import DiseaseMask
    from imaging.geometry import Geometry
    from imaging.lesion_regions import LesionVoxels

__all__ = [
    "AdcStatistics",
    "BinnedVolumes",
    "BodyCoverage",
    "ClassVolumes",
    "LesionMeasurement",
    "Measurement",
    "MeasurementSettings",
    "RegionMeasurement",
    "measure",
]


@dataclass(frozen=True)
class MeasurementSettings:
    """What a site may change; stored with every result (`clinical_and_console.md` A6, A7)."""

    thresholds_um2_s: tuple[float, float] = (900.0, 1400.0)
    """ADC classes: below the first is low, above the second is high."""
    evaluable_ml: float = 0.5
    """Lesions from this volume on (a 10 mm sphere) are evaluated one by one."""
    binnings: tuple[AdcBins, ...] = PUBLISHED
    """Further splits of the disease by ADC, each under its own name."""


@dataclass(frozen=True)
class LesionMeasurement:
    """One kept lesion: `label` in the lesion map, `region` a structure's name.

    `diameter_mm` as in `imaging.lesions.diameter_mm`.
    """

    label: int
    name: str
    region: str
    centroid_mm: tuple[float, float, float]
    volume_ml: float
    diameter_mm: float
    adc: AdcStatistics
    classes: ClassVolumes
    evaluable: bool
    tracking_uid: str = ""
    """Of this lesion in all studies of the patient; empty: not given yet."""


@dataclass(frozen=True)
class Measurement:
    """All numbers of one study. gADC is `adc` over all disease voxels, its median first.

    `log_tdv` is ln(TDV in mL), None where there is no disease. `met_rads` are the bone regions of
    MET-RADS-P, sums of `regions`. Where `coverage` is partial, TDV is that of what was seen.
    """

    tdv_ml: float
    log_tdv: float | None
    adc: AdcStatistics | None
    classes: ClassVolumes
    thresholds_um2_s: tuple[float, float]
    n_lesions: int
    regions: tuple[RegionMeasurement, ...]
    lesions: tuple[LesionMeasurement, ...]
    removed_organ_ml: float
    removed_canal_ml: float
    met_rads: tuple[RegionMeasurement, ...] = ()
    binnings: tuple[BinnedVolumes, ...] = ()
    coverage: BodyCoverage = field(default_factory=BodyCoverage)
    evaluable_ml: float = 0.5

    @property
    def coverage_status(self) -> Literal["complete", "partial"]:
        """`partial` where a region from vertex to mid-thigh is missing or cut."""
        return self.coverage.status


def measure(
    adc_um2_s: NDArray[np.float32],
    labels: NDArray[np.uint8],
    disease_mask: DiseaseMask,
    lesion_labels: NDArray[np.uint16],
    geometry: Geometry,
    settings: MeasurementSettings,
) -> Measurement:
    """Measure the kept lesions; all arrays (slice, row, column) on `geometry`.

    TDV is the volume of all kept lesions (`lesion_labels` above 0), by voxel positions. Disease
    voxels outside every bone label (the mask reaches a little beyond it) count for the region
    of their lesion, so that the regions add up to the whole.

    Raises:
        ValueError: a lesion has no voxel with a valid ADC.

    """
    voxels, lesion_regions = locate(adc_um2_s, labels, lesion_labels, geometry)
    voxel_ml = geometry.voxel_volume_ml
    volume_ml = voxels.lesion.size * voxel_ml
    shares = region_coverage(labels, geometry)
    thresholds = settings.thresholds_um2_s
    regions = Regions(labels, voxels, lesion_regions, shares, voxel_ml, thresholds)
    return Measurement(
        tdv_ml=volume_ml,
        log_tdv=math.log(volume_ml) if volume_ml > 0 else None,
        adc=adc_statistics(voxels.adc_um2_s),
        classes=class_volumes(voxels.adc_um2_s, thresholds, voxel_ml),
        thresholds_um2_s=thresholds,
        n_lesions=len(lesion_regions),
        regions=regions.rows(),
        lesions=_lesions(voxels, lesion_regions, geometry, settings, "L"),
        removed_organ_ml=disease_mask.removed_organ_ml,
        removed_canal_ml=disease_mask.removed_canal_ml,
        met_rads=regions.met_rads_rows(),
        binnings=tuple(binned_volumes(voxels.adc_um2_s, b, voxel_ml) for b in settings.binnings),
        coverage=body_coverage(shares),
        evaluable_ml=settings.evaluable_ml,
    )


def measure_lesions(
    adc_um2_s: NDArray[np.float32],
    labels: NDArray[np.uint8],
    lesion_labels: NDArray[np.uint16],
    geometry: Geometry,
    settings: MeasurementSettings,
    prefix: str,
) -> tuple[LesionMeasurement, ...]:
    """Measure lesions one by one, whoever found them, named `prefix`01 and so on; no totals.

    Raises:
        ValueError: a lesion has no voxel with a valid ADC.

    """
    voxels, lesion_regions = locate(adc_um2_s, labels, lesion_labels, geometry)
    return _lesions(voxels, lesion_regions, geometry, settings, prefix)


def _describe(
    voxels: LesionVoxels, chosen: NDArray[Any], geometry: Geometry, settings: MeasurementSettings
) -> tuple[AdcStatistics | None, ClassVolumes]:
    adc = voxels.adc_um2_s[chosen]
    classes = class_volumes(adc, settings.thresholds_um2_s, geometry.voxel_volume_ml)
    return adc_statistics(adc), classes


def _lesions(
    voxels: LesionVoxels,
    lesion_regions: dict[int, int],
    geometry: Geometry,
    settings: MeasurementSettings,
    prefix: str,
) -> tuple[LesionMeasurement, ...]:
    order = np.argsort(voxels.lesion, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(voxels.lesion[order])) + 1) if order.size else []
    measured = []
    for chosen in parts:
        label = int(voxels.lesion[chosen[0]])
        index = voxels.index[chosen]
        adc, classes = _describe(voxels, chosen, geometry, settings)
        if adc is None:
            message = f"lesion {label} has no voxel with a valid ADC; the disease rule asks for one"
            raise ValueError(message)
        x, y, z = geometry.to_patient_mm(index.mean(axis=0)).tolist()
        volume_ml = len(chosen) * geometry.voxel_volume_ml
        measured.append(
            LesionMeasurement(
                label=label,
                name=f"{prefix}{label:02d}",
                region=STRUCTURES[lesion_regions[label]].name,
                centroid_mm=(x, y, z),
                volume_ml=volume_ml,
                diameter_mm=diameter_mm(index, geometry),
                adc=adc,
                classes=classes,
                evaluable=volume_ml >= settings.evaluable_ml * (1 - 1e-9),
            )
        )
    return tuple(measured)
