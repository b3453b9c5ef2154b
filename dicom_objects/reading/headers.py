"""From files to frames: each header is read once."""

from __future__ import annotations

import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

from pydicom import Dataset, config
from pydicom.uid import (
    EnhancedMRImageStorage,
    LegacyConvertedEnhancedMRImageStorage,
    MRImageStorage,
)

from dicom_objects.attributes import DAMAGED, number, numbers, text, tokens
from dicom_objects.reading.bvalues import BReading, is_stripped, read_b_value
from dicom_objects.reading.directions import read_directionality, read_gradient
from dicom_objects.reading.frames import Frame, Pixels, Plane
from dicom_objects.reading.functional_groups import FunctionalGroups
from dicom_objects.reading.mosaics import is_mosaic, split_mosaic
from dicom_objects.reading.opening import OpenedFile, open_file, stored_frame

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from dicom_objects.attributes import ImageHeader, InstanceHeader

_ENHANCED = (EnhancedMRImageStorage, LegacyConvertedEnhancedMRImageStorage)
_CLASSIC_REPEAT = ("AcquisitionNumber", "TemporalPositionIdentifier", "AcquisitionTime")
_ENHANCED_REPEAT = (
    "FrameAcquisitionNumber",
    "TemporalPositionIndex",
    "FrameAcquisitionDateTime",
    "StackID",
)


def read_headers(paths: Sequence[Path]) -> tuple[tuple[Frame, ...], tuple[Path, ...]]:
    """Read the headers of all files; the second value lists what is not readable DICOM.

    An enhanced object gives one frame for each of its frames, a mosaic one for each tile.
    """
    # What a header gets wrong is judged by the rules, not by warnings on the way.
    with warnings.catch_warnings(), config.disable_value_validation():
        warnings.simplefilter("ignore")
        with ThreadPoolExecutor(max_workers=4) as pool:
            found = list(pool.map(frames_of, paths))
    readable = tuple(frame for frames in found for frame in frames)
    unreadable = tuple(p for p, frames in zip(paths, found, strict=True) if not frames)
    return readable, unreadable


def frames_of(path: Path) -> tuple[Frame, ...]:
    """Read the header of one file; nothing for one that is not readable DICOM."""
    try:
        opened = open_file(path)
        whole = _instance(opened)
        if whole.sop_class_uid in _ENHANCED:
            return _enhanced(opened, whole)
        if whole.sop_class_uid == MRImageStorage:
            return _classic(opened, whole)
    except (*DAMAGED, OSError):
        return ()
    return (whole,)


def _classic(opened: OpenedFile, whole: Frame) -> tuple[Frame, ...]:
    if opened.frame_count > 1:
        sentence = (
            f"{opened.frame_count} frames in an object of the single-frame class, which has no"
            " place for their positions; send the classic or the enhanced form."
        )
        return (replace(whole, plane=None, problem=("MULTIFRAME_UNSUPPORTED", sentence)),)
    if (number(opened.header, "SamplesPerPixel") or 1) != 1:
        sentence = "colour images: pictures of values, not a measured signal."
        return (replace(whole, problem=("COLOUR_IMAGE", sentence)),)
    return split_mosaic(whole, opened.header) if is_mosaic(whole) else (whole,)


def _instance(opened: OpenedFile) -> Frame:
    header = opened.header
    manufacturer = text(header, "Manufacturer")
    b = read_b_value(header, manufacturer)
    return Frame(
        path=opened.path,
        frame_number=None,
        sop_class_uid=text(header, "SOPClassUID"),
        sop_instance_uid=text(header, "SOPInstanceUID"),
        study_uid=text(header, "StudyInstanceUID"),
        series_uid=text(header, "SeriesInstanceUID"),
        series_number=_integer(header, "SeriesNumber"),
        series_description=text(header, "SeriesDescription"),
        patient_id=text(header, "PatientID"),
        manufacturer=manufacturer,
        patient_position=text(header, "PatientPosition"),
        image_type=tokens(header, "ImageType"),
        sequence_name=text(header, "SequenceName"),
        directionality=read_directionality(header, manufacturer),
        gradient=read_gradient(header, manufacturer),
        b=b,
        echo_time_ms=number(header, "EchoTime"),
        repeat=tuple(text(header, k) for k in _CLASSIC_REPEAT),
        plane=_plane(header, header),
        pixels=opened.pixels,
        private_stripped=is_stripped(b, manufacturer, has_private_groups=header.has_private_groups),
    )


def _enhanced(opened: OpenedFile, whole: Frame) -> tuple[Frame, ...]:
    own = opened.dataset.get("PerFrameFunctionalGroupsSequence") or ()
    if len(own) != opened.frame_count:
        text = (
            f"an enhanced object of {opened.frame_count} frames with functional groups for"
            f" {len(own)}; it is damaged: send it again."
        )
        return (replace(whole, plane=None, problem=("ENHANCED_INCOMPLETE", text)),)
    shared = (opened.dataset.get("SharedFunctionalGroupsSequence") or (Dataset(),))[0]
    return tuple(
        _frame(opened, whole, FunctionalGroups(item, shared), k) for k, item in enumerate(own)
    )


def _frame(opened: OpenedFile, whole: Frame, groups: FunctionalGroups, index: int) -> Frame:
    echo_time_ms = number(groups, "EffectiveEchoTime")
    b = _frame_b(groups, whole.manufacturer)
    private_groups = opened.header.has_private_groups or groups.has_private_groups
    return replace(
        whole,
        frame_number=index + 1,
        image_type=whole.image_type + tokens(groups, "FrameType"),
        sequence_name=whole.sequence_name or text(groups, "SequenceName"),
        directionality=read_directionality(groups, whole.manufacturer),
        gradient=read_gradient(groups, whole.manufacturer),
        b=b,
        echo_time_ms=number(groups, "EchoTime") if echo_time_ms is None else echo_time_ms,
        repeat=tuple(text(groups, k) for k in _ENHANCED_REPEAT),
        plane=_plane(groups, opened.header),
        pixels=_scaled(stored_frame(opened, index), groups),
        private_stripped=is_stripped(b, whole.manufacturer, has_private_groups=private_groups),
    )


def _frame_b(groups: FunctionalGroups, manufacturer: str) -> BReading:
    standard = groups.at_home("DiffusionBValue") is not None
    place = "MRDiffusionSequence (0018,9087)" if standard else "(0018,9087)"
    return read_b_value(groups, manufacturer, place)


def _scaled(pixels: Pixels | None, groups: FunctionalGroups) -> Pixels | None:
    slope, intercept = number(groups, "RescaleSlope"), number(groups, "RescaleIntercept")
    if pixels is None or slope is None:
        return pixels
    return replace(pixels, slope=slope, intercept=intercept or 0.0)


def _plane(image: ImageHeader, instance: InstanceHeader) -> Plane | None:
    position = numbers(image, "ImagePositionPatient")
    orientation = numbers(image, "ImageOrientationPatient")
    spacing = numbers(image, "PixelSpacing")
    rows, columns = number(instance, "Rows"), number(instance, "Columns")
    if len(position) != 3 or len(orientation) != 6 or len(spacing) != 2 or not rows or not columns:
        return None
    frame = text(instance, "FrameOfReferenceUID")
    return Plane(position, orientation, spacing, int(rows), int(columns), frame)


def _integer(header: InstanceHeader, keyword: str) -> int | None:
    value = number(header, keyword)
    return None if value is None else int(value)
