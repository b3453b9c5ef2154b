"""Numbers of `imaging.measurement` as coded measurements of a report (TID 300).

The whole body carries every statistic; regions and lesions the few that readers compare, because
a report with all of them takes seconds to build. `measurements.json` holds them all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from highdicom.sr import Measurement as CodedMeasurement

from dicom_objects.writing import codes

if TYPE_CHECKING:
    from pydicom.sr.coding import Code

    from imaging.measurement import (
        AdcStatistics,
        ClassVolumes,
        LesionMeasurement,
        Measurement,
        RegionMeasurement,
    )

_DIGITS = 6
"""Significant digits that are written: more than any input supports, few enough for DS."""


def total_values(measured: Measurement) -> list[CodedMeasurement]:
    """TDV, lesion count, gADC statistics and class volumes of the whole body."""
    values = [
        _value(codes.VOLUME, measured.tdv_ml, codes.CM3, codes.TOTAL),
        _value(codes.TDV, measured.tdv_ml, codes.CM3),
        _value(codes.LESION_COUNT, measured.n_lesions, codes.NO_UNIT),
        _value(codes.REMOVED_ORGANS, measured.removed_organ_ml, codes.CM3),
        _value(codes.REMOVED_CANAL, measured.removed_canal_ml, codes.CM3),
    ]
    if measured.log_tdv is not None:
        values.append(_value(codes.LOG_TDV, measured.log_tdv, codes.NO_UNIT))
    values += _adc_values(measured.adc, _FULL) + _shape_values(measured.adc)
    return values + _class_values(measured.classes)


def region_values(region: RegionMeasurement) -> list[CodedMeasurement]:
    """Disease volume, lesion count, ADC of the disease, and bone volume of one region."""
    values = [
        _value(codes.DISEASE_VOLUME, region.disease_volume_ml, codes.CM3),
        _value(codes.LESION_COUNT, region.n_lesions, codes.NO_UNIT),
        _value(codes.BONE_VOLUME, region.bone_volume_ml, codes.CM3),
    ]
    if region.coverage is not None:
        values.append(_value(codes.COVERAGE, region.coverage, codes.NO_UNIT))
    return values + _adc_values(region.adc, _BRIEF)


def lesion_values(lesion: LesionMeasurement) -> list[CodedMeasurement]:
    """Volume, long axis, ADC and class volumes of one lesion."""
    values = [
        _value(codes.VOLUME, lesion.volume_ml, codes.CM3),
        _value(codes.LONG_AXIS, lesion.diameter_mm, codes.MM),
    ]
    return values + _adc_values(lesion.adc, _BRIEF) + _class_values(lesion.classes)


_BRIEF: dict[str, Code] = {
    "median": codes.MEDIAN,
    "mean": codes.MEAN,
    "sd": codes.STANDARD_DEVIATION,
    "p10": codes.PERCENTILES["p10"],
    "p90": codes.PERCENTILES["p90"],
}
_FULL: dict[str, Code] = {
    **_BRIEF,
    **codes.PERCENTILES,
    "minimum": codes.MINIMUM,
    "maximum": codes.MAXIMUM,
}


def _adc_values(adc: AdcStatistics | None, which: dict[str, Code]) -> list[CodedMeasurement]:
    if adc is None:
        return []
    return [
        _value(codes.ADC, getattr(adc, name), codes.UM2_S, derivation)
        for name, derivation in which.items()
    ]


def _shape_values(adc: AdcStatistics | None) -> list[CodedMeasurement]:
    if adc is None:
        return []
    return [
        _value(codes.ADC, adc.skewness, codes.NO_UNIT, codes.SKEWNESS),
        _value(codes.ADC, adc.kurtosis, codes.NO_UNIT, codes.KURTOSIS),
    ]


def _class_values(classes: ClassVolumes) -> list[CodedMeasurement]:
    return [
        _value(codes.LOW_VOLUME, classes.low_ml, codes.CM3),
        _value(codes.MIDDLE_VOLUME, classes.intermediate_ml, codes.CM3),
        _value(codes.HIGH_VOLUME, classes.high_ml, codes.CM3),
    ]


def _value(
    name: Code, number: float, unit: Code, derivation: Code | None = None
) -> CodedMeasurement:
    rounded = float(f"{number:.{_DIGITS}g}")
    return CodedMeasurement(name, rounded, unit, derivation=derivation)
