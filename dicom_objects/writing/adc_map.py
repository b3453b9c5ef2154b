"""DICOM Parametric Map: the ADC of one station on its own grid (PS3.3 A.75; `dicom.md` B5).

Stored values are µm²/s, the unit of the Real World Value Map, so a viewer that ignores the map
shows the right numbers. 0 lies outside the map and is padding: there is no valid fit there. They
are floats because dcmqi, which 3D Slicer reads parametric maps with, ends in a crash on integers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from highdicom import ContentQualificationValues, VOILUTTransformation
from highdicom.pm import ParametricMap, RealWorldValueMapping
from highdicom.sr import CodeContentItem, CodedConcept
from pydicom import Dataset

from dicom_objects.errors import SourceMismatch
from dicom_objects.uids import derived_uid
from dicom_objects.writing import codes
from dicom_objects.writing.equipment import add_models
from dicom_objects.writing.references import refer
from dicom_objects.writing.stamp import DESCRIPTION_PREFIX, MANUFACTURER, MODEL_NAME, Stamp, settle
from imaging.adc import MAXIMUM_ADC_UM2_S

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray
    from pydicom.sr.coding import Code

    from dicom_objects.writing.plan import ObjectPlan
    from dicom_objects.writing.slices import SourceSlice
    from dicom_objects.writing.source_images import ImageReference
    from imaging.provenance import Provenance

_PADDING = 0.0
_RANGE_UM2_S = (1.0, MAXIMUM_ADC_UM2_S)
"""What the map holds; below lies nothing that is tissue."""
_WINDOW_UM2_S = (1500, 3000)
"""Centre and width: from 0 to free water at body temperature."""


@dataclass(frozen=True, eq=False)
class StationAdc:
    """ADC of one station, (slice, row, column) in its order, µm²/s, NaN where there is none."""

    adc_um2_s: NDArray[np.float32] = field(repr=False)
    images_by_b: Mapping[float, Sequence[ImageReference]] = field(repr=False)
    """The images that were fitted, one a slice, by b-value in s/mm²."""
    vendor_adc: Sequence[ImageReference] = field(default=(), repr=False)
    """The scanner's own map, one a slice, where the values were taken over from it."""


def encode_adc_map(
    plan: ObjectPlan,
    slices: Sequence[SourceSlice],
    adc: StationAdc,
    provenance: Provenance,
) -> ParametricMap:
    """Build the ADC map of one station.

    Args:
        plan: station, series number and the seed of the UIDs.
        slices: those of the station, in the order of the array.
        adc: the map and what it was fitted to.
        provenance: software, models and time; the only source of dates and times.

    Raises:
        SourceMismatch: the array does not have the shape of the source.

    """
    first = slices[0].header
    shape = (len(slices), int(first.Rows), int(first.Columns))
    if adc.adc_um2_s.shape != shape:
        message = f"{plan.station}: ADC has shape {adc.adc_um2_s.shape}, its source series {shape}"
        raise SourceMismatch(message)
    stamp = Stamp.of(provenance)
    built = ParametricMap(
        source_images=[s.header for s in slices],
        pixel_array=stored_values(adc.adc_um2_s),
        series_instance_uid=derived_uid(plan.uid_seed, "adc series", plan.station),
        series_number=plan.series_number,
        sop_instance_uid=derived_uid(plan.uid_seed, "adc", plan.station),
        instance_number=1,
        manufacturer=MANUFACTURER,
        manufacturer_model_name=MODEL_NAME,
        software_versions=provenance.software_version,
        device_serial_number=stamp.serial_number,
        contains_recognizable_visual_features=True,
        real_world_value_mappings=[_mapping(sorted(adc.images_by_b))],
        voi_lut_transformations=[VOILUTTransformation(*_WINDOW_UM2_S)],
        content_label="ADC",
        content_description="Apparent diffusion coefficient",
        content_creator_name="Osteon^Software",
        content_qualification=ContentQualificationValues.RESEARCH,
        derivation=codes.DIFFUSION_ANALYSIS,
        series_description=f"{DESCRIPTION_PREFIX} ADC {plan.station}",
    )
    _complete(built, str(first.Modality))
    refer(built, slices, [v for v in (adc.vendor_adc, *adc.images_by_b.values()) if v])
    add_models(built, provenance)
    settle(built, stamp)
    return built


def _complete(built: ParametricMap, modality: str) -> None:
    """Add what highdicom has no argument for (C.8.32.1, C.7.6.24, C.7.6.16.2.8)."""
    _turn_frames(built)
    built.Modality = modality
    built.FloatPixelPaddingValue = _PADDING
    built.FloatPixelPaddingRangeLimit = _PADDING
    built.SharedFunctionalGroupsSequence[0].FrameAnatomySequence = [_anatomy()]


def _turn_frames(built: ParametricMap) -> None:
    """Put the frames in the order of their normal, row x column.

    highdicom writes them the other way round; dcmqi places them in this order whatever their
    positions say, so that the body would stand on its head in 3D Slicer.
    """
    frames = list(reversed(built.PerFrameFunctionalGroupsSequence))
    for number, frame in enumerate(frames, start=1):
        frame.FrameContentSequence[0].DimensionIndexValues = number
    built.PerFrameFunctionalGroupsSequence = frames
    stored = np.frombuffer(built.FloatPixelData, "<f4").reshape(len(frames), -1)
    built.FloatPixelData = stored[::-1].tobytes()


def stored_values(adc_um2_s: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the map within its range; 0 where there is no ADC."""
    within = np.clip(adc_um2_s, *_RANGE_UM2_S)
    # Not a number: no valid fit. Zero: outside the body's grid, where stations are resampled.
    return np.where(adc_um2_s > 0, within, _PADDING).astype(np.float32)


def _mapping(b_values: Sequence[float]) -> RealWorldValueMapping:
    mapping = RealWorldValueMapping(
        lut_label="ADC",
        lut_explanation="Apparent diffusion coefficient; 1 um2/s = 10^-6 mm2/s",
        unit=codes.UM2_S,
        value_range=_RANGE_UM2_S,
        slope=1.0,
        intercept=0.0,
        quantity_definition=codes.ADC,
    )
    definition: Any = mapping.QuantityDefinitionSequence
    if len(b_values) > 1:  # of a map that was taken over neither is known
        fitting = codes.TWO_SAMPLES if len(b_values) == 2 else codes.LEAST_SQUARES
        definition.append(CodeContentItem(codes.MEASUREMENT_METHOD, codes.MONO_EXPONENTIAL))
        definition.append(CodeContentItem(codes.FITTING_METHOD, fitting))
    definition.extend(_b_value(b) for b in b_values)
    return mapping


def _b_value(b: float) -> Dataset:
    """Return a number as the Content Item Macro writes it (PS3.3 Table 10-2), unlike an SR."""
    item = Dataset()
    item.ValueType = "NUMERIC"
    item.ConceptNameCodeSequence = [_concept(codes.B_VALUE)]
    item.NumericValue = f"{b:g}"
    item.MeasurementUnitsCodeSequence = [_concept(codes.S_MM2)]
    return item


def _concept(code: Code) -> CodedConcept:
    return CodedConcept(code.value, code.scheme_designator, code.meaning)


def _anatomy() -> Dataset:
    """Every frame shows the body across; dcmqi's reader needs the group (`dicom.md` B5)."""
    item = Dataset()
    item.FrameLaterality = "U"
    item.AnatomicRegionSequence = [_concept(codes.ENTIRE_BODY)]
    return item
