"""Arms in three poses: humerus, forearm bones without a name, and their flesh."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from phantom.contoured.build import Arms
from phantom.contoured.implicit import ellipsoid, path, rod, shifted, tube
from phantom.contoured.thorax import shoulder_centre

if TYPE_CHECKING:
    from phantom.contoured.build import Build
    from phantom.contoured.implicit import Points, Solid

_ELBOW = {
    Arms.AT_SIDES: (34.0, 16.0, -292.0),
    Arms.ON_BELLY: (56.0, 20.0, -282.0),
    Arms.RAISED: (52.0, -12.0, 285.0),
}


def _elbow(build: Build, side: int) -> Points:
    offset = np.array(_ELBOW[build.arms]) * (side, 1, 1)
    placed: Points = shoulder_centre(build, side) + offset
    return placed


def _wrist(build: Build, side: int) -> Points:
    elbow = _elbow(build, side)
    if build.arms is Arms.AT_SIDES:
        return shifted(elbow, side * 8.0, -38.0, -245.0)
    if build.arms is Arms.RAISED:
        return shifted(elbow, -side * 165.0, 45.0, 120.0)
    front = -118.0 - max(build.belly_mm, 0.0) - build.fat_mm - 24.0
    return np.array([side * 62.0, front, elbow[2] - 30.0 + side * 14.0])


def _upper_line(build: Build, side: int) -> Points:
    head, elbow = shoulder_centre(build, side), _elbow(build, side)
    up = 1.0 if build.arms is Arms.RAISED else -1.0
    outer = head + np.array([side * 13.0, 2.0, up * 30.0])
    middle = (outer + elbow) / 2 + (side * 4.0, -4.0, 0.0)
    return path([head, outer, middle, elbow], 16)


def humerus_solids(build: Build, side: int) -> list[Solid]:
    """Head, tubercle and shaft."""
    b, line = build.bone, _upper_line(build, side)
    up = 1.0 if build.arms is Arms.RAISED else -1.0
    head = ellipsoid(line[0], (22.5 * b, 22.5 * b, 22.5 * b))
    tubercle = ellipsoid(shifted(line[0], side * 13, -3, up * 7), (11, 16, 17))
    sections = [
        (18 * b, 17 * b),
        (13 * b, 12.5 * b),
        (11 * b, 11.5 * b),
        (11 * b, 11 * b),
        (17 * b, 10 * b),
    ]
    return [head, tubercle, *tube(line, sections)]


def forearm_solids(build: Build, side: int) -> list[Solid]:
    """Radius and ulna."""
    elbow, wrist = _elbow(build, side), _wrist(build, side)
    apart = np.array([6.0, 6.0, 5.0])
    return [
        solid
        for k in (-1, 1)
        for solid in rod(path([elbow + 0.8 * k * apart, wrist + 1.4 * k * apart], 6), [7, 6, 7])
    ]


def arm_flesh(build: Build, side: int, extra_mm: float) -> list[Solid]:
    """Muscle of shoulder, upper arm and forearm, grown by `extra_mm`."""
    upper = _upper_line(build, side)
    m = 0.8 + 0.2 * build.muscle
    shoulder = ellipsoid(shifted(upper[0], side * 6, 0, -8), np.array([40, 46, 50]) * m + extra_mm)
    half = np.array([(42, 44), (40, 42), (40, 39), (36, 37)]) * m + extra_mm
    lower = np.array([(36, 35), (34, 33), (24, 20), (34, 14)]) * m + 0.8 * extra_mm
    forearm = path([upper[-1], _wrist(build, side)], 8)
    return [shoulder, *tube(upper, half), *tube(forearm, lower)]
