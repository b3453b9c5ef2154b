"""The T1-weighted scan of a person: the body of the diffusion scan, on a grid of its own.

The body depends on the grid on which it is painted, so it is painted where `acquire` paints it and
read off from there. The person has moved a little between the two scans: registration has work.
Everything that is drawn here comes from a source of its own, so `acquire` draws what it always did.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage
from scipy.spatial.transform import Rotation

from imaging.anatomy import BY_NAME
from imaging.geometry import Geometry
from phantom.fields import Field, smooth_noise
from phantom.tissue import Tissue

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from phantom.body import Body
    from phantom.patient import Patient

_SOURCE = 7301
"""Apart from the children that `make_patient` spawns, which are numbered from 0."""
# Signal of a T1-weighted spin echo, muscle 90: fat brightest, water-rich tissue dark. Orders of
# size as a reader sees them; Osteon's own choice.
_OTHER_TISSUE = 80.0
_SIGNAL: dict[Tissue, float] = {
    Tissue.AIR: 0.0, Tissue.FAT: 300.0, Tissue.MUSCLE: 90.0, Tissue.VISCERAL_FAT: 290.0,
    Tissue.LUNG: 8.0, Tissue.HEART: 50.0, Tissue.VESSEL: 30.0, Tissue.CORTEX: 15.0,
    Tissue.MARROW: 165.0, Tissue.CARTILAGE: 85.0, Tissue.DISC: 75.0, Tissue.CORD: 105.0,
    Tissue.CSF: 35.0, Tissue.BRAIN: 110.0, Tissue.EYE: 30.0, Tissue.LIVER: 125.0,
    Tissue.SPLEEN: 85.0, Tissue.KIDNEY: 85.0, Tissue.BLADDER: 40.0, Tissue.GALLBLADDER: 60.0,
    Tissue.PANCREAS: 115.0, Tissue.GAS: 0.0, Tissue.BREAST: 120.0, Tissue.LESION: 70.0,
}  # fmt: skip
_SPREAD = 0.08
# Long bones and skull hold fatty marrow, hence brighter; the spine holds red marrow.
_FATTY_MARROW = {
    "skull": 1.3, "humerus_left": 1.4, "humerus_right": 1.4, "femur_left": 1.4,
    "femur_right": 1.4, "clavicles": 1.2, "scapulae": 1.2, "sternum": 0.95, "pelvis": 1.1,
}  # fmt: skip
_LESION_SPREAD = (50.0, 105.0)


@dataclass(frozen=True)
class T1Protocol:
    """How the T1-weighted scan is made; a stitched whole-body volume."""

    slice_mm: float = 2.5
    in_plane_mm: float = 1.6
    largest_shift_mm: float = 6.0
    """Along each axis, between this scan and the diffusion scan."""
    largest_turn_deg: float = 1.0
    noise: bool = True


@dataclass(frozen=True, eq=False)
class T1Scan:
    """Signal float32 (slice, row, column) on its own grid.

    `to_diffusion` (4, 4) maps LPS mm of this scan to LPS mm of the diffusion scan: the truth that
    registration looks for.
    """

    image: NDArray[np.float32] = field(repr=False)
    geometry: Geometry
    to_diffusion: NDArray[np.float64] = field(repr=False)


def acquire_t1(patient: Patient, body: Body, t1: T1Protocol | None = None) -> T1Scan:
    """Scan a person T1-weighted. Equal arguments, equal images.

    `body` is the person as painted on `phantom.acquisition.body_grid` of the diffusion scan's
    protocol: detail is that of the body, painted at half the distance of the diffusion slices.
    """
    rng = np.random.default_rng(np.random.SeedSequence(patient.seed, spawn_key=(_SOURCE,)))
    t1 = t1 or T1Protocol()
    motion = _motion(body.geometry, t1, rng)
    grid = _own_grid(body.geometry, t1, rng)
    image = _moved(t1_signal(body, rng), body.geometry, grid, motion)
    return T1Scan(_flawed(image, rng) if t1.noise else image, grid, motion)


def t1_signal(body: Body, rng: np.random.Generator) -> Field:
    """Give every voxel its tissue's T1-weighted signal with texture; each lesion its own."""
    table = np.array([_SIGNAL.get(t, _OTHER_TISSUE) for t in Tissue])
    table *= np.exp(_SPREAD * np.clip(rng.standard_normal(len(table)), -2, 2))
    signal = table.astype(np.float32)[body.tissue]
    fatty = np.ones(256, np.float32)
    for name, factor in _FATTY_MARROW.items():
        fatty[BY_NAME[name].label] = factor
    signal *= fatty[np.where(body.tissue == Tissue.MARROW, body.labels, 0)]
    lesions = body.lesions.index
    own = rng.uniform(*_LESION_SPREAD, int(lesions.max()) + 1).astype(np.float32)
    signal = np.where(lesions > 0, own[lesions], signal)
    cell = [6.0 / s for s in body.geometry.spacing_mm]
    signal *= 1 + np.float32(0.06) * smooth_noise(signal.shape, (cell[0], cell[1], cell[2]), rng)
    return signal


