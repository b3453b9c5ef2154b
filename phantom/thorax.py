"""Ribs, sternum, clavicles and scapulae."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from imaging.anatomy import BY_NAME
from phantom.shapes import Block, mirrored, plate, rotation, tube, vector
from phantom.tissue import Tissue

if TYPE_CHECKING:
    from phantom.habitus import Habitus
    from phantom.shapes import Points, Shape
    from phantom.spine import Vertebra

_CAGE_Z = (950, 1000, 1050, 1100, 1150, 1200, 1250, 1300, 1350, 1390, 1420, 1440, 1455)
_HALF_WIDTH = (112, 118, 125, 131, 137, 140, 138, 131, 119, 101, 78, 54, 30)
_FRONT_Y = (-96, -98, -101, -103, -104, -103, -100, -93, -81, -66, -48, -28, -10)
_BACK_Y = (62, 62, 64, 70, 80, 88, 94, 97, 92, 84, 74, 60, 45)
_END_ANGLE = (2.75, 2.7, 2.62, 2.6, 2.58, 2.55, 2.5, 2.36, 2.2, 2.05, 1.6, 1.2)
_DROP = (34, 48, 62, 74, 86, 95, 103, 106, 104, 96, 70, 42)


def cage(z: float) -> tuple[float, float, float]:
    """Half width, front y and back y of the rib cage (mid-rib) at height `z`, mm."""
    return (
        float(np.interp(z, _CAGE_Z, _HALF_WIDTH)),
        float(np.interp(z, _CAGE_Z, _FRONT_Y)),
        float(np.interp(z, _CAGE_Z, _BACK_Y)),
    )


def rib_line(v: Vertebra, number: int, side: int, habitus: Habitus) -> Points:
    """Knots of rib `number` (1-12) on `side` (+1 left), from its head to its front end."""
    head = v.at(side * (v.half_width + 1), v.half_depth + 1, 0.5 * v.half_height)
    neck = v.at(side * 30, v.canal_back + 9, 2)
    drop = _DROP[number - 1] * habitus.rib_slope
    knots = [head, neck]
    for t in np.linspace(0.12, 1.0, 11):
        angle = t * _END_ANGLE[number - 1]
        z = neck[2] - drop * (0.25 * t + 0.75 * t**1.3) * (1.0 - 0.12 * (t > 0.9))
        half, front, back = cage(float(z))
        middle, depth = (front + back) / 2, (back - front) / 2
        knots.append(
            np.array([side * half * np.sin(angle) ** 0.85, middle + depth * np.cos(angle), z])
        )
    line = np.array(knots)
    bump = np.sin(np.linspace(0, np.pi, len(line)))[:, None]
    shift = habitus.rib_wobble_mm[max(side, 0), number - 1]
    moved: Points = line + bump * shift
    return moved


def rib_shapes(vs: tuple[Vertebra, ...], habitus: Habitus) -> list[Shape]:
    """Twelve pairs of ribs."""
    label = BY_NAME["ribs"].label
    size = 5.0 * habitus.bone
    shapes: list[Shape] = []
    for number in range(1, 13):
        for side in (-1, 1):
            line = rib_line(vs[6 + number], number, side, habitus)
            end = 0.8 if number > 10 else 1.15
            shapes.append(tube(label, line, [0.8 * size, 0.9 * size, size, size, end * size]))
    return shapes


def cartilages(vs: tuple[Vertebra, ...], habitus: Habitus) -> list[Shape]:
    """Costal cartilages from the front ends of ribs 1-10 towards the sternum."""
    shapes: list[Shape] = []
    for number in range(1, 11):
        for side in (-1, 1):
            start = rib_line(vs[6 + number], number, side, habitus)[-1]
            z = 1418 - 26 * min(number, 7) + 6
            half, front, _ = cage(z)
            end = np.array([side * min(22, half * 0.4), front, z])
            shapes.append(tube(Tissue.CARTILAGE, [start, (start + end) / 2, end], [5, 4.5, 5]))
    return shapes


def sternum_shapes(habitus: Habitus) -> list[Shape]:
    """Manubrium, body and xiphoid as one curved plate in front of the cage."""
    label = BY_NAME["sternum"].label
    rows, radii = [], []
    for z, half in (
        (1424, 24),
        (1408, 25),
        (1385, 14),
        (1350, 15),
        (1300, 18),
        (1262, 15),
        (1238, 5),
    ):
        y = cage(z)[1] - 2
        rows.append([(-half, y + 2, z), (0, y, z), (half, y + 2, z)])
        radii.append([4.5 * habitus.bone, 6.0 * habitus.bone, 4.5 * habitus.bone])
    return [plate(label, rows, radii)]


def girdle_shapes(habitus: Habitus) -> list[Shape]:
    """Clavicles and scapulae."""
    shapes: list[Shape] = []
    for side in (-1, 1):
        shapes += _clavicle(side, habitus)
        shapes += _scapula(side, habitus)
    return shapes


def _clavicle(side: int, habitus: Habitus) -> list[Shape]:
    up = habitus.shoulder_mm
    end = habitus.side_shift_mm[max(side, 0), 0]
    knots = mirrored(
        [(20, -46, 1428), (60, -54, 1434), (105, -30, 1442 + 0.6 * up), (135, -8, 1448 + up),
         (158, 2, 1446 + up)],
        side,
    )  # fmt: skip
    knots[2:] += end
    return [tube(BY_NAME["clavicles"].label, knots, [9, 6.5, 5.5, 6, 6.5])]


def _scapula(side: int, habitus: Habitus) -> list[Shape]:
    label, b = BY_NAME["scapulae"].label, habitus.bone
    shift = np.array([0, 0, 0.8 * habitus.shoulder_mm]) + habitus.side_shift_mm[max(side, 0), 1]

    def placed(knots: list[tuple[float, float, float]]) -> Points:
        points: Points = mirrored(knots, side) + shift
        return points

    blade = plate(
        label,
        [
            placed([(76, 84, 1432), (100, 76, 1428), (125, 58, 1424), (143, 38, 1418)]),
            placed([(78, 97, 1390), (100, 93, 1392), (124, 76, 1396), (146, 46, 1402)]),
            placed([(86, 102, 1345), (100, 99, 1348), (117, 88, 1356), (134, 70, 1366)]),
            placed([(98, 101, 1298), (102, 100, 1300), (107, 97, 1304), (112, 93, 1310)]),
        ],
        [[4 * b, 2.6, 2.6, 6], [3.8 * b, 2.4, 3, 8], [3.8, 2.6, 3.4, 4.5], [5, 5, 5, 4.5]],
    )
    glenoid = Block(
        label, vector(placed([(149, 34, 1410)])[0]), (8, 13, 19), rotation(0, 0, -35 * side)
    )
    spine = tube(
        label,
        placed(
            [(82, 98, 1402), (115, 96, 1414), (148, 78, 1434), (170, 44, 1449), (172, 20, 1447)]
        ),
        [4.5 * b, 5.5 * b, 6.5 * b, 7 * b, 6],
    )
    coracoid = tube(label, placed([(140, 28, 1426), (138, 6, 1432), (147, -8, 1422)]), [6, 5, 5])
    return [blade, glenoid, spine, coracoid]
