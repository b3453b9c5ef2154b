"""From stations (bed positions) to one whole-body volume, and back.

One factor corrects all b-values of a station, so ADC is what it was in the station.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from imaging.diffusion import DiffusionVolume
from imaging.errors import UnusableImages
from imaging.joints import Joint, measure_joint
from imaging.resampling import resample
from imaging.station_blend import blend
from imaging.station_gain import factors
from imaging.station_grid import PlacedStation, place, upright, whole_grid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from imaging.diffusion import Station
    from imaging.geometry import Geometry


@dataclass(frozen=True, eq=False)
class Placement:
    """A station on the whole-body grid: its slices are `whole[first_slice:][:n_slices]`.

    `flipped` says that the station's own order runs from head to feet. `regrid` is None where
    the station's pixels are the grid's; else (whole grid, the station's own grid).
    """

    station: str
    first_slice: int
    n_slices: int
    flipped: bool
    regrid: tuple[Geometry, Geometry] | None = field(default=None, repr=False)


@dataclass(frozen=True, eq=False)
class Assembly:
    """The whole body with its joints and placements from feet to head."""

    volume: DiffusionVolume
    joints: tuple[Joint, ...]
    placements: tuple[Placement, ...]


def assemble(stations: Sequence[Station]) -> Assembly:
    """Join stations, given in any order, into one volume with slices from feet to head.

    Slices are placed by position. Signal steps are measured in the overlaps at the lowest
    b-value and undone by one factor for each station, the middle one keeping its signal; the
    overlaps are blended linearly and gaps of less than half a slice bridged.

    Raises:
        UnusableImages: `NO_STATION`, `SHELL_GEOMETRY_MISMATCH` (stations share fewer than two
            b-values), `SPACING_RANGE`, `OBLIQUE_TOO_LARGE`, `ORIENTATION_MIX`, `STATION_GAP`,
            `STATION_DUPLICATE` or `STATION_FRAME_MISMATCH`.

    """
    if not stations:
        raise UnusableImages("there is no station to assemble", code="NO_STATION")
    b_values = _common_b_values(stations)
    turned = sorted((upright(s) for s in stations), key=lambda s: _centre_z_mm(s.geometry))
    grid = whole_grid(turned)
    placed = [place(s, grid, b_values) for s in turned]
    joints = tuple(measure_joint(lower, upper, grid) for lower, upper in pairwise(placed))
    images = blend(placed, factors([joint.gain for joint in joints]), grid.shape)
    placements = tuple(_placement(p, grid) for p in placed)
    return Assembly(DiffusionVolume(grid, images), joints, placements)


def cut_station(array: NDArray[Any], placement: Placement) -> NDArray[Any]:
    """Cut a whole-body array (slice, row, column) to a station, in the station's slice order.

    Where the station has pixels of its own, the nearest voxel is taken (for masks and labels).
    """
    if placement.regrid is not None:
        whole, own = placement.regrid
        return resample(array, whole, own, order=0)
    part = array[placement.first_slice : placement.first_slice + placement.n_slices]
    return np.ascontiguousarray(part[::-1] if placement.flipped else part)


def _common_b_values(stations: Sequence[Station]) -> tuple[float, ...]:
    sets = [set(s.volume.b_values) for s in stations]
    common = set.intersection(*sets)
    # Stations that all lack the same shell are the ADC fit's to refuse: it says which b is there.
    if len(common) < 2 and any(b_values != common for b_values in sets):
        listed = "; ".join(
            f"{s.name}: {', '.join(f'{b:g}' for b in s.volume.b_values)}" for s in stations
        )
        message = (
            f"the stations share fewer than two b-values ({listed}): send the same for all stations"
        )
        raise UnusableImages(message, code="SHELL_GEOMETRY_MISMATCH")
    return tuple(sorted(common))


def _centre_z_mm(geometry: Geometry) -> float:
    return float(geometry.to_patient_mm((np.array(geometry.shape) - 1) / 2)[2])


def _placement(placed: PlacedStation, grid: Geometry) -> Placement:
    n_slices = placed.stop_slice - placed.first_slice
    flipped = placed.source.flipped
    regrid = None if placed.exact else (grid, placed.source.original.volume.geometry)
    return Placement(placed.name, placed.first_slice, n_slices, flipped, regrid)
