"""A small made-up run: two lesions in three regions, every number written by hand."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import pytest

from imaging.adc_bins import CRPC_MDV, BinnedVolumes
from imaging.coverage import BodyCoverage
from imaging.geometry import Geometry
from imaging.measurement import (
    AdcStatistics,
    ClassVolumes,
    LesionMeasurement,
    Measurement,
    RegionMeasurement,
)
from imaging.provenance import BurdenMethod, ModelIdentity, Provenance
from imaging.quality import QualityNote
from report.content import ReportContent, ReportImages


@dataclass(frozen=True)
class _Series:
    """The fields of `dicom_objects` `SeriesRecord`, a room that reports do not know."""

    series_uid: str
    series_number: int
    description: str
    role: str
    b_values: tuple[float, ...]
    b_source: str
    n_instances: int
    geometry: str | None
    used: bool
    code: str | None
    reason: str
    content: str = "dwi-trace"
    b_labels: tuple[float, ...] = (900.0,)
    volumes: tuple[dict[str, object], ...] = ({"b": 900.0, "kind": "vendor-trace", "count": 1},)
    n_slices: int | None = 40
    rows: int | None = 128
    columns: int | None = 128
    spacing_mm: tuple[float, float, float] | None = (2.5, 2.5, 5.0)
    slice_range_mm: tuple[float, float] | None = (-100.0, 95.0)
    trace: tuple[tuple[float, str], ...] = ((900.0, "vendor-trace"),)
    notes: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()


ADC = AdcStatistics(
    mean=1000.04, sd=200.06, median=980.25, p5=700.0, p10=750.0, p25=850.0, p75=1150.0,
    p90=1300.0, p95=1400.0, minimum=600.0, maximum=1800.0, skewness=0.123456, kurtosis=-0.00001,
)  # fmt: skip
NOTHING = ClassVolumes(0.0, 0.0, 0.0)


@pytest.fixture
def measurement() -> Measurement:
    regions = (
        RegionMeasurement(
            "lumbar_spine", "Lumbar spine", 1.0, 200.0, 10.0, 2, ADC, ClassVolumes(2.0, 5.0, 3.0)
        ),
        RegionMeasurement("ribs", "Ribs", 0.5, 300.0, 0.0, 0, None, NOTHING),
        RegionMeasurement("skull", "Skull", None, 0.0, 0.0, 0, None, NOTHING),
        RegionMeasurement(
            "whole_skeleton", "Whole skeleton", 0.5, 500.0, 10.0, 2, ADC, ClassVolumes(2, 5, 3)
        ),
    )
    met_rads = (
        RegionMeasurement("metrads_skull", "Skull", None, 0.0, 0.0, 0, None, NOTHING),
        RegionMeasurement(
            "metrads_lumbosacral_spine", "Lumbosacral spine", 0.5, 200.0, 10.0, 2, ADC,
            ClassVolumes(2.0, 5.0, 3.0),
        ),
    )  # fmt: skip
    lesions = (
        LesionMeasurement(
            1, "L01", "lumbar_spine", (1.04, -2.0, 100.0), 9.7, 31.26, ADC,
            ClassVolumes(1.9, 5.0, 2.8), evaluable=True,
        ),
        LesionMeasurement(
            2, "L02", "lumbar_spine", (0.0, 5.5, 120.0), 0.3, 8.0, None, NOTHING, evaluable=False
        ),
    )  # fmt: skip
    return Measurement(
        tdv_ml=10.00049, log_tdv=2.302634, adc=ADC, classes=ClassVolumes(2.0, 5.0, 3.0),
        thresholds_um2_s=(900.0, 1400.0), n_lesions=2, regions=regions, lesions=lesions,
        removed_organ_ml=4.0, removed_canal_ml=-0.0, met_rads=met_rads,
        binnings=(BinnedVolumes(CRPC_MDV, (2.0, 5.0, 2.5), 0.5),),
        coverage=BodyCoverage(missing=("skull",), cut=("ribs",)),
    )  # fmt: skip


@pytest.fixture
def content(measurement: Measurement) -> ReportContent:
    used = _Series("1.2.3", 5, "DWI b900", "diffusion", (900.0,), "standard", 40, "40x128x128",
                   used=True, code=None, reason="used")  # fmt: skip
    left = _Series("1.2.4", 6, "T2", "other", (), "", 30, None,
                   used=False, code="NOT_DIFFUSION", reason="not a diffusion series")  # fmt: skip
    return ReportContent(
        study_uid="1.2.840.1",
        measurement=measurement,
        provenance=Provenance(
            "0.1.0", "abc", (ModelIdentity("anatomy", "1.0", "f" * 64),), "digest", "1.2.5",
            "run-1", "2026-01-01T00:00:00Z", "2026-01-01T00:00:20Z",
            BurdenMethod("rule", None, 0.6, "normalised_signal"),
        ),
        b_values=(50.0, 900.0),
        fit="mono-exponential, log-linear",
        normalisation="spinal cord",
        spacing_mm=(5.0, 2.5, 2.5),
        series=(asdict(used), asdict(left)),
        quality=(QualityNote("SIGNAL_STEP", "warning", "signal step of 3 %", 0.03),),
        stages={"read": 1.23456, "fit": 0.5},
        histogram_ml=(*[0.0] * 17, 2.0, 0.0, 0.0, 5.0, *[0.0] * 12, 3.0, *[0.0] * 26),
    )  # fmt: skip


@pytest.fixture
def images() -> ReportImages:
    """A body of signal 10 in air of 0, with one bright diseased voxel on the patient's left."""
    geometry = Geometry.axial((6, 8, 10), (5.0, 2.0, 4.0), (0.0, 0.0, 0.0))
    signal = np.zeros(geometry.shape, dtype=np.float32)
    signal[:, 2:6, 1:9] = 10.0
    signal[4, 3, 7] = 100.0
    adc = np.full(geometry.shape, 1000.0, dtype=np.float32)
    adc[4, 3, 7] = 800.0
    disease = np.zeros(geometry.shape, dtype=np.bool_)
    disease[4, 3, 7] = True
    return ReportImages(geometry, signal, adc, disease)
