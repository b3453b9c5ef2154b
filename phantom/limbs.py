"""Femora and humeri, and the soft tissue of arms."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from imaging.anatomy import BY_NAME
from phantom.pelvis import hip_centre
from phantom.shapes import Block, mirrored, tube, vector
from phantom.tissue import Tissue

if TYPE_CHECKING:
    from phantom.habitus import Habitus
    from phantom.shapes import Points, Shape

_SIDES = {1: "left", -1: "right"}


def femur_shapes(habitus: Habitus, side: int) -> list[Shape]:
    """Head, neck, trochanters and shaft down to the knee."""
    label, b = BY_NAME[f"femur_{_SIDES[side]}"].label, habitus.bone
    hip = hip_centre(habitus, side)
    shift = habitus.side_shift_mm[max(side, 0), 3]

    def at(x: float, y: float, z: float) -> Points:
        weight = min(1.0, abs(z) / 60.0)
        point: Points = hip + np.array([side * x, y, z]) + weight * shift
        return point

    head = Block(label, vector(hip), (24 * b, 24 * b, 24 * b))
    neck = tube(label, [at(6, 0, -2), at(26, 5, -16), at(42, 8, -30)], [17 * b, 15 * b, 18 * b])
    greater = Block(label, vector(at(50, 14, -14)), (15 * b, 20 * b, 25 * b))
    lesser = Block(label, vector(at(29, 24, -56)), (11, 11, 14))
    shaft = tube(
        label,
        [at(43, 9, -30), at(44, 6, -70), at(40, -2, -150), at(30, 0, -260), at(18, 8, -400)],
        [19 * b, 17 * b, 14.5 * b, 14.5 * b, 17 * b],
    )
    return [head, neck, greater, lesser, shaft]


def shoulder_centre(habitus: Habitus, side: int) -> Points:
    """Centre of the humeral head on `side`, reference mm."""
    shift = habitus.side_shift_mm[max(side, 0), 1] + np.array([0, 0, 0.9 * habitus.shoulder_mm])
    centre: Points = mirrored([(176, 22, 1412)], side)[0] + shift
    return centre


def _arm_line(habitus: Habitus, side: int) -> Points:
    top = shoulder_centre(habitus, side)
    spread = habitus.arm_spread_mm
    bend = habitus.side_shift_mm[max(side, 0), 4]
    knots = mirrored(
        [(0, 0, 0), (14, 3, -35), (28 + 0.4 * spread, 8, -130), (46 + spread, 14, -285)], side
    )
    knots[2:] += bend
    line: Points = top + knots
    return line


def humerus_shapes(habitus: Habitus, side: int) -> list[Shape]:
    """Head and shaft of a humerus."""
    label, b = BY_NAME[f"humerus_{_SIDES[side]}"].label, habitus.bone
    line = _arm_line(habitus, side)
    head = Block(label, vector(line[0]), (22 * b, 23 * b, 23 * b))
    tubercle = Block(label, vector(line[0] + np.array([side * 12, -4, -8])), (13, 18, 20))
    return [head, tubercle, tube(label, line, [18 * b, 12.5 * b, 11 * b, 11 * b, 14 * b])]


def arm_outline(habitus: Habitus, side: int) -> tuple[list[Shape], list[Shape]]:
    """Skin-to-muscle fat and muscle of the arm; the forearm follows the upper arm."""
    line = _arm_line(habitus, side)
    hand = line[-1] + np.array([side * 4.0, -22.0, -250.0])
    whole = np.vstack([line, (line[-1] + hand) / 2 + np.array([side * 6, 0, 0]), hand])
    muscle = np.array([46, 44, 40, 38, 36, 33, 24]) * (0.75 + 0.25 * habitus.muscle)
    fat = muscle + 3 + 0.35 * habitus.fat_mm
    fat_shape = tube(Tissue.FAT, whole, list(fat))
    muscle_shape = tube(Tissue.MUSCLE, whole, list(muscle))
    return [fat_shape], [muscle_shape]


def forearm_bones(habitus: Habitus, side: int) -> list[Shape]:
    """Radius and ulna: bone that no label names."""
    elbow = _arm_line(habitus, side)[-1]
    hand = elbow + np.array([side * 4.0, -22.0, -235.0])
    offset = np.array([7.0, 5.0, 0.0])
    return [
        tube(Tissue.MARROW, [elbow + k * offset, hand + k * 1.3 * offset], [7.5, 6.0, 7.0])
        for k in (-1, 1)
    ]
