"""The grid on which implicit solids are painted: every voxel's place in the person's frame."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from phantom.contoured.implicit import frame_of, smooth_min
from phantom.fields import Field, stretch

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from imaging.geometry import Geometry
    from phantom.contoured.build import Build
    from phantom.contoured.implicit import Place, Points, Solid

    Box = tuple[slice, slice, slice]

FAR_MM = 1000.0
_NODE_MM = 18.0
_PIVOT = np.array([0.0, 0.0, 1200.0])


@dataclass(eq=False)
class Canvas:
    """Arrays of the grid's shape; `bone_mm` is the distance to bone, valid near bone only."""

    geometry: Geometry
    place: Place = field(repr=False)
    to_patient: Points = field(repr=False)
    """(3, 4) person's frame → patient mm, without the small waves."""
    wave_mm: float
    tissue: NDArray[np.uint8] = field(repr=False)
    labels: NDArray[np.uint8] = field(repr=False)
    bone_mm: Field = field(repr=False)
    bone_label: NDArray[np.uint8] = field(repr=False)

    def index(self, points: Points) -> Points:
        """Fractional (slice, row, column) of (n, 3) points of the person, but for the waves."""
        return self.geometry.to_index(points @ self.to_patient[:, :3].T + self.to_patient[:, 3])

    def box(self, low: Points, high: Points, margin_mm: float) -> Box | None:
        """Slices of the grid around a box of the person's frame; None when off the grid."""
        corners = np.array([[(low, high)[k][a] for a, k in enumerate(c)] for c in _CORNERS])
        found = self.index(corners)
        margin = margin_mm / np.array(self.geometry.spacing_mm)
        start = np.maximum(np.floor(found.min(axis=0) - margin), 0).astype(int).tolist()
        stop = np.minimum(np.ceil(found.max(axis=0) + margin) + 1, self.geometry.shape)
        ends = stop.astype(int).tolist()
        if any(a >= b for a, b in zip(start, ends, strict=True)):
            return None
        return slice(start[0], ends[0]), slice(start[1], ends[1]), slice(start[2], ends[2])

    def near(self, solid: Solid) -> tuple[Box, Field] | None:
        """Return a solid's box on the grid and its distance there; None when off the grid."""
        box = self.box(solid.low, solid.high, self.wave_mm + 4.0)
        if box is None:
            return None
        x, y, z = self.place
        return box, solid.distance((x[box], y[box], z[box]))

    def fill(
        self,
        solids: Iterable[Solid],
        tissue: int,
        label: int = 0,
        within: NDArray[np.bool_] | None = None,
    ) -> None:
        """Make what is inside `tissue` and `label`; `within` (256,) names tissues to change."""
        for solid in solids:
            found = self.near(solid)
            if found is None:
                continue
            box, distance = found
            inside = distance < 0
            if within is not None:
                inside &= within[self.tissue[box]]
            self.tissue[box][inside] = tissue
            self.labels[box][inside] = label

    def add_bone(self, solids: Iterable[Solid], label: int, blend_mm: float = 0.0) -> None:
        """Unite solids with the bone; the same bone's parts are blended over `blend_mm`."""
        for solid in solids:
            found = self.near(solid)
            if found is None:
                continue
            box, distance = found
            there, whose = self.bone_mm[box], self.bone_label[box]
            nearer = distance < there
            if blend_mm:
                same = whose == label
                distance = np.where(same, smooth_min(distance, there, blend_mm), distance)
                nearer |= same
            there[nearer] = distance[nearer]
            whose[nearer] = label


_CORNERS = tuple(product((0, 1), repeat=3))


def make_canvas(geometry: Geometry, build: Build, rng: np.random.Generator) -> Canvas:
    """Lay the person's frame over the grid: size, small turns and a few long waves."""
    turn = frame_of(*build.lie_deg)
    to_patient = np.empty((3, 4))
    to_patient[:, :3] = turn.T * np.array(build.scale)
    to_patient[:, 3] = _PIVOT * build.scale[2] - to_patient[:, :3] @ _PIVOT
    place = _place(geometry, to_patient, build.wave_mm, rng)
    shape = geometry.shape
    return Canvas(
        geometry,
        place,
        to_patient,
        3.0 * build.wave_mm,
        tissue=np.zeros(shape, np.uint8),
        labels=np.zeros(shape, np.uint8),
        bone_mm=np.full(shape, FAR_MM, np.float32),
        bone_label=np.zeros(shape, np.uint8),
    )


def _place(
    geometry: Geometry, to_patient: Points, wave_mm: float, rng: np.random.Generator
) -> Place:
    extent = np.array(geometry.shape) * np.array(geometry.spacing_mm)
    counts = [max(3, int(e / _NODE_MM) + 2) for e in extent]
    axes = [np.linspace(0, n - 1, k) for n, k in zip(geometry.shape, counts, strict=True)]
    nodes = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    patient = geometry.to_patient_mm(nodes)
    person = (patient - to_patient[:, 3]) @ np.linalg.inv(to_patient[:, :3]).T
    moved = (person + _waves(person, wave_mm, rng)).astype(np.float32).T
    x, y, z = (stretch(c.reshape(counts), geometry.shape) for c in moved)
    return x, y, z


def _waves(points: Points, wave_mm: float, rng: np.random.Generator) -> Points:
    """Displace by a few plane waves, each 150 to 500 mm long."""
    total = np.zeros_like(points)
    for _ in range(5):
        direction, push = rng.standard_normal(3), rng.standard_normal(3)
        number = direction / np.linalg.norm(direction) * 2 * np.pi / rng.uniform(150, 500)
        wave = np.sin(points @ number + rng.uniform(0, 2 * np.pi))
        total += wave[:, None] * push / np.linalg.norm(push)
    moved: Points = total * wave_mm / np.sqrt(2.5)
    return moved
