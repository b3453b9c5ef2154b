"""Hip bones: iliac wings, acetabula, ischia and pubes with the obturator holes between."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from imaging.anatomy import BY_NAME
from phantom.shapes import Beads, mirrored, plate, tube

if TYPE_CHECKING:
    from phantom.habitus import Habitus
    from phantom.shapes import Points, Shape

HIP = (88.0, -4.0, 905.0)
_SOCKET_MM = 27.5


def hip_centre(habitus: Habitus, side: int) -> Points:
    """Centre of the femoral head on `side` (+1 left), reference mm."""
    centre: Points = _placed([HIP], habitus, side)[0]
    return centre


def _placed(knots: list[tuple[float, float, float]], habitus: Habitus, side: int) -> Points:
    points = mirrored(knots, side)
    points[:, 0] *= habitus.pelvis_width
    points[:, 1] += habitus.pelvis_tilt_mm * (points[:, 2] - 950) / 60
    points += habitus.side_shift_mm[max(side, 0), 2] * 0.5
    return points


def pelvis_shapes(habitus: Habitus) -> list[Shape]:
    """Both hip bones."""
    shapes: list[Shape] = []
    for side in (-1, 1):
        shapes += [_wing(habitus, side), _socket(habitus, side), *_rami(habitus, side)]
    return shapes


def _wing(habitus: Habitus, side: int) -> Shape:
    b = habitus.bone

    def row(*knots: tuple[float, float, float]) -> Points:
        return _placed(list(knots), habitus, side)

    rows = [
        row((100, -34, 936), (96, -12, 944), (90, 14, 942), (76, 40, 944), (62, 58, 952)),
        row((112, -52, 958), (108, -14, 972), (98, 22, 974), (76, 54, 972), (58, 72, 968)),
        row((121, -66, 982), (122, -22, 1004), (112, 20, 1008), (84, 60, 1000), (56, 80, 982)),
        row((124, -70, 990), (134, -30, 1030), (128, 14, 1040), (98, 58, 1028), (62, 85, 1002)),
    ]
    radii = [[9, 9.5, 10.5, 9, 8], [6, 4, 4.5, 6.5, 9], [5.5, 3.2, 3.4, 5, 8.5], [6, 6.5, 6, 6, 7]]
    return plate(BY_NAME["pelvis"].label, rows, [[v * b for v in r] for r in radii])


def _socket(habitus: Habitus, side: int) -> Shape:
    """Make the acetabulum: a cup around the femoral head, open to the side, front and below."""
    n = 900
    k = np.arange(n) + 0.5
    polar, turn = np.arccos(1 - 2 * k / n), np.pi * (1 + 5**0.5) * k
    sphere = np.stack(
        [np.cos(turn) * np.sin(polar), np.sin(turn) * np.sin(polar), np.cos(polar)], axis=1
    )
    opening = np.array([side * 0.78, -0.28, -0.56])
    cup = sphere[sphere @ opening < 0.12]
    centres = hip_centre(habitus, side) + cup * (_SOCKET_MM + 5.0)
    return Beads(BY_NAME["pelvis"].label, centres, np.full(len(cup), 5.4 * habitus.bone))


def _rami(habitus: Habitus, side: int) -> list[Shape]:
    label, b = BY_NAME["pelvis"].label, habitus.bone

    def line(knots: list[tuple[float, float, float]], radii: list[float]) -> Shape:
        return tube(label, _placed(knots, habitus, side), [r * b for r in radii])

    return [
        line([(72, 26, 925), (68, 34, 890), (62, 40, 862), (58, 36, 838)], [11, 12, 13, 14]),
        line([(58, 34, 836), (44, 16, 838), (28, -14, 850), (14, -38, 866)], [11, 7.5, 6.5, 8]),
        line([(70, -24, 918), (50, -40, 906), (30, -50, 896), (13, -50, 884)], [10, 7.5, 7.5, 9]),
        line([(11, -49, 888), (10, -44, 866)], [8.5, 8]),
        line([(66, 40, 935), (64, 34, 905)], [11, 12]),
    ]
