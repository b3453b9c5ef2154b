"""Vertebral column, sacrum and the canal inside them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from imaging.anatomy import BY_NAME
from phantom.shapes import Beads, tube
from phantom.tissue import Tissue

if TYPE_CHECKING:
    from phantom.habitus import Habitus
    from phantom.shapes import Points, Shape

# Heights of the end plates, C1 (top) to the promontory, mm of the reference person.
_PLATES = np.concatenate(
    [np.linspace(1576, 1447, 8), 1447 - np.cumsum(np.linspace(20.5, 29.5, 12)),
     1147 - np.cumsum(np.linspace(33, 35.5, 5))]
)  # fmt: skip
_COLUMN_Z = (
    870,
    890,
    920,
    965,
    990,
    1058,
    1130,
    1160,
    1220,
    1300,
    1375,
    1438,
    1455,
    1510,
    1570,
    1720,
)
_COLUMN_Y = (70, 80, 73, 44, 30, 22, 36, 43, 56, 63, 53, 30, 22, 4, 8, 8)


@dataclass(frozen=True, eq=False)
class Column:
    """The centre line of the vertebral bodies and their frames, bottom to top as functions of z."""

    habitus: Habitus = field(repr=False)

    def centre(self, z: float) -> Points:
        """Return the reference position of the column at height `z`."""
        h = self.habitus
        y = float(np.interp(z, _COLUMN_Z, _COLUMN_Y))
        y += (h.kyphosis - 1) * 16 * float(np.exp(-(((z - 1310) / 90) ** 2)))
        y -= (h.lordosis - 1) * 14 * float(np.exp(-(((z - 1050) / 65) ** 2)))
        y -= (h.neck_lordosis - 1) * 6 * float(np.exp(-(((z - 1510) / 40) ** 2)))
        t = np.clip((z - 950) / 620, 0, 1)
        one, two = h.scoliosis_mm
        x = one * np.sin(np.pi * t) ** 2 + two * np.sin(2 * np.pi * t)
        return np.array([float(x), y, z])

    def frame(self, z: float) -> Points:
        """Rows: left, back, up along the column."""
        up = self.centre(z + 12) - self.centre(z - 12)
        up /= np.linalg.norm(up)
        back = np.array([0.0, 1.0, 0.0]) - up[1] * up
        back /= np.linalg.norm(back)
        return np.stack([np.cross(back, up), back, up])


@dataclass(frozen=True, eq=False)
class Vertebra:
    """One vertebra: its place, frame and half sizes in mm."""

    index: int
    label: int
    centre: Points
    frame: Points
    half_width: float
    half_depth: float
    half_height: float
    canal: tuple[float, float]
    """Half width and half depth of the canal."""

    def at(self, left: float, back: float, up: float) -> Points:
        """Return the reference position of an offset in the vertebra's own frame."""
        position: Points = self.centre + np.array([left, back, up]) @ self.frame
        return position

    @property
    def canal_back(self) -> float:
        """How far behind the body's centre the middle of the canal lies."""
        return self.half_depth + self.canal[1] + 0.5


def vertebrae(habitus: Habitus) -> tuple[Vertebra, ...]:
    """C1 to L5 from top to bottom."""
    column = Column(habitus)
    names = ["cervical_spine"] * 7 + ["thoracic_spine"] * 12 + ["lumbar_spine"] * 5
    level = np.arange(24)
    width = np.interp(level, [0, 2, 6, 7, 12, 18, 23], [11, 10.5, 13, 13, 15, 20, 25])
    depth = np.interp(level, [0, 2, 6, 7, 12, 18, 23], [7, 8, 8.5, 9, 13, 16, 17.5])
    canal_width = np.interp(level, [0, 6, 8, 17, 23], [10.2, 9.8, 7.8, 8.2, 10.4])
    canal_depth = np.interp(level, [0, 6, 8, 17, 23], [8.4, 6.8, 6.9, 7.2, 7.4])
    result = []
    for i, name in enumerate(names):
        top, bottom = _PLATES[i], _PLATES[i + 1]
        z = float(top + bottom) / 2
        s = habitus.vertebra_scale[i]
        tall = 0.5 * (top - bottom) * (0.84 if i < 19 else 0.78) * habitus.vertebra_height[i]
        result.append(
            Vertebra(i, BY_NAME[name].label, column.centre(z), column.frame(z),
                     float(width[i] * s), float(depth[i] * s), float(tall),
                     (float(canal_width[i]), float(canal_depth[i])))
        )  # fmt: skip
    return tuple(result)


