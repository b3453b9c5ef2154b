"""Skin, fat, muscle and body cavity as contours in polar form, one a slice."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from phantom.contoured.arms import arm_flesh
from phantom.contoured.column import BASE
from phantom.contoured.head import scalp
from phantom.contoured.thorax import cage
from phantom.tissue import Tissue

if TYPE_CHECKING:
    from phantom.contoured.build import Build
    from phantom.contoured.canvas import Canvas
    from phantom.contoured.column import Vertebra
    from phantom.contoured.implicit import Place
    from phantom.fields import Field

Profile = NDArray[np.float64]

# Height, half width, front y, back y, exponent of the muscle's contour; share of the fat.
_TRUNK = np.array([
    (800, 8, -10, 40, 2.0, 0.5), (818, 118, -50, 80, 2.1, 0.9), (845, 162, -72, 94, 2.2, 1.1),
    (880, 173, -85, 101, 2.3, 1.2), (930, 168, -94, 99, 2.4, 1.15), (985, 157, -98, 94, 2.4, 1.1),
    (1040, 146, -99, 88, 2.3, 1.05), (1090, 142, -101, 88, 2.2, 0.95),
    (1140, 147, -107, 94, 2.2, 0.8), (1210, 156, -116, 106, 2.3, 0.65),
    (1290, 162, -117, 114, 2.4, 0.6), (1345, 165, -108, 114, 2.5, 0.55),
    (1390, 166, -90, 108, 2.6, 0.5), (1422, 156, -72, 98, 2.5, 0.45),
    (1445, 116, -58, 88, 2.2, 0.4),
    (1464, 80, -54, 80, 2.0, 0.3), (1484, 62, -53, 72, 2.0, 0.3), (1515, 58, -54, 66, 2.0, 0.25),
    (1545, 60, -58, 66, 2.0, 0.2), (1580, 52, -40, 70, 2.0, 0.15),
])  # fmt: skip
_CAVITY = np.array([
    (840, 12, -14, 36), (870, 40, -42, 56), (905, 68, -58, 64), (950, 98, -78, 54),
    (1000, 107, -85, 48), (1050, 112, -88, 55), (1100, 119, -93, 66),
])  # fmt: skip
_LUNG_TOP_MM = 1458.0
_RIB_MM = 8.0


@dataclass(frozen=True, eq=False)
class Contours:
    """One closed curve a height: half width, front, back and exponent at heights `z`."""

    z: Profile = field(repr=False)
    half: Profile = field(repr=False)
    front: Profile = field(repr=False)
    back: Profile = field(repr=False)
    power: Profile = field(repr=False)
    waves: NDArray[np.float64] = field(repr=False)
    """(k, 2) amplitude and phase of the harmonics from 2 on."""

    def distance(self, place: Place) -> tuple[Field, Field]:
        """Radial distance to the curve in mm, and the angle from the front."""
        x, y, z = place
        half, front, back, power = (
            np.interp(z, self.z, row).astype(np.float32)
            for row in (self.half, self.front, self.back, self.power)
        )
        middle = np.float32(0.45) * front + np.float32(0.55) * back
        off = y - middle
        deep = np.where(off < 0, middle - front, back - middle)
        gauge = np.abs(x / half) ** power + np.abs(off / deep) ** power
        gauge = np.maximum(gauge, np.float32(1e-6)) ** (1 / power)
        angle = np.arctan2(x, -off)
        curve = np.ones_like(gauge)
        for k, (size, phase) in enumerate(self.waves, start=2):
            curve += np.float32(size) * np.cos(k * angle + np.float32(phase))
        distance: Field = np.hypot(x, off) * (1 - curve / gauge)
        return distance, angle


def _belly(build: Build, z: Profile) -> Profile:
    return build.belly_mm * np.exp(-(((z - 1055) / 110) ** 2))


def trunk_contours(build: Build, vs: tuple[Vertebra, ...]) -> Contours:
    """Return the muscle's contours; they cover the tips of the spinous processes."""
    z, half, front, back, power, _ = _TRUNK.T
    fine = np.arange(800.0, 1581.0, 10.0)
    half, front, back, power = (np.interp(fine, z, row) for row in (half, front, back, power))
    tips = np.array([v.at(0, v.canal_back + v.canal[1] + 28, -6) for v in vs[5:]])[::-1]
    spine = np.interp(fine, tips[:, 2], tips[:, 1], left=0.0, right=0.0)
    belly = _belly(build, fine)
    wide, deep = build.chest
    half = half * (1 + (wide - 1) * (fine > 1080)) + 0.3 * np.maximum(belly, 0)
    front = front * (1 + (deep - 1) * (fine > 1080)) - belly
    back = np.maximum(back * (0.6 + 0.4 * deep), spine + 3)
    return Contours(fine, half, front, back, power, build.contour)


