"""A voxel grid on which shapes of the reference person are painted, bent into the patient."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from phantom.fields import Field, stretch
from phantom.habitus import POSTURE_Z
from phantom.shapes import Beads, Block, rotation
from phantom.tissue import Tissue

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imaging.geometry import Geometry
    from phantom.habitus import Habitus
    from phantom.shapes import Points, Shape

    Box = tuple[slice, slice, slice]

_LATTICE_MM = (20.0, 32.0, 32.0)
FAR_MM = 1000.0
_CAVITY = np.ones(256, bool)
_CAVITY[[Tissue.AIR, Tissue.FAT, Tissue.MUSCLE]] = False


@dataclass(eq=False)
class Canvas:
    """Reference coordinates of every voxel of an axial grid, and the arrays painted on.

    All arrays have the grid's shape. `bone_mm` is the signed distance to bone (negative inside,
    only valid near bone), `bone_label` the structure it belongs to, `tissue` a `Tissue` a voxel.
    """

    geometry: Geometry
    x: Field = field(repr=False)
    y: Field = field(repr=False)
    z: Field = field(repr=False)
    bend: NDArray[np.float32] = field(repr=False)
    """(3, a, b, c) displacement lattice in reference mm, for x, y, z."""
    to_reference: NDArray[np.float64] = field(repr=False)
    tissue: NDArray[np.uint8] = field(repr=False)
    bone_mm: Field = field(repr=False)
    bone_label: NDArray[np.uint8] = field(repr=False)
    soft_label: NDArray[np.uint8] = field(repr=False)

    def locate(self, points: Points) -> Points:
        """Fractional (slice, row, column) where (n, 3) reference points lie on the grid."""
        inverse = np.linalg.inv(self.to_reference)
        patient = points @ inverse.T
        for _ in range(8):
            patient = (points - self._displacement(patient)) @ inverse.T
        return self.geometry.to_index(patient)

    def _displacement(self, patient: Points) -> Points:
        size = np.array(self.bend.shape[1:]) - 1
        at = self.geometry.to_index(patient) / (np.array(self.geometry.shape) - 1) * size
        return np.stack(
            [ndimage.map_coordinates(b, at.T, order=1, mode="nearest") for b in self.bend], axis=1
        )

    def box(self, index: Points, reach_mm: float) -> Box | None:
        """Slices of the grid within `reach_mm` of a fractional index, None when off the grid."""
        return self.boxes(index[None], np.array([reach_mm]))[0]

    def boxes(self, indices: Points, reach_mm: NDArray[np.float64]) -> list[Box | None]:
        """Boxes of (n, 3) fractional indices, each with its own reach; None when off the grid."""
        half = reach_mm[:, None] / np.array(self.geometry.spacing_mm)
        start = np.maximum((indices - half).astype(np.intp), 0)
        stop = np.minimum((indices + half).astype(np.intp) + 2, self.geometry.shape)
        found = (start < stop).all(axis=1).tolist()
        return [
            (slice(a, d), slice(b, e), slice(c, f)) if inside else None
            for (a, b, c), (d, e, f), inside in zip(
                start.tolist(), stop.tolist(), found, strict=True
            )
        ]


def stretched_canvas(geometry: Geometry, habitus: Habitus, rng: np.random.Generator) -> Canvas:
    """Prepare coordinates for one person: scale, rotation and a smooth random bend."""
    shape = geometry.shape
    matrix = np.diag(1.0 / np.array(habitus.scale)) @ rotation(*habitus.rotation_deg)
    pivot = np.array([0.0, 0.0, 1200.0 * habitus.scale[2]])
    offset = pivot / np.array(habitus.scale) - matrix @ pivot
    bend = _bend(geometry, habitus.warp_mm, rng)
    straight = np.einsum("ij,jabc->iabc", matrix, _lattice(geometry, bend.shape[1:]))
    bend += _posed(straight + offset[:, None, None, None], habitus) - straight
    x, y, z = (_coordinate(geometry, matrix[k], bend[k]) for k in range(3))
    return Canvas(
        geometry,
        x,
        y,
        z,
        bend,
        matrix,
        tissue=np.zeros(shape, np.uint8),
        bone_mm=np.full(shape, FAR_MM, np.float32),
        bone_label=np.zeros(shape, np.uint8),
        soft_label=np.zeros(shape, np.uint8),
    )


def _coordinate(geometry: Geometry, row: NDArray[np.float64], bend: Field) -> Field:
    """One reference coordinate of every voxel: the linear map's row and the bend."""
    slices, rows, columns = (
        np.arange(n, dtype=np.float32) * s + np.float32(o)
        for n, s, o in zip(
            geometry.shape, geometry.spacing_mm, geometry.origin_mm[::-1], strict=True
        )
    )
    mx, my, mz = row.astype(np.float32)
    coordinate = stretch(bend, geometry.shape)
    coordinate += (
        mx * columns[None, None, :] + my * rows[None, :, None] + mz * slices[:, None, None]
    )
    return coordinate


