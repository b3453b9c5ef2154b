"""The one grid that all stations of a body share, and the place of each station on it."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from imaging.diffusion import DiffusionVolume, Station
from imaging.errors import UnusableImages
from imaging.geometry import Geometry
from imaging.resampling import resample
from imaging.separable import along_first, axis_maps

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

MAXIMUM_IN_PLANE_MM = 5.0
MAXIMUM_SLICE_MM = 12.0
MAXIMUM_TILT_DEG = 30.0
"""Limits of `dicom.md` A: coarser or more oblique images are not whole-body diffusion MRI."""
MAXIMUM_TURN_DEG = 2.0
"""Stations turned against each other by more than this are different acquisitions."""
MAXIMUM_GAP_SLICES = 1.5
"""Between the facing slices of two stations, in slices of the coarser one."""
DUPLICATE_SHARE = 0.8
"""Stations that overlap by more than this share of the shorter one are one station twice."""
_SAME_SLICE = 0.1
_SAME_PIXEL = 0.05
_PIXEL_SLACK = 0.1
"""A station that reaches less than this share of a pixel further does not make the grid grow."""
_ROUNDING = 1e-7


@dataclass(frozen=True, eq=False)
class UprightStation:
    """A station with its slices from feet to head; `flipped` if `original` runs the other way."""

    station: Station
    original: Station
    flipped: bool

    @property
    def geometry(self) -> Geometry:
        """The grid of the turned station."""
        return self.station.volume.geometry


@dataclass(frozen=True, eq=False)
class PlacedStation:
    """A station on the whole-body grid: `images` (n, row, column) from slice `first_slice` on.

    `inside` is None where the station fills the slices' whole area, else bool (n, row, column).
    `exact` says that the station's own pixels are the grid's: no interpolation was needed.
    """

    source: UprightStation
    first_slice: int
    images: Mapping[float, NDArray[np.float32]] = field(repr=False)
    inside: NDArray[np.bool_] | None = field(repr=False)
    exact: bool = False

    @property
    def name(self) -> str:
        """The station's name."""
        return self.source.station.name

    @property
    def stop_slice(self) -> int:
        """The first slice above the station."""
        return self.first_slice + len(next(iter(self.images.values())))


def upright(station: Station) -> UprightStation:
    """Turn the slices to run from feet to head (views, no copies)."""
    geometry = station.volume.geometry
    if geometry.affine[2, 0] >= 0:
        return UprightStation(station, station, flipped=False)
    affine = geometry.affine.copy()
    affine[:3, 3] = geometry.to_patient_mm((geometry.shape[0] - 1, 0, 0))
    affine[:3, 0] *= -1
    turned = Geometry(geometry.shape, affine, geometry.frame_of_reference_uid)
    images = {b: image[::-1] for b, image in station.volume.images.items()}
    turned_station = Station(station.name, DiffusionVolume(turned, images))
    return UprightStation(turned_station, station, flipped=True)


