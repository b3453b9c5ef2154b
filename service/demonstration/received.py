"""What a PACS can read from our results alone: masks from the SEGs, numbers from the report.

Written against the DICOM standard with pydicom only, so that it does not repeat our encoder.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pydicom

from imaging.anatomy import BY_NAME
from imaging.focal_lesions import NAME_PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from pydicom import Dataset

    from imaging.geometry import Geometry

_TDV = "TDV"
_ADC = "113041"  # DCM, Apparent Diffusion Coefficient
_DERIVATION = "121401"  # DCM
_MEDIAN = "373099004"  # SCT


@dataclass(frozen=True, eq=False)
class ReceivedMasks:
    """The segments of all stations on one whole-body grid, (slice, row, column)."""

    labels: NDArray[np.uint8] = field(repr=False)
    """Positions in `imaging.anatomy.STRUCTURES`."""
    disease: NDArray[np.bool_] = field(repr=False)
    """The lesions of the burden."""
    focal: NDArray[np.bool_] = field(repr=False)
    """The focal lesions: a list by another definition."""


@dataclass(frozen=True)
class ReceivedNumbers:
    """The headline numbers that the report carries."""

    tdv_ml: float
    gadc_um2_s: float | None


def read_masks(segs: Sequence[Path], grid: Geometry) -> ReceivedMasks:
    """Lay the frames of all SEGs on `grid` by their positions in the patient (PS3.3 C.7.6.16).

    `grid` must hold the frames' rows and columns, as the stations of a phantom do.
    """
    labels = np.zeros(grid.shape, dtype=np.uint8)
    disease, focal = (np.zeros(grid.shape, dtype=np.bool_) for _ in range(2))
    for path in segs:
        seg = pydicom.dcmread(path)
        names = {item.SegmentNumber: str(item.TrackingID) for item in seg.SegmentSequence}
        for number, k, mask in _frames(seg, grid):
            structure = BY_NAME.get(names[number])
            if structure is None:
                lesions = focal if names[number].startswith(NAME_PREFIX) else disease
                lesions[k] |= mask
            else:
                labels[k][mask] = structure.label
    return ReceivedMasks(labels, disease, focal)


def read_numbers(report: Path) -> ReceivedNumbers:
    """Find TDV in mL and the median ADC in µm²/s beside it in a TID 1500 report.

    Raises:
        ValueError: the report holds no TDV.

    """
    for group in _containers(pydicom.dcmread(report)):
        numbers = [item for item in group.ContentSequence if item.ValueType == "NUM"]
        tdv = [item for item in numbers if _name(item) == _TDV]
        if tdv:
            median = [item for item in numbers if _name(item) == _ADC and _is_median(item)]
            gadc_um2_s = _number(median[0]) if median else None
            return ReceivedNumbers(_number(tdv[0]), gadc_um2_s)
    message = "the report that was received holds no total diffusion volume"
    raise ValueError(message)


def _frames(seg: Dataset, grid: Geometry) -> Iterator[tuple[int, int, NDArray[np.bool_]]]:
    """Yield segment number, slice of `grid` and mask of each frame."""
    pixels = seg.pixel_array.reshape(-1, seg.Rows, seg.Columns)
    shared = seg.SharedFunctionalGroupsSequence[0]
    for frame, groups in zip(pixels, seg.PerFrameFunctionalGroupsSequence, strict=True):
        number = _group(groups, shared, "SegmentIdentificationSequence").ReferencedSegmentNumber
        position = _group(groups, shared, "PlanePositionSequence").ImagePositionPatient
        k, _, _ = grid.to_index([float(x) for x in position])
        yield int(number), round(float(k)), frame.astype(bool)


def _group(frame: Dataset, shared: Dataset, keyword: str) -> Dataset:
    """Find a functional group: what is the same in every frame stands in the shared ones."""
    sequence: Sequence[Dataset] = (frame if keyword in frame else shared)[keyword].value
    return sequence[0]


def _containers(item: Dataset) -> Iterator[Dataset]:
    if "ContentSequence" in item:
        yield item
        for child in item.ContentSequence:
            yield from _containers(child)


def _name(item: Dataset) -> str:
    return str(item.ConceptNameCodeSequence[0].CodeValue)


def _number(item: Dataset) -> float:
    return float(item.MeasuredValueSequence[0].NumericValue)


def _is_median(item: Dataset) -> bool:
    modifiers = item.get("ContentSequence") or []
    return any(
        _name(modifier) == _DERIVATION and modifier.ConceptCodeSequence[0].CodeValue == _MEDIAN
        for modifier in modifiers
    )