def _motion(grid: Geometry, t1: T1Protocol, rng: np.random.Generator) -> NDArray[np.float64]:
    """Turn about the middle of the body, then shift."""
    degrees = rng.uniform(-t1.largest_turn_deg, t1.largest_turn_deg, 3)
    shift = rng.uniform(-t1.largest_shift_mm, t1.largest_shift_mm, 3)
    turn = Rotation.from_euler("xyz", degrees, degrees=True).as_matrix()
    middle = grid.to_patient_mm((np.array(grid.shape) - 1) / 2)
    motion = np.eye(4)
    motion[:3, :3] = turn
    motion[:3, 3] = middle - turn @ middle + shift
    return motion


def _own_grid(body: Geometry, t1: T1Protocol, rng: np.random.Generator) -> Geometry:
    """Cover the box of the body, beginning at a fraction of a voxel."""
    spacing = (t1.slice_mm, t1.in_plane_mm, t1.in_plane_mm)
    extent = np.array(body.shape) * np.array(body.spacing_mm)
    k, j, i = (int(n) for n in np.ceil(extent / np.array(spacing)))
    start = np.array(body.origin_mm) - rng.uniform(0, 1, 3) * np.array(spacing[::-1])
    return Geometry.axial((k, j, i), spacing, (start[0], start[1], start[2]))


def _moved(
    signal: Field, body: Geometry, grid: Geometry, motion: NDArray[np.float64]
) -> NDArray[np.float32]:
    # Voxels that are larger than the body's hold the mean of several of them.
    ratio = np.array(grid.spacing_mm) / np.array(body.spacing_mm)
    soft = ndimage.gaussian_filter(signal, np.where(ratio > 1.05, 0.4 * ratio, 0.0))
    to_body = np.linalg.inv(body.affine) @ motion @ grid.affine
    image: NDArray[np.float32] = ndimage.affine_transform(
        soft, to_body[:3, :3], to_body[:3, 3], grid.shape, order=1
    )
    return image


def _flawed(image: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Coil bias, Rician noise and the scanner's scale."""
    size = (image.shape[0] / 3.0, image.shape[1] / 2.0, image.shape[2] / 2.0)
    bias = 1 + np.float32(rng.uniform(0.03, 0.1)) * smooth_noise(image.shape, size, rng)
    seen = image * np.maximum(bias, np.float32(0.5))
    sigma = np.float32(rng.uniform(3.0, 9.0))
    real = seen + sigma * rng.standard_normal(seen.shape, dtype=np.float32)
    imaginary = sigma * rng.standard_normal(seen.shape, dtype=np.float32)
    scaled: NDArray[np.float32] = np.hypot(real, imaginary) * np.float32(rng.uniform(0.5, 4.0))
    return scaled
