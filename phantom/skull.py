"""Skull: calvaria, base, face and mandible."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from imaging.anatomy import BY_NAME
from phantom.shapes import Beads, Block, mirrored, tube, vector
from phantom.tissue import Tissue

if TYPE_CHECKING:
    from phantom.habitus import Habitus
    from phantom.shapes import Shape

CENTRE = np.array([0.0, -2.0, 1637.0])
RADII = np.array([72.0, 92.0, 79.0])


def floor_z(y: float) -> float:
    """Height of the skull base at `y`: it rises from the occiput to the orbits."""
    return float(np.interp(y, [-95, -40, 0, 24, 60, 95], [1622, 1612, 1596, 1583, 1576, 1590]))


def skull_shapes(habitus: Habitus) -> list[Shape]:
    """All bones of the head, one label."""
    return [_vault(habitus), _base(habitus), *_face(habitus), *_mandible(habitus)]


def _vault(habitus: Habitus) -> Beads:
    n = 5200
    k = np.arange(n) + 0.5
    polar, turn = np.arccos(1 - 2 * k / n), np.pi * (1 + 5**0.5) * k
    sphere = np.stack(
        [np.cos(turn) * np.sin(polar), np.sin(turn) * np.sin(polar), np.cos(polar)], axis=1
    )
    half = 3.5 * habitus.bone
    points = CENTRE + sphere * (RADII - half)
    keep = points[:, 2] > np.array([floor_z(p[1]) for p in points]) - 3
    return Beads(BY_NAME["skull"].label, points[keep], np.full(int(keep.sum()), half))


def _base(habitus: Habitus) -> Beads:
    centres = []
    for x in np.arange(-66, 67, 3.5):
        for y in np.arange(-86, 87, 3.5):
            inside = (x / RADII[0]) ** 2 + ((y + 2) / RADII[1]) ** 2 < 0.86
            hole = (x / 15) ** 2 + ((y - 25) / 18) ** 2 < 1  # foramen magnum
            if inside and not hole:
                centres.append((x, y, floor_z(float(y))))
    return Beads(
        BY_NAME["skull"].label, np.array(centres), np.full(len(centres), 4.0 * habitus.bone)
    )


def _face(habitus: Habitus) -> list[Shape]:
    label, b = BY_NAME["skull"].label, habitus.bone
    shapes: list[Shape] = [
        Block(label, (0, -4, 1588), (14, 22, 10)),
        tube(
            label,
            [(-27, -58, 1545), (-24, -82, 1543), (0, -93, 1543), (24, -82, 1543), (27, -58, 1545)],
            [7 * b, 7 * b, 7 * b],
        ),
        tube(label, [(0, -92, 1550), (0, -90, 1580), (0, -92, 1610)], [4, 3.5, 6]),
    ]
    for side in (-1, 1):
        ring = [
            (33 + 20 * np.cos(a), -80 + 6 * abs(np.cos(a)), 1592 + 19 * np.sin(a))
            for a in np.linspace(0, 2 * np.pi, 13)
        ]
        shapes += [
            tube(label, mirrored(ring, side), [4.2 * b, 4.2 * b]),
            tube(
                label,
                mirrored([(40, -76, 1570), (56, -62, 1572), (64, -35, 1582), (64, -8, 1588)], side),
                [8 * b, 6.5, 4.5, 5],
            ),
            tube(label, mirrored([(34, -74, 1568), (28, -80, 1548)], side), [7, 7]),
            Block(label, vector(mirrored([(46, 16, 1580)], side)[0]), (20, 20, 15)),
            Block(label, vector(mirrored([(56, 22, 1568)], side)[0]), (10, 13, 20)),
        ]
    return shapes


def _mandible(habitus: Habitus) -> list[Shape]:
    label, b = BY_NAME["skull"].label, habitus.bone
    shapes: list[Shape] = []
    for side in (-1, 1):
        knots = [
            (50, -10, 1576),
            (50, -14, 1550),
            (47, -22, 1528),
            (36, -60, 1518),
            (20, -84, 1512),
            (0, -92, 1510),
        ]
        shapes.append(
            tube(label, mirrored(knots, side), [6.5 * b, 7 * b, 8 * b, 7.5 * b, 8 * b, 9 * b])
        )
    return shapes


def head_contents() -> list[Shape]:
    """Brain with ventricles, eyes, sinuses: soft tissue inside the head."""
    shapes: list[Shape] = []
    for side in (-1, 1):
        shapes += [
            Block(Tissue.EYE, vector(mirrored([(33, -78, 1592)], side)[0]), (12, 12, 12)),
            Block(Tissue.GAS, vector(mirrored([(27, -66, 1566)], side)[0]), (11, 14, 14)),
        ]
    shapes.append(Block(Tissue.GAS, (0, -70, 1562), (11, 28, 18)))
    return shapes


def brain_shapes() -> tuple[list[Shape], list[Shape]]:
    """Brain (clipped to above the base by the painter) and its ventricles."""
    inner = tuple(float(v) for v in RADII - np.array([9.5, 9.5, 9.5]))
    brain: list[Shape] = [Block(Tissue.BRAIN, vector(CENTRE), (inner[0], inner[1], inner[2]))]
    ventricles: list[Shape] = [
        tube(
            Tissue.CSF,
            mirrored([(12, -30, 1652), (11, 0, 1658), (17, 32, 1645)], side),
            [4.5, 5.5, 6],
        )
        for side in (-1, 1)
    ]
    ventricles.append(Block(Tissue.CSF, (0, 0, 1632), (2.5, 14, 8)))
    return brain, ventricles