def _lattice(geometry: Geometry, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Patient mm (x, y, z first) of the nodes of the displacement lattice."""
    axes = [
        np.linspace(0, (n - 1) * s, k)
        for n, s, k in zip(geometry.shape, geometry.spacing_mm, shape, strict=True)
    ]
    z, y, x = np.meshgrid(*axes, indexing="ij")
    x0, y0, z0 = geometry.origin_mm
    return np.stack([x + x0, y + y0, z + z0])


def _posed(points: NDArray[np.float64], habitus: Habitus) -> NDArray[np.float64]:
    """Undo the person's turns and shifts by height; all keep the height."""
    x, y, z = points
    turn, left, back = (np.interp(z, POSTURE_Z, row) for row in habitus.posture)
    angle = np.deg2rad(turn)
    x, y = x - left, y - back - 20.0
    return np.stack(
        [np.cos(angle) * x + np.sin(angle) * y, 20.0 - np.sin(angle) * x + np.cos(angle) * y, z]
    )


def _bend(geometry: Geometry, amplitude_mm: float, rng: np.random.Generator) -> Field:
    extent = np.array(geometry.shape) * np.array(geometry.spacing_mm)
    steps = np.array(_LATTICE_MM)
    size = tuple(int(n) for n in np.maximum(4, np.ceil(extent / steps)))
    noise = rng.standard_normal((3, *size)).astype(np.float32)
    coarse = np.stack([ndimage.gaussian_filter(n, 70.0 / steps, mode="reflect") for n in noise])
    fine = np.stack([ndimage.gaussian_filter(n, 26.0 / steps, mode="reflect") for n in noise])
    coarse *= amplitude_mm / coarse.std()
    fine *= 0.25 * amplitude_mm / fine.std()
    return np.asarray(coarse + fine, dtype=np.float32)


def add_bone(canvas: Canvas, shape: Shape) -> None:
    """Unite a shape with the bone; a voxel belongs to the bone whose surface it is deepest in."""
    for box, distance in _distances(canvas, shape):
        nearest = canvas.bone_mm[box]
        nearer = distance < nearest
        nearest[nearer] = distance[nearer]
        canvas.bone_label[box][nearer] = shape.code


def fill(
    canvas: Canvas,
    shape: Shape,
    *,
    label: int = 0,
    roughness: Field | None = None,
    cavity_only: bool = False,
) -> None:
    """Make a shape's inside its tissue (and `label`).

    `roughness` in mm pushes the surface out; `cavity_only` keeps muscle, fat and air as they are.
    """
    for box, distance in _distances(canvas, shape):
        inside = distance < (0.0 if roughness is None else roughness[box])
        if cavity_only:
            inside &= _CAVITY[canvas.tissue[box]]
        canvas.tissue[box][inside] = shape.code
        canvas.soft_label[box][inside] = label


def _distances(canvas: Canvas, shape: Shape) -> list[tuple[Box, Field]]:
    if isinstance(shape, Block):
        return _block_distance(canvas, shape)
    return _bead_distances(canvas, shape)


def _bead_distances(canvas: Canvas, beads: Beads) -> list[tuple[Box, Field]]:
    boxes = canvas.boxes(canvas.locate(beads.centres), 1.2 * beads.radii + 4.0)
    centres, radii = beads.centres.astype(np.float32), beads.radii.astype(np.float32)
    found = []
    for box, (cx, cy, cz), radius in zip(boxes, centres, radii, strict=True):
        if box is None:
            continue
        square = canvas.x[box] - cx
        square *= square
        for coordinate, centre in ((canvas.y, cy), (canvas.z, cz)):
            offset = coordinate[box] - centre
            offset *= offset
            square += offset
        np.sqrt(square, out=square)
        square -= radius
        found.append((box, square))
    return found


def _block_distance(canvas: Canvas, block: Block) -> list[tuple[Box, Field]]:
    centre = np.array(block.centre)
    reach = 1.3 * float(np.linalg.norm(block.radii) if block.exponent > 2 else max(block.radii))
    box = canvas.box(canvas.locate(centre[None])[0], reach + 6.0)
    if box is None:
        return []
    offsets = [c[box] - np.float32(o) for c, o in zip(_xyz(canvas), centre, strict=True)]
    total = np.zeros(offsets[0].shape, np.float32)
    for axis, radius in zip(block.frame, block.radii, strict=True):
        along = sum(np.float32(a / radius) * o for a, o in zip(axis, offsets, strict=True))
        total += np.abs(along) ** np.float32(block.exponent)
    total **= np.float32(1 / block.exponent)
    total -= 1
    total *= np.float32(min(block.radii))
    return [(box, total)]


def _xyz(canvas: Canvas) -> tuple[Field, Field, Field]:
    return canvas.x, canvas.y, canvas.z
