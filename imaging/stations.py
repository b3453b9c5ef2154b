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
from imaging.quality import QualityNote
from imaging.resampling import resample
from imaging.station_gain import factors, overlap, signal_ratio
from imaging.station_grid import PlacedStation, place, upright, whole_grid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from imaging.diffusion import Station
    from imaging.geometry import Geometry

NOTABLE_STEP = 0.1
"""A residual signal step from here on can raise or hide disease at a joint."""


@dataclass(frozen=True)
class Joint:
    """Where two stations meet.

    `gain` is the signal of the upper station over the lower one before correction, at the lowest
    b-value. `residual_step` is what remains after it at the highest b-value, relative (0.03 is
    3 %). `measured` is False where too little of the body lies there: nothing was corrected.
    """

    lower: str
    upper: str
    overlap_mm: float
    gain: float
    residual_step: float
    measured: bool = True


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
    overlaps are blended linearly.

    Raises:
        UnusableImages: `NO_STATION`, `SHELL_GEOMETRY_MISMATCH` (stations share fewer than two
            b-values), `SPACING_RANGE`, `OBLIQUE_TOO_LARGE`, `ORIENTATION_MIX`, `STATION_GAP` or
            `STATION_DUPLICATE`.

    """
    if not stations:
        raise UnusableImages("there is no station to assemble", code="NO_STATION")
    b_values = _common_b_values(stations)
    turned = sorted((upright(s) for s in stations), key=lambda s: _centre_z_mm(s.geometry))
    grid = whole_grid(turned)
    placed = [place(s, grid, b_values) for s in turned]
    gains = [signal_ratio(*pair, b_values[0]) for pair in _pairs(placed)]
    corrections = factors([gain or 1.0 for gain in gains])
    joints = tuple(
        _joint(pair, gain, b_values[-1], grid.spacing_mm[0])
        for pair, gain in zip(_pairs(placed), gains, strict=True)
    )
    images = _blend(placed, corrections, grid.shape)
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


def joint_notes(joints: Sequence[Joint]) -> tuple[QualityNote, ...]:
    """Say where a signal step remains, or could not be measured."""
    notes = []
    for joint in joints:
        where = f"between stations {joint.lower} and {joint.upper}"
        if not joint.measured:
            text = f"The signal step {where} could not be measured; nothing was corrected there."
            notes.append(QualityNote("SIGNAL_STEP_UNKNOWN", "warning", text))
        elif joint.residual_step >= NOTABLE_STEP:
            text = f"A signal step of {joint.residual_step:.0%} remains {where}."
            notes.append(QualityNote("SIGNAL_STEP", "warning", text, joint.residual_step))
    return tuple(notes)


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


def _pairs(placed: Sequence[PlacedStation]) -> list[tuple[PlacedStation, PlacedStation]]:
    return list(pairwise(placed))


def _joint(
    pair: tuple[PlacedStation, PlacedStation], gain: float | None, high_b: float, slice_mm: float
) -> Joint:
    lower, upper = pair
    ratio = signal_ratio(lower, upper, high_b)
    measured = gain is not None and ratio is not None
    residual = abs(ratio / gain - 1.0) if gain is not None and ratio is not None else 0.0
    overlap_mm = overlap(lower, upper) * slice_mm
    return Joint(lower.name, upper.name, overlap_mm, gain or 1.0, residual, measured)


def _placement(placed: PlacedStation, grid: Geometry) -> Placement:
    n_slices = placed.stop_slice - placed.first_slice
    flipped = placed.source.flipped
    regrid = None if placed.exact else (grid, placed.source.original.volume.geometry)
    return Placement(placed.name, placed.first_slice, n_slices, flipped, regrid)


def _blend(
    placed: Sequence[PlacedStation], corrections: Sequence[float], shape: tuple[int, int, int]
) -> dict[float, NDArray[np.float32]]:
    """Sum of the corrected stations, weighted by ramps over the overlaps."""
    weights = [_weights(placed, n) for n in range(len(placed))]
    exact = all(p.exact for p in placed)
    total = np.zeros((shape[0], 1, 1) if exact else shape, dtype=np.float32)
    for station, weight in zip(placed, weights, strict=True):
        total[station.first_slice : station.stop_slice] += weight
    np.copyto(total, np.float32(1), where=total == 0)
    images = {b: np.zeros(shape, dtype=np.float32) for b in placed[0].images}
    for station, weight, correction in zip(placed, weights, corrections, strict=True):
        part = slice(station.first_slice, station.stop_slice)
        share = weight / total[part] * np.float32(correction)
        for b, image in station.images.items():
            images[b][part] += image * share
    return images


def _weights(placed: Sequence[PlacedStation], n: int) -> NDArray[np.float32]:
    station = placed[n]
    ramp = np.ones(station.stop_slice - station.first_slice, dtype=np.float32)
    if n > 0 and (shared := overlap(placed[n - 1], station)):
        ramp[:shared] *= np.arange(1, shared + 1, dtype=np.float32) / (shared + 1)
    if n + 1 < len(placed) and (shared := overlap(station, placed[n + 1])):
        ramp[-shared:] *= np.arange(shared, 0, -1, dtype=np.float32) / (shared + 1)
    weight = ramp[:, np.newaxis, np.newaxis]
    return weight if station.inside is None else weight * station.inside