def cavity_contours(build: Build) -> Contours:
    """Contours of the body cavity: inside the ribs, then inside the wall of the belly."""
    upper = np.array([(z, *cage(build, z)) for z in np.arange(1130.0, 1461.0, 15.0)])
    upper[:, 1:] += np.array([-_RIB_MM, _RIB_MM, -_RIB_MM])
    rows = np.vstack([_CAVITY, upper])
    z, half, front, back = rows.T
    front = front - np.maximum(_belly(build, z), -8)
    half = half + 0.3 * np.maximum(_belly(build, z), 0)
    return Contours(z, half, front, back, np.full(len(z), 2.2), np.zeros((0, 2)))


def dome(build: Build, place: Place) -> Field:
    """Height of the diaphragm: two paraboloids, the right one higher."""
    x, y, _ = place
    deep = (y - 4) ** 2 / np.float32(105)
    right = np.float32(1236 + build.breath_mm) - (x + 64) ** 2 / 62 - deep
    left = np.float32(1222 + build.breath_mm) - (x - 68) ** 2 / 58 - deep
    height: Field = np.maximum(np.maximum(right, left), np.float32(1104 + 0.5 * build.breath_mm))
    return height


def paint_outline(canvas: Canvas, build: Build, vs: tuple[Vertebra, ...]) -> None:
    """Paint everything from the skin to the lungs; arms and head first."""
    flesh = [s for side in (-1, 1) for s in arm_flesh(build, side, 0.0)]
    skin = [s for side in (-1, 1) for s in arm_flesh(build, side, 3 + 0.4 * build.fat_mm)]
    canvas.fill([*skin, *scalp(build, 6.0)], Tissue.FAT)
    _legs(canvas, 3 + 0.9 * build.fat_mm, Tissue.FAT)
    slab = _slab(canvas, 800.0, 1580.0)
    contours = trunk_contours(build, vs)
    for rows in _chunks(slab):
        place = _rows(canvas, rows)
        distance, angle = contours.distance(place)
        share = np.interp(place[2], _TRUNK[:, 0], _TRUNK[:, 5]).astype(np.float32)
        fat = 2.5 + np.float32(build.fat_mm) * share * (1 + 0.3 * np.cos(2 * angle + 0.6))
        tissue = canvas.tissue[rows]
        tissue[distance < fat] = Tissue.FAT
        tissue[distance < 0] = Tissue.MUSCLE
    _legs(canvas, 0.0, Tissue.MUSCLE)
    canvas.fill([*flesh, *scalp(build, 1.0)], Tissue.MUSCLE)
    _cavity(canvas, build, vs)


def _cavity(canvas: Canvas, build: Build, vs: tuple[Vertebra, ...]) -> None:
    contours = cavity_contours(build)
    spine = np.array([v.place for v in vs])[::-1]
    for rows in _chunks(_slab(canvas, 846.0, _LUNG_TOP_MM)):
        place = _rows(canvas, rows)
        x, y, z = place
        distance, _ = contours.distance(place)
        # The muscles beside the spine: behind a curve that turns back away from the vertebrae.
        aside = x - np.interp(z, spine[:, 2], spine[:, 0])
        open_to = np.interp(z, spine[:, 2], spine[:, 1]) + 9 + 0.012 * aside**2
        inside = (distance < 0) & ((y < open_to) | (z < BASE[2]))
        below = z < dome(build, place)
        tissue = canvas.tissue[rows]
        tissue[inside & below] = Tissue.VISCERAL_FAT
        tissue[inside & ~below] = Tissue.LUNG


def _legs(canvas: Canvas, extra_mm: float, tissue: Tissue) -> None:
    """Thighs: rounded triangles that taper to the knee."""
    for rows in _chunks(_slab(canvas, 500.0, 868.0)):
        x, y, z = _rows(canvas, rows)
        wide = np.interp(z, [500, 740, 866], [60, 73, 76]).astype(np.float32)
        for side in (-1, 1):
            u = x - np.float32(side * (90 + 0.3 * extra_mm))
            v = y - np.float32(8)
            angle = np.arctan2(u * side, -v)
            edge = wide * (1 + np.float32(0.05) * np.cos(3 * angle + 0.8)) + np.float32(extra_mm)
            canvas.tissue[rows][np.hypot(u, v) < edge] = tissue


def _slab(canvas: Canvas, low: float, high: float) -> slice:
    """Slices that reach between two heights of the person."""
    z = canvas.place[2]
    inside = (z.max(axis=(1, 2)) > low) & (z.min(axis=(1, 2)) < high)
    found = np.nonzero(inside)[0]
    return slice(int(found[0]), int(found[-1]) + 1) if len(found) else slice(0, 0)


def _chunks(slab: slice, size: int = 24) -> list[slice]:
    return [slice(k, min(k + size, slab.stop)) for k in range(slab.start, slab.stop, size)]


def _rows(canvas: Canvas, rows: slice) -> Place:
    x, y, z = canvas.place
    return x[rows], y[rows], z[rows]
