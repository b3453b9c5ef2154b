"""The synthetic scanner: from a person to overlapping stations of diffusion-weighted images."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from imaging.diffusion import DiffusionVolume, Station
from imaging.geometry import Geometry
from phantom.artefacts import apply_flaws, draw_flaws, residual_fat, signal_loss
from phantom.body_models import model_of, paint_body
from phantom.patient import BodyModelName
from phantom.truth import Truth, count_truth

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from phantom.body import Body
    from phantom.patient import Patient

_SLICES_PER_STEP = 2
_TABLE_MM = (8.0, 6.0, 12.0)
"""How far the person lies from where he lay at his first visit, at most."""


@dataclass(frozen=True)
class Protocol:
    """How the person is scanned; what is None is drawn from the person's seed."""

    b_values: tuple[float, ...] = (50.0, 600.0, 900.0)
    n_stations: int | None = None
    in_plane_mm: float | None = None
    slice_mm: float = 5.0
    matrix: tuple[int, int] | None = None
    """Rows and columns."""
    overlap: int | None = None
    """Slices that neighbouring stations share."""
    noise: bool = True
    """Noise, gains, coil bias, distortions and artefacts; without them images are ideal."""


@dataclass(frozen=True, eq=False)
class Acquisition:
    """Stations from feet to head, and what is true of the person on the whole-body grid."""

    stations: tuple[Station, ...]
    truth: Truth = field(repr=False)
    seed: int
    body_model: BodyModelName = BodyModelName.BEADED


@dataclass(frozen=True)
class _Plan:
    geometry: Geometry
    starts: tuple[int, ...]
    per_station: int


def acquire(
    patient: Patient, protocol: Protocol = Protocol(), body: Body | None = None
) -> Acquisition:
    """Scan a person. Equal persons and protocols give equal images.

    `body` is the person as painted on `body_grid`, where another scan of him needs it too.
    """
    rng = np.random.default_rng(patient.streams["acquisition"])
    plan = _plan_of_visit(patient, protocol, rng)
    body = body or paint_body(patient, _painting_grid(plan.geometry))
    maps = model_of(patient).tissue_maps(body, patient)
    middle = slice(1, None, _SLICES_PER_STEP)
    truth = count_truth(
        plan.geometry,
        body.labels[middle].copy(),
        body.lesions.index[middle],
        np.where(body.tissue[middle] > 0, maps.adc_um2_s[middle], np.float32(np.nan)),
    )
    fat = residual_fat(body, rng) if protocol.noise else None
    if fat is not None:
        maps.s0[:] += fat
    images = {b: _slice_profile(maps.signal(b)) for b in protocol.b_values}
    if protocol.noise:
        lost = signal_loss(body, rng)[middle]
        images = {b: image * lost for b, image in images.items()}
    stations = _stations(images, plan, protocol, rng)
    return Acquisition(stations, truth, patient.seed, patient.options.body_model)


def body_grid(patient: Patient, protocol: Protocol = Protocol()) -> Geometry:
    """Return the grid on which `acquire` paints the person: another grid is another body."""
    rng = np.random.default_rng(patient.streams["acquisition"])
    return _painting_grid(_plan_of_visit(patient, protocol, rng).geometry)


def _plan_of_visit(patient: Patient, protocol: Protocol, rng: np.random.Generator) -> _Plan:
    """Plan a first visit, or a later one as the first with the table elsewhere."""
    if "visit" not in patient.streams:
        return _plan(patient, protocol, rng)
    first = _plan(patient, protocol, np.random.default_rng(patient.streams["plan"]))
    table = np.random.default_rng(patient.streams["visit"]).uniform(-1, 1, 3) * _TABLE_MM
    affine = first.geometry.affine.copy()
    affine[:3, 3] += table
    return replace(first, geometry=Geometry(first.geometry.shape, affine))