def sacrum_shapes(habitus: Habitus) -> list[Shape]:
    """Sacrum with its wings, and coccyx."""
    label = BY_NAME["sacrum"].label
    column = Column(habitus)
    z = np.linspace(972, 868, 27)
    t = (972 - z) / 104
    half_depth = np.interp(t, [0, 0.3, 0.7, 1], [17, 13, 8, 4.5]) * habitus.bone
    half_width = (
        np.interp(t, [0, 0.15, 0.45, 0.75, 0.85, 1], [46, 50, 38, 20, 9, 6]) * habitus.pelvis_width
    )
    centres, radii = [], []
    for zi, d, w in zip(z, half_depth, half_width, strict=True):
        for side in np.arange(-w + d, w - d + 0.1, 4.0) if w > d else [0.0]:
            lift = 0.004 * side * side  # the wings reach back and up
            centres.append(column.centre(float(zi)) + np.array([side, 0.5 * lift + 2, 0.3 * lift]))
            radii.append(d * (1 - 0.25 * abs(side) / max(w, 1)))
    crest = tube(
        label, [column.centre(s) + np.array([0, 30, 0]) for s in (962, 940, 915)], [6, 6, 4]
    )
    walls = [
        tube(
            label,
            [
                column.centre(s) + np.array([side * o, b, 0])
                for s, o, b in ((966, 15, 24), (940, 13, 22), (912, 10, 17))
            ],
            [6, 6, 5],
        )
        for side in (-1, 1)
    ]
    return [Beads(label, np.array(centres), np.array(radii)), crest, *walls]


def canal_shapes(vs: tuple[Vertebra, ...], habitus: Habitus) -> tuple[Shape, Shape]:
    """Return the canal (as CSF) from C1 to the sacrum and the cord in it down to L1 and below."""
    column = Column(habitus)
    line = [v.at(0, v.canal_back, 0) for v in vs]
    wide = [v.canal for v in vs]
    top = vs[0].at(0, vs[0].canal_back, 8)
    sacral = [column.centre(z) + np.array([0, b, 0]) for z, b in ((960, 25), (940, 22), (918, 17))]
    line = [top, *line, *sacral]
    wide = [wide[0], *wide, (9.5, 7.0), (7.5, 5.0), (5.0, 3.5)]
    return _oval(Tissue.CSF, line, wide), _cord(line)


def _oval(code: int, line: list[Points], half: list[tuple[float, float]]) -> Beads:
    """Make a flattened tube: three rows of balls side by side."""
    centres, radii = [], []
    knots = np.array(line)
    steps = np.linspace(0, len(line) - 1, 12 * len(line))
    for k in range(len(steps)):
        at = np.array([np.interp(steps[k], np.arange(len(line)), knots[:, a]) for a in range(3)])
        w, d = (
            float(np.interp(steps[k], np.arange(len(line)), [h[a] for h in half])) for a in (0, 1)
        )
        for side in (-1.0, 0.0, 1.0):
            centres.append(at + np.array([side * max(w - d, 0.0), 0.0, 0.0]))
            radii.append(d * (1.0 if side == 0 else 0.93))
    return Beads(code, np.array(centres), np.array(radii))


def _cord(line: list[Points]) -> Beads:
    end = 21  # first lumbar vertebra
    half = [(5.6, 4.2)] * 8 + [(4.3, 3.7)] * 9 + [(5.0, 4.0)] * 3 + [(3.0, 2.4)]
    return _oval(Tissue.CORD, [p + np.array([0, 0.5, 0]) for p in line[:end]], half)
