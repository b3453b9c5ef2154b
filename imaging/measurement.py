"""Total diffusion volume (TDV), global ADC (gADC), regions and lesions of one study."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from imaging.adc_statistics import AdcStatistics, ClassVolumes, adc_statistics, class_volumes
from imaging.anatomy import BONES, STRUCTURES
from imaging.coverage import region_coverage
from imaging.lesion_regions import locate
from imaging.lesions import diameter_mm

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imaging.disease import DiseaseMask
    from imaging.geometry import Geometry
    from imaging.lesion_regions import LesionVoxels

__all__ = [
    "AdcStatistics",
    "ClassVolumes",
    "LesionMeasurement",
    "Measurement",
    "MeasurementSettings",
    "RegionMeasurement",
    "measure",
]

WHOLE_SKELETON = "whole_skeleton"


@dataclass(frozen=True)
class MeasurementSettings:
    """What a site may change; stored with every result (`clinical_and_console.md` A6, A7)."""

    thresholds_um2_s: tuple[float, float] = (900.0, 1400.0)
    """ADC classes: below the first is low, above the second is high."""
    evaluable_ml: float = 0.5
    """Lesions from this volume on (a 10 mm sphere) are evaluated one by one."""


@dataclass(frozen=True)
class RegionMeasurement:
    """One row of the region table; `coverage` is 0..1, None where the region is not covered.

    `n_lesions` counts the lesions that have most of their bone voxels here; the disease volume
    counts the voxels that lie here, whichever lesion they belong to.
    """

    name: str
    title: str
    coverage: float | None
    bone_volume_ml: float
    disease_volume_ml: float
    n_lesions: int
    adc: AdcStatistics | None
    classes: ClassVolumes


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


@dataclass(frozen=True)
class Measurement:
    """All numbers of one study. gADC is `adc` over all disease voxels, its median first.

    `log_tdv` is ln(TDV in mL), None where there is no disease.
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
    volume_ml = voxels.lesion.size * geometry.voxel_volume_ml
    everything = np.ones(voxels.lesion.size, dtype=np.bool_)
    adc, classes = _describe(voxels, everything, geometry, settings)
    return Measurement(
        tdv_ml=volume_ml,
        log_tdv=math.log(volume_ml) if volume_ml > 0 else None,
        adc=adc,
        classes=classes,
        thresholds_um2_s=settings.thresholds_um2_s,
        n_lesions=len(lesion_regions),
        regions=_regions(labels, voxels, lesion_regions, geometry, settings),
        lesions=_lesions(voxels, lesion_regions, geometry, settings),
        removed_organ_ml=disease_mask.removed_organ_ml,
        removed_canal_ml=disease_mask.removed_canal_ml,
    )


def _describe(
    voxels: LesionVoxels, chosen: NDArray[Any], geometry: Geometry, settings: MeasurementSettings
) -> tuple[AdcStatistics | None, ClassVolumes]:
    adc = voxels.adc_um2_s[chosen]
    classes = class_volumes(adc, settings.thresholds_um2_s, geometry.voxel_volume_ml)
    return adc_statistics(adc), classes


def _regions(
    labels: NDArray[np.uint8],
    voxels: LesionVoxels,
    lesion_regions: dict[int, int],
    geometry: Geometry,
    settings: MeasurementSettings,
) -> tuple[RegionMeasurement, ...]:
    coverage = region_coverage(labels, geometry)
    bone_ml = np.bincount(labels.reshape(-1), minlength=len(STRUCTURES)) * geometry.voxel_volume_ml
    rows = [((b.name, b.title), coverage[b.name], [b.label]) for b in BONES]
    whole = sum(share or 0.0 for share in coverage.values()) / len(BONES)
    labels_of_all = [b.label for b in BONES]
    rows.append(((WHOLE_SKELETON, "Whole skeleton"), whole, labels_of_all))
    measured = []
    for (name, title), share, members in rows:
        here = np.isin(voxels.region, members)
        adc, classes = _describe(voxels, here, geometry, settings)
        measured.append(
            RegionMeasurement(
                name=name,
                title=title,
                coverage=share,
                bone_volume_ml=float(bone_ml[members].sum()),
                disease_volume_ml=int(here.sum()) * geometry.voxel_volume_ml,
                n_lesions=sum(region in members for region in lesion_regions.values()),
                adc=adc,
                classes=classes,
            )
        )
    return tuple(measured)


def _lesions(
    voxels: LesionVoxels,
    lesion_regions: dict[int, int],
    geometry: Geometry,
    settings: MeasurementSettings,
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
                name=f"L{label:02d}",
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