def _plan(patient: Patient, protocol: Protocol, rng: np.random.Generator) -> _Plan:
    """Choose grid and stations so that vertex to mid-thigh is covered."""
    draws = rng.random(8)
    extent = model_of(patient).extent(patient)
    step = protocol.slice_mm
    top = (
        extent.vertex_mm * extent.size
        + 8
        + 22 * draws[0]
        - (60 * draws[1] if draws[2] < 0.12 else 0)
    )
    length = top - (extent.thigh_mm + 30 * (draws[3] - 0.5)) * extent.size
    wanted = int(np.clip(length / step, 0.9 * 920 / step, 1020 / step))
    overlap = protocol.overlap if protocol.overlap is not None else 4 + int(draws[4] * 5)
    n = protocol.n_stations or (
        4 if wanted + 3 * overlap <= 200 * 5 / step and draws[5] < 0.55 else 5
    )
    per_station = -(-(wanted + (n - 1) * overlap) // n)
    total = n * per_station - (n - 1) * overlap
    front, back, half = extent.front_mm, extent.back_mm, extent.half_width_mm
    width = max(400 + 90 * draws[7], 2 * half + 10)
    depth = back - front + 30 + 40 * draws[6]
    pixel = protocol.in_plane_mm or round(
        float(np.clip(max(2.0 + 0.4 * draws[6], width / 224), 2.0, 2.4)), 3
    )
    rows, columns = protocol.matrix or _matrix(pixel, width, depth)
    shift = rng.uniform(-1, 1, 2) * (14, 12)
    origin = (
        float(-(columns - 1) / 2 * pixel + shift[0]),
        float((front + back) / 2 - (rows - 1) / 2 * pixel + shift[1]),
        float(top - (total - 1) * step),
    )
    geometry = Geometry.axial((total, rows, columns), (step, pixel, pixel), origin)
    return _Plan(geometry, tuple(k * (per_station - overlap) for k in range(n)), per_station)


def _matrix(pixel_mm: float, width_mm: float, depth_mm: float) -> tuple[int, int]:
    columns = int(np.clip(8 * round(width_mm / pixel_mm / 8), 176, 224))
    rows = int(np.clip(8 * round(depth_mm / pixel_mm / 8), 144, 192))
    return rows, columns


def _painting_grid(grid: Geometry) -> Geometry:
    """Half the slice distance, one more on either side: each slice has a middle and two flanks."""
    n, rows, columns = grid.shape
    dz, dy, dx = grid.spacing_mm
    x, y, z = grid.origin_mm
    return Geometry.axial((2 * n + 1, rows, columns), (dz / 2, dy, dx), (x, y, z - dz / 2))


def _slice_profile(fine: NDArray[np.float32]) -> NDArray[np.float32]:
    """Average a slice's middle with its flanks, then blur within the plane as EPI does."""
    image = fine[1::2] * np.float32(0.5)
    image += np.float32(0.25) * fine[0:-1:2]
    image += np.float32(0.25) * fine[2::2]
    blurred: NDArray[np.float32] = ndimage.gaussian_filter(image, (0, 0.6, 0.6)).astype(np.float32)
    return blurred


def _stations(
    images: dict[float, NDArray[np.float32]],
    plan: _Plan,
    protocol: Protocol,
    rng: np.random.Generator,
) -> tuple[Station, ...]:
    level = float(rng.choice([1.0, 4.0, 0.3])) * float(rng.uniform(0.6, 1.6))
    general = draw_flaws(rng, protocol.b_values)
    stations = []
    for k, start in enumerate(plan.starts):
        stop = start + plan.per_station
        grid = plan.geometry.crop((start, 0, 0), (stop, *plan.geometry.shape[1:]))
        flaws = general.for_station(rng)
        cut = {
            b: apply_flaws(image[start:stop], b, flaws, rng) * np.float32(level)
            if protocol.noise
            else image[start:stop].copy()
            for b, image in images.items()
        }
        stations.append(Station(f"station {k + 1}", DiffusionVolume(grid, cut)))
    return tuple(stations)