def whole_grid(stations: Sequence[UprightStation]) -> Geometry:
    """Return the grid of the middle station, grown to hold all (stations from feet to head).

    Raises:
        UnusableImages: `SPACING_RANGE`, `OBLIQUE_TOO_LARGE`, `ORIENTATION_MIX`, `STATION_GAP` or
            `STATION_DUPLICATE`.

    """
    reference = stations[len(stations) // 2]
    for station in stations:
        _check_spacing(station, reference)
        _check_orientation(station, reference)
    boxes = np.array([_box(s.geometry, reference.geometry) for s in stations])
    for lower, upper in pairwise(stations):
        _check_joint(lower, upper)
    reached = [_reached_slices(s.geometry, reference.geometry) for s in stations]
    _, top, left = np.floor(boxes[:, 0].min(axis=0) + _PIXEL_SLACK).astype(int).tolist()
    _, bottom, right = np.ceil(boxes[:, 1].max(axis=0) - _PIXEL_SLACK).astype(int).tolist()
    return reference.geometry.crop(
        (min(r.start for r in reached), top, left),
        (max(r.stop for r in reached), bottom + 1, right + 1),
    )


def place(station: UprightStation, grid: Geometry, b_values: Sequence[float]) -> PlacedStation:
    """Put a station on the grid: its own pixels where they fit, else linearly resampled."""
    geometry = station.geometry
    images = {b: station.station.volume.images[b] for b in b_values}
    if _fits(geometry, grid):
        first, _ = _box(geometry, grid)
        return PlacedStation(station, round(float(first[0])), images, None, exact=True)
    reached = _reached_slices(geometry, grid)
    start = reached.start
    part = grid.crop((start, 0, 0), (reached.stop, grid.shape[1], grid.shape[2]))
    along = _slice_weights(geometry, part)
    if along is not None:
        return PlacedStation(
            station, start, {b: along_first(i, along) for b, i in images.items()}, None
        )
    moved = {b: resample(image, geometry, part) for b, image in images.items()}
    ones = np.ones(geometry.shape, dtype=np.float32)
    return PlacedStation(station, start, moved, resample(ones, geometry, part) > 0.5)


def _reached_slices(geometry: Geometry, grid: Geometry) -> range:
    """Slices of `grid` within half a slice of `geometry` of the latter's centres."""
    first, last = _box(geometry, grid)
    reach = 0.5 * geometry.spacing_mm[0] / grid.spacing_mm[0] + _ROUNDING
    return range(int(np.ceil(first[0] - reach)), int(np.floor(last[0] + reach)) + 1)


def _slice_weights(geometry: Geometry, part: Geometry) -> NDArray[np.float32] | None:
    """Weights (n_target, n_source) of slices, None where pixels have to move within the plane.

    A table that stops at a fraction of a slice is the usual case, and this the fast way for it.
    """
    maps = axis_maps(geometry, part)
    if maps is None or [m.source_axis for m in maps] != [0, 1, 2]:
        return None
    for pixels in maps[1:]:
        n_target, n_source = pixels.weights.shape
        if n_target != n_source or np.abs(pixels.weights - np.eye(n_source)).max() > _SAME_PIXEL:
            return None
    return maps[0].weights


def overlap_mm(lower: Geometry, upper: Geometry) -> float:
    """Length along the slice normal that both show, from slice positions; negative is a gap."""
    normal = np.cross(lower.affine[:3, 1], lower.affine[:3, 2])
    normal *= np.sign(normal @ lower.affine[:3, 0]) / np.linalg.norm(normal)
    last = lower.to_patient_mm((lower.shape[0] - 1, 0, 0))
    between = float((upper.to_patient_mm((0, 0, 0)) - last) @ normal)
    return (lower.spacing_mm[0] + upper.spacing_mm[0]) / 2 - between


def _box(geometry: Geometry, grid: Geometry) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """First and last voxel centre of `geometry` in indices of `grid`."""
    corners = np.array(np.meshgrid(*[(0, n - 1) for n in geometry.shape], indexing="ij"))
    index = grid.to_index(geometry.to_patient_mm(corners.reshape(3, -1).T))
    return index.min(axis=0), index.max(axis=0)


def _fits(geometry: Geometry, grid: Geometry) -> bool:
    if geometry.shape[1:] != grid.shape[1:]:
        return False
    first, last = _box(geometry, grid)
    ends = np.array([round(float(first[0])), 0, 0])
    tolerance = np.array([_SAME_SLICE, _SAME_PIXEL, _SAME_PIXEL])
    size = np.array(geometry.shape) - 1
    return bool(
        (np.abs(first - ends) <= tolerance).all()
        and (np.abs(last - ends - size) <= tolerance).all()
    )


def _check_spacing(station: UprightStation, reference: UprightStation) -> None:
    # Lengths of oblique axes carry rounding, and a limit allows what it names.
    spacing = np.round(station.geometry.spacing_mm, 3)
    ratio = spacing / np.array(reference.geometry.spacing_mm)
    if spacing[0] > MAXIMUM_SLICE_MM or spacing[1:].max() > MAXIMUM_IN_PLANE_MM:
        message = (
            f"station {station.station.name}: voxels of {spacing[1]:.1f} x {spacing[2]:.1f} x "
            f"{spacing[0]:.1f} mm are too coarse (at most 5 mm in plane, 12 mm between slices)"
        )
        raise UnusableImages(message, code="SPACING_RANGE")
    if ratio.min() < 0.5 or ratio.max() > 2.0:
        message = (
            f"station {station.station.name} has spacings that differ more than twofold from "
            f"station {reference.station.name}: send stations of one acquisition"
        )
        raise UnusableImages(message, code="SPACING_RANGE")


def _check_orientation(station: UprightStation, reference: UprightStation) -> None:
    axes, wanted = (s.geometry.affine[:3, :3] / s.geometry.spacing_mm for s in (station, reference))
    normal = np.cross(axes[:, 1], axes[:, 2])
    tilt = float(np.degrees(np.arccos(min(1.0, abs(normal[2] / np.linalg.norm(normal))))))
    if tilt > MAXIMUM_TILT_DEG:
        message = (
            f"station {station.station.name} is tilted by {tilt:.0f} degrees from axial "
            f"(at most {MAXIMUM_TILT_DEG:.0f}): send axial images"
        )
        raise UnusableImages(message, code="OBLIQUE_TOO_LARGE")
    cosine = float((axes * wanted).sum(axis=0).min())
    if cosine < np.cos(np.radians(MAXIMUM_TURN_DEG)):
        message = (
            f"stations {station.station.name} and {reference.station.name} are turned against "
            "each other: rows or columns point to different sides; send one orientation"
        )
        raise UnusableImages(message, code="ORIENTATION_MIX")


def _check_joint(lower: UprightStation, upper: UprightStation) -> None:
    shared_mm = overlap_mm(lower.geometry, upper.geometry)
    slice_mm = max(s.geometry.spacing_mm[0] for s in (lower, upper))
    names = f"{lower.station.name} and {upper.station.name}"
    if -shared_mm > (MAXIMUM_GAP_SLICES - 1) * slice_mm:
        message = (
            f"{-shared_mm:.0f} mm of the body are missing between stations {names}: send the "
            "station between them"
        )
        raise UnusableImages(message, code="STATION_GAP")
    shortest = min(s.geometry.shape[0] * s.geometry.spacing_mm[0] for s in (lower, upper))
    if shared_mm > DUPLICATE_SHARE * shortest:
        message = f"stations {names} show the same part of the body: send one of the two"
        raise UnusableImages(message, code="STATION_DUPLICATE")
