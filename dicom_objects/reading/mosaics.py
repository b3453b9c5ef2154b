"""Mosaics: one file whose image holds all slices of a volume as tiles (dicom.md A1 and A3 R8).

Siemens writes square grids and the position of the corner of the whole image; which way the
slices follow each other stands in the CSA header only. United Imaging (VFRAME) writes a position
for every slice in a private sequence, and grids of ceil(sqrt(n)) columns.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from pydicom import Dataset

from dicom_objects.attributes import number, numbers
from dicom_objects.reading.csa import csa_numbers
from dicom_objects.reading.frames import Plane
from dicom_objects.reading.vendor_elements import (
    SIEMENS_TILE_COUNT,
    UNITED_IMAGING_TILES,
    element_numbers,
    read_element,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dicom_objects.attributes import ImageHeader
    from dicom_objects.reading.frames import Frame

_PARALLEL = 0.99
Vector = tuple[float, ...]


class _NotReadable(Exception):  # noqa: N818 - it names the condition
    """What is missing, as the end of a sentence."""


@dataclass(frozen=True)
class _Grid:
    """How many tiles lie side by side and below each other."""

    across: int
    down: int


def is_mosaic(frame: Frame) -> bool:
    """Whether ImageType says that the image is made of tiles."""
    return not {"MOSAIC", "VFRAME"}.isdisjoint(frame.image_type)


def split_mosaic(whole: Frame, header: ImageHeader) -> tuple[Frame, ...]:
    """Return one frame a slice, or the whole with a `problem` when it cannot be split."""
    try:
        if "VFRAME" in whole.image_type:
            return _united_imaging(whole, header)
        return _siemens(whole, header)
    except _NotReadable as missing:
        text = f"a mosaic image, and {missing}; send single slices from the scanner."
        return (replace(whole, plane=None, problem=("MOSAIC_UNSUPPORTED", text)),)


def _siemens(whole: Frame, header: ImageHeader) -> tuple[Frame, ...]:
    csa = csa_numbers(header, ("NumberOfImagesInMosaic", "SliceNormalVector"))
    count = element_numbers(header, SIEMENS_TILE_COUNT, whole.manufacturer)
    count = count or csa.get("NumberOfImagesInMosaic", ())
    spacing = number(header, "SpacingBetweenSlices")
    if whole.plane is None or not count or count[0] < 1 or not spacing:
        message = "its position, its slice spacing or the number of its slices is missing"
        raise _NotReadable(message)
    side = math.ceil(math.sqrt(count[0]))
    tile = _tile_plane(header, _Grid(side, side))
    corner = _corner_of_first_tile(whole.plane, tile)
    step = spacing * _normal(tile.orientation, csa.get("SliceNormalVector", ()))
    positions = [tuple((corner + k * step).tolist()) for k in range(int(count[0]))]
    return _tiles(whole, tile, positions, side)


def _corner_of_first_tile(whole: Plane, tile: Plane) -> np.ndarray:
    """Siemens centres the volume's field of view in that of the whole image."""
    along_row, down_column = np.split(np.array(whole.orientation), 2)
    columns = (whole.columns - tile.columns) / 2 * whole.spacing_mm[1]
    rows = (whole.rows - tile.rows) / 2 * whole.spacing_mm[0]
    return np.array(whole.position_mm) + columns * along_row + rows * down_column


def _normal(orientation: Vector, stated: Vector) -> np.ndarray:
    """Rows x columns, with the sign of the CSA header: sagittal mosaics often run against it."""
    along_row, down_column = np.split(np.array(orientation), 2)
    normal = np.cross(along_row, down_column)
    if len(stated) != 3:
        message = "the CSA header that gives the order of its slices is missing"
        raise _NotReadable(message)
    agreement = float(np.dot(normal, stated))
    if abs(agreement) < _PARALLEL:
        message = "its CSA header gives another slice direction than its orientation"
        raise _NotReadable(message)
    return normal * math.copysign(1.0, agreement)


def _united_imaging(whole: Frame, header: ImageHeader) -> tuple[Frame, ...]:
    element = read_element(header, UNITED_IMAGING_TILES, whole.manufacturer)
    # An archive that does not know the sequence leaves it as bytes, decoded to texts.
    found = [] if element is None else [i for i in element.value if isinstance(i, Dataset)]
    positions = [numbers(item, "ImagePositionPatient") for item in found]
    if not positions or any(len(p) != 3 for p in positions):
        message = "the private sequence with the positions of its slices is missing"
        raise _NotReadable(message)
    across = math.ceil(math.sqrt(len(positions)))
    tile = _tile_plane(header, _Grid(across, math.ceil(len(positions) / across)))
    return _tiles(whole, tile, positions, across)


def _tile_plane(header: ImageHeader, grid: _Grid) -> Plane:
    rows, columns = (int(number(header, k) or 0) for k in ("Rows", "Columns"))
    orientation = numbers(header, "ImageOrientationPatient")
    spacing = numbers(header, "PixelSpacing")
    if len(orientation) != 6 or len(spacing) != 2:
        message = "its orientation or pixel spacing is missing"
        raise _NotReadable(message)
    if not rows or not columns or rows % grid.down or columns % grid.across:
        message = f"{rows} x {columns} pixels are not {grid.down} x {grid.across} tiles"
        raise _NotReadable(message)
    uid = str(header.get("FrameOfReferenceUID") or "").strip()
    tile = rows // grid.down, columns // grid.across
    return Plane((0.0, 0.0, 0.0), orientation, spacing, *tile, uid)


def _tiles(
    whole: Frame, tile: Plane, positions: Sequence[Vector], across: int
) -> tuple[Frame, ...]:
    return tuple(
        replace(
            whole,
            plane=replace(tile, position_mm=position),
            pixels=whole.pixels
            and replace(whole.pixels, origin=(k // across * tile.rows, k % across * tile.columns)),
        )
        for k, position in enumerate(positions)
    )
