"""Enhanced MR Image Storage data sets (PS3.3 A.36): many frames, their groups in sequences."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pydicom import Dataset
from pydicom.datadict import tag_for_keyword
from pydicom.sequence import Sequence as Items
from pydicom.tag import BaseTag, Tag
from pydicom.uid import EnhancedMRImageStorage
from pydicom.valuerep import DSfloat

from dicom_objects.scanner.enhanced_modules import image_module, shared_groups
from dicom_objects.scanner.headers import file_meta, header_of
from dicom_objects.scanner.mr_image import pixel_format, slice_positions_mm, tidy, window

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from imaging.geometry import Geometry


@dataclass(frozen=True, eq=False)
class FrameSet:
    """One volume of an enhanced object: what all of its frames say."""

    pixels: NDArray[np.integer] = field(repr=False)
    """(slice, row, column)."""
    frame_type: tuple[str, ...]
    rescale: tuple[float, float]
    directionality: str
    b: float | None
    gradient: tuple[float, float, float] | None = None
    index: tuple[int, ...] = (1,)
    """The values of the dimensions after stack and place in the stack."""
    private: Dataset = field(default_factory=Dataset, repr=False)
    """Private groups of every frame."""


@dataclass(frozen=True, eq=False)
class EnhancedImage:
    """One object: its header, where it is, its volumes, and the names of the last dimensions."""

    header: Dataset
    geometry: Geometry
    image_type: tuple[str, ...]
    volumes: Sequence[FrameSet]
    dimensions: tuple[tuple[str, str], ...]
    """(attribute, functional group) keywords of the dimensions that `FrameSet.index` counts."""
    slice_by_slice: bool = False
    """Whether all volumes of one slice come first, then the next slice."""


def enhanced_object(image: EnhancedImage) -> Dataset:
    """Build the data set; `image.header` has its SOP Instance UID already."""
    header = Dataset(image.header)
    pixels = image.volumes[0].pixels
    order = list(_order(image))
    header.update(header_of(image_module(image.image_type, header)))
    header.update(header_of(pixel_format(pixels, image.geometry.shape[1:])))
    header.SOPClassUID = EnhancedMRImageStorage
    header.FrameOfReferenceUID = image.geometry.frame_of_reference_uid
    header.PositionReferenceIndicator = ""
    header.NumberOfFrames = len(order)
    _set_dimensions(header, image.dimensions)
    header.SharedFunctionalGroupsSequence = Items([shared_groups(image.geometry)])
    positions = slice_positions_mm(image.geometry)
    header.PerFrameFunctionalGroupsSequence = Items(
        [_frame(volume, k, positions[k], header) for volume, k in order]
    )
    header.PixelData = b"".join(
        volume.pixels[k].astype("<u2", copy=False).tobytes() for volume, k in order
    )
    header.file_meta = file_meta()
    header.file_meta.MediaStorageSOPInstanceUID = header.SOPInstanceUID
    return header


def _order(image: EnhancedImage) -> Iterator[tuple[FrameSet, int]]:
    slices = range(image.geometry.shape[0])
    if image.slice_by_slice:
        yield from ((volume, k) for k in slices for volume in image.volumes)
    else:
        yield from ((volume, k) for volume in image.volumes for k in slices)


def _set_dimensions(header: Dataset, dimensions: tuple[tuple[str, str], ...]) -> None:
    uid = f"{header.SOPInstanceUID}"
    header.DimensionOrganizationSequence = Items([header_of({"DimensionOrganizationUID": uid})])
    content = "FrameContentSequence"
    named = (("StackID", content), ("InStackPositionNumber", content), *dimensions)
    header.DimensionIndexSequence = Items(
        [
            header_of(
                {
                    "DimensionOrganizationUID": uid,
                    "DimensionIndexPointer": _tag(attribute),
                    "FunctionalGroupPointer": _tag(group),
                }
            )
            for attribute, group in named
        ]
    )


def _tag(keyword: str) -> BaseTag:
    return Tag(tag_for_keyword(keyword) or 0)


def _frame(volume: FrameSet, k: int, position_mm: NDArray[np.float64], header: Dataset) -> Dataset:
    slope, intercept = volume.rescale
    time = f"{header.AcquisitionDate}{header.AcquisitionTime}"
    groups: dict[str, Mapping[str, object]] = {
        "FrameContentSequence": {
            "FrameAcquisitionDateTime": time,
            "FrameReferenceDateTime": time,
            "FrameAcquisitionDuration": 21000.0,
            "StackID": "1",
            "InStackPositionNumber": k + 1,
            "TemporalPositionIndex": 1,
            "DimensionIndexValues": [1, k + 1, *volume.index],
        },
        "PlanePositionSequence": {"ImagePositionPatient": [tidy(v) for v in position_mm]},
        "MRImageFrameTypeSequence": {
            "FrameType": list(volume.frame_type),
            **_description(header),
        },
        "PixelValueTransformationSequence": {
            "RescaleIntercept": DSfloat(intercept, auto_format=True),
            "RescaleSlope": DSfloat(slope, auto_format=True),
            "RescaleType": "US",
        },
        "FrameVOILUTSequence": window(volume.pixels, volume.rescale),
        "MRDiffusionSequence": _diffusion(volume),
    }
    frame = header_of({name: Items([header_of(group)]) for name, group in groups.items()})
    frame.update(volume.private)
    return frame


def _description(header: Dataset) -> dict[str, object]:
    keywords = (
        "PixelPresentation",
        "VolumetricProperties",
        "VolumeBasedCalculationTechnique",
        "ComplexImageComponent",
        "AcquisitionContrast",
    )
    return {keyword: header[keyword].value for keyword in keywords}


def _diffusion(volume: FrameSet) -> dict[str, object]:
    group: dict[str, object] = {"DiffusionDirectionality": volume.directionality}
    if volume.b is not None:
        group["DiffusionBValue"] = float(volume.b)
    if volume.gradient is not None:
        direction = header_of({"DiffusionGradientOrientation": list(volume.gradient)})
        group["DiffusionGradientDirectionSequence"] = Items([direction])
    return group
