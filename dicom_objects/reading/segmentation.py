"""Reading DICOM SEG: whose software drew it, and on which grid, does not matter (PS3.3 A.51).

A segment is known by its coded type and side, as PS3.16 and the public models' converters give
them, and by its label where there is no code that Osteon writes itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pydicom
from highdicom.seg import Segmentation
from pydicom.uid import UID, SegmentationStorage

from dicom_objects.attributes import DAMAGED
from dicom_objects.errors import DicomObjectError
from dicom_objects.writing import codes
from imaging.errors import GeometryError
from imaging.geometry import Geometry

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from pydicom import Dataset

DISEASE = "disease"
"""What a segment of the category "morphologically abnormal structure" is called."""
LABEL_MAP_STORAGE = UID("1.2.840.10008.5.1.4.1.1.66.7")
_SIDES = {codes.LEFT.value: "left", codes.RIGHT.value: "right", codes.BILATERAL.value: "both"}


def _structures() -> dict[tuple[str, str], str]:
    """Return names by (code value, side); what Osteon keeps as one for both sides takes either."""
    found = {}
    for name, known in codes.STRUCTURE_CODES.items():
        side = _SIDES[known.laterality.value] if known.laterality else ""
        for accepted in ("both", "left", "right", "") if side == "both" else (side,):
            found[known.kind.value, accepted] = name
    return found


_STRUCTURES = _structures()


class UnreadableSegmentation(DicomObjectError):  # noqa: N818 - it names the condition
    """A SEG cannot be read; the message says which file and why."""

    code = "SEG_UNREADABLE"


@dataclass(frozen=True, eq=False)
class SegmentMask:
    """One segment: its share of every voxel, 0 to 1, float32 (slice, row, column).

    `code` is "SCT:71341001", `side` "left", "right", "both" or "". `structure` is the name in
    `imaging.anatomy` that the code stands for, "disease" for an abnormal structure, or "".
    """

    label: str
    code: str
    side: str
    structure: str
    geometry: Geometry
    mask: NDArray[np.float32] = field(repr=False)


def is_segmentation(path: Path) -> bool:
    """Whether the file is a DICOM object of one of the two segmentation classes."""
    try:
        header = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=["SOPClassUID"])
    except (*DAMAGED, OSError):
        return False
    return header.get("SOPClassUID") in (SegmentationStorage, LABEL_MAP_STORAGE)


def read_segmentation(path: Path) -> tuple[SegmentMask, ...]:
    """Return every segment of a SEG on the grid of the SEG, which may be a part of the images'.

    Raises:
        UnreadableSegmentation: damaged, tiled, or its frames make no regular volume.

    """
    try:
        seg = Segmentation.from_dataset(pydicom.dcmread(path), copy=False)
        return tuple(_segment(seg, number) for number in seg.segment_numbers)
    except (*DAMAGED, GeometryError, OSError, RuntimeError, TypeError) as error:
        message = f"{path.name} is no segmentation of a volume that can be read ({error})"
        raise UnreadableSegmentation(message) from error


def _segment(seg: Segmentation, number: int) -> SegmentMask:
    item = seg.get_segment_description(number)
    volume = seg.get_volume(segment_numbers=[number], combine_segments=False)
    k, j, i = (int(n) for n in volume.spatial_shape)
    mask = np.asarray(volume.array, dtype=np.float32).reshape(k, j, i)
    frame = str(volume.frame_of_reference_uid or "")
    code, side = _code(item, "SegmentedPropertyTypeCodeSequence"), _side(item)
    abnormal = codes.MORPHOLOGICALLY_ABNORMAL
    category = _code(item, "SegmentedPropertyCategoryCodeSequence")
    is_disease = category == f"{abnormal.scheme_designator}:{abnormal.value}"
    structure = DISEASE if is_disease else _STRUCTURES.get((code.partition(":")[2], side), "")
    label = str(item.get("SegmentLabel", "")).strip()
    geometry = Geometry((k, j, i), volume.affine, frame)
    return SegmentMask(label, code, side, structure, geometry, mask)


def _code(item: Dataset, keyword: str) -> str:
    found = item.get(keyword) or ()
    return f"{found[0].CodingSchemeDesignator}:{found[0].CodeValue}" if found else ""


def _side(item: Dataset) -> str:
    kind = (item.get("SegmentedPropertyTypeCodeSequence") or (pydicom.Dataset(),))[0]
    for holder in (item, kind):
        modifiers = holder.get("SegmentedPropertyTypeModifierCodeSequence") or ()
        if modifiers:
            return _SIDES.get(str(modifiers[0].get("CodeValue", "")), "")
    return ""
