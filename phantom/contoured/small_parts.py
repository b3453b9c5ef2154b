"""Bowel as a folded sheet of tubes, and the small bright things: glands, nodes, ganglia."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from phantom.contoured.implicit import ellipsoid, path, rod
from phantom.fields import smooth_noise
from phantom.tissue import Tissue

if TYPE_CHECKING:
    from phantom.contoured.build import Build
    from phantom.contoured.canvas import Canvas
    from phantom.contoured.implicit import Points, Solid

_GLANDS = (
    (Tissue.GLAND, (58, 6, 1560), (9, 16, 22)), (Tissue.GLAND, (36, -44, 1530), (10, 14, 11)),
    (Tissue.NODE, (17, -26, 1556), (7, 8, 12)), (Tissue.GLAND, (18, -30, 1478), (10, 10, 22)),
)  # fmt: skip
_NODE_SITES = np.array([
    (62, -70, 878), (54, -68, 858), (74, -64, 906), (128, 24, 1372), (138, 12, 1350),
    (46, 6, 1500), (52, 14, 1526), (42, -28, 934), (20, 6, 1020), (12, -20, 1340),
])  # fmt: skip
_BOWEL_Z = (890.0, 1112.0)
_PITCH_MM = 52.0


def paint_bowel(canvas: Canvas, build: Build, rng: np.random.Generator) -> None:
    """Small bowel: a gyroid bent by noise; what fills it changes from loop to loop."""
    low = np.array([-120.0, -100 - max(build.belly_mm, 0), _BOWEL_Z[0]])
    box = canvas.box(low, np.array([120.0, 30.0, _BOWEL_Z[1]]), 5.0)
    if box is None:
        return
    tissue, pitch = canvas.tissue[box], np.float32(2 * np.pi / (_PITCH_MM * rng.uniform(0.85, 1.2)))
    cell = [38.0 / s for s in canvas.geometry.spacing_mm]
    size = (cell[0], cell[1], cell[2])
    a, b, c = ((p[box] + 11 * smooth_noise(tissue.shape, size, rng)) * pitch for p in canvas.place)
    fold = np.sin(a) * np.cos(b) + np.sin(b) * np.cos(c) + np.sin(c) * np.cos(a)
    filling = smooth_noise(tissue.shape, size, rng)
    z, y = canvas.place[2][box], canvas.place[1][box]
    free = (tissue == Tissue.VISCERAL_FAT) & (y < 25)
    free &= (z > _BOWEL_Z[0] + 14 * filling) & (z < _BOWEL_Z[1])
    tissue[free & (fold > 0.1)] = Tissue.BOWEL_WALL
    inner = free & (fold > 0.5)
    tissue[inner & (filling > -0.2)] = Tissue.BOWEL_CONTENT
    tissue[inner & (filling > 1.1)] = Tissue.GAS


def colon_solids(build: Build, rng: np.random.Generator) -> list[tuple[list[Solid], Tissue]]:
    """Colon as a frame with haustra: walls, then contents."""
    belly = 0.7 * max(build.belly_mm, 0)
    knots = [
        (-94, -8, 955), (-102, 6, 1010), (-98, 4, 1065), (-62, -62 - belly, 1072),
        (0, -76 - belly, 1052), (58, -66 - belly, 1084), (102, 14, 1108), (106, 22, 1040),
        (98, 4, 972), (44, -26, 936), (8, 36, 932), (0, 46, 880),
    ]  # fmt: skip
    line = path(knots, 90)
    wide = float(rng.uniform(14, 21)) * np.linspace(1.15, 0.75, 90)
    wide *= 1 + 0.18 * np.sin(np.linspace(0, 2 * np.pi * 22, 90))
    parts = [(rod(line, list(wide)), Tissue.BOWEL_WALL)]
    for start in range(0, 90, 15):
        kind = Tissue.GAS if rng.random() < 0.35 else Tissue.BOWEL_CONTENT
        run = slice(start, start + 14)
        parts.append((rod(line[run], list(wide[run] - 4)), kind))
    return parts


def gland_parts(rng: np.random.Generator) -> list[tuple[Solid, Tissue]]:
    """Salivary glands, tonsils, thyroid and lymph nodes of both sides."""
    made: list[tuple[Solid, Tissue]] = []
    large = rng.random() < 0.2
    for side in (-1, 1):
        flip = np.array([side, 1, 1])
        for tissue, centre, size in _GLANDS:
            moved = np.array(centre) * flip + rng.normal(0, 2, 3)
            made.append((ellipsoid(moved, np.array(size) * rng.uniform(0.8, 1.2)), tissue))
        for site in _NODE_SITES[rng.random(len(_NODE_SITES)) < 0.7]:
            radius = rng.uniform(2.5, 6.0) * (1.8 if large and rng.random() < 0.4 else 1.0)
            radii = radius * np.array([1.0, 0.8, 1.3])
            made.append((ellipsoid(site * flip + rng.normal(0, 6, 3), radii), Tissue.NODE))
    return made


def ganglion_solids(places: list[Points], rng: np.random.Generator) -> list[Solid]:
    """Make the ganglia of the nerve roots: bright at high b."""
    return [ellipsoid(p, rng.uniform(2.2, 4.5) * np.array([1.0, 0.8, 1.3])) for p in places]
