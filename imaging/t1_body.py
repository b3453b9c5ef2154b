"""T1-weighted stations of any orientation as one image of the body."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from imaging.diffusion import DiffusionVolume, Station
from imaging.focal import MagnitudeImage
from imaging.geometry import Geometry
from imaging.resampling import resample
from imaging.station_grid import MAXIMUM_IN_PLANE_MM
from imaging.stations import assemble

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def assemble_t1(stations: Sequence[Station]) -> MagnitudeImage:
    """Join T1-weighted stations, each with one image, as diffusion stations are joined.

    Coronal and sagittal stacks are turned first: the array's first axis is the one nearest to the
    body's length. Slices of them that are thicker than pixels may be are interpolated.

    Raises:
        UnusableImages: with the codes of `imaging.stations.assemble`.

    """
    volume = assemble([_turned(station) for station in stations]).volume
    return MagnitudeImage(volume.high_b, volume.geometry)


def _turned(station: Station) -> Station:
    """Order the axes to lie nearest to (z, y, x); a station that has no such order stays."""
    geometry = station.volume.geometry
    cosines = np.abs(geometry.affine[:3, :3] / np.array(geometry.spacing_mm))
    order = [int(cosines[world].argmax()) for world in (2, 1, 0)]
    if sorted(order) != [0, 1, 2]:
        return station
    affine = geometry.affine.copy()
    affine[:3, :3] = geometry.affine[:3, order]
    k, j, i = (geometry.shape[axis] for axis in order)
    turned = Geometry((k, j, i), affine, geometry.frame_of_reference_uid)
    grid = _with_fine_pixels(turned)
    images = {
        b: image.transpose(order)
        if grid is turned
        else _moved(image.transpose(order), turned, grid)
        for b, image in station.volume.images.items()
    }
    return Station(station.name, DiffusionVolume(grid, images))


def _with_fine_pixels(geometry: Geometry) -> Geometry:
    """Split pixels that are larger than stations may have into equal parts."""
    parts = np.ceil(np.round(np.array(geometry.spacing_mm) / MAXIMUM_IN_PLANE_MM, 3)).astype(int)
    parts[0] = 1
    if parts.max() == 1:
        return geometry
    affine = geometry.affine.copy()
    affine[:3, :3] /= parts
    affine[:3, 3] = geometry.to_patient_mm((1 / parts - 1) / 2)
    k, j, i = (int(n) for n in np.array(geometry.shape) * parts)
    return Geometry((k, j, i), affine, geometry.frame_of_reference_uid)


def _moved(image: NDArray[np.float32], geometry: Geometry, grid: Geometry) -> NDArray[np.float32]:
    return resample(np.ascontiguousarray(image), geometry, grid)
