"""Chest: ribs as flat bands in tilted planes, sternum, shoulder blades and collar bones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from phantom.contoured.build import Arms
from phantom.contoured.implicit import ellipsoid, path, rod, sheet, tube

if TYPE_CHECKING:
    from phantom.contoured.build import Build
    from phantom.contoured.column import Vertebra
    from phantom.contoured.implicit import Points, Solid
    from phantom.fields import Field

_Z = (1000, 1060, 1120, 1180, 1240, 1300, 1350, 1390, 1420, 1440, 1456)
_HALF = (114, 123, 131, 136, 138, 134, 123, 105, 84, 66, 50)
_FRONT = (-92, -99, -106, -109, -108, -100, -87, -70, -53, -40, -28)
_BACK = (66, 70, 80, 92, 101, 104, 99, 87, 73, 62, 52)
_DROP = (40, 62, 78, 90, 99, 105, 108, 106, 100, 90, 66, 42)
_END_DEG = (118, 126, 133, 139, 144, 147, 147, 144, 139, 132, 104, 78)
_SCAPULA = ((-22, 60), (-31, 12), (-24, -40), (-8, -84), (4, -76), (24, -20), (46, 30), (47, 56),
            (20, 58))  # fmt: skip
_HEAD_OUT_MM = 80.0
_HEAD_UP_MM = 44.0


def cage(build: Build, z: float) -> tuple[float, float, float]:
    """Half width, front y and back y of the middle of the ribs at height `z`."""
    wide, deep = build.chest
    half, front, back = (float(np.interp(z, _Z, row)) for row in (_HALF, _FRONT, _BACK))
    return half * wide, front * deep, back * (0.5 + 0.5 * deep)


def rib_line(v: Vertebra, number: int, side: int, build: Build) -> Points:
    """Points along rib `number` (1 is the uppermost) from its head to its front end."""
    head = v.at(side * (v.half[0] - 1), v.half[1] + 1, 0.55 * v.half[2])
    corner = v.at(side * 34, v.canal_back + 11, 3)
    drop = _DROP[number - 1] * build.rib_tilt
    knots = [head, corner]
    for angle in np.deg2rad(np.linspace(26, _END_DEG[number - 1], 10)):
        z = corner[2] - drop * (1 - np.cos(angle)) / 2
        half, front, back = cage(build, float(z))
        middle, deep = (front + back) / 2, (back - front) / 2
        drawn = 0.5 * v.place[0] * np.exp(-angle)
        knots.append(np.array([side * half * np.sin(angle) ** 0.9 + drawn,
                               middle + deep * np.cos(angle), z]))  # fmt: skip
    return path(knots, 30)


def rib_solids(vs: tuple[Vertebra, ...], build: Build) -> list[Solid]:
    """Make all ribs: bands higher than thick."""
    made: list[Solid] = []
    for number, v in enumerate(_thoracic(vs), start=1):
        for side in (-1, 1):
            thick = 3.9 * build.bone
            high = thick * build.rib_flat
            sections = [(4.6, 4.2), (5.0, 4.6), (high, thick), (high, thick), (1.1 * high, thick)]
            made += tube(rib_line(v, number, side, build), sections, (0.0, 0.0, 1.0))
    return made


def cartilage_solids(vs: tuple[Vertebra, ...], build: Build) -> list[Solid]:
    """Join the front ends of the upper ten ribs to the sternum or to the rib above."""
    made: list[Solid] = []
    for number, v in enumerate(_thoracic(vs)[:10], start=1):
        for side in (-1, 1):
            start = rib_line(v, number, side, build)[-1]
            z = 1424.0 - 27 * min(number, 7)
            half, front, _ = cage(build, z)
            end = np.array([side * min(20.0, 0.4 * half), front, z])
            bow = (start + end) / 2 + (0, -4, -6)
            made += tube(path([start, bow, end], 6), [(6, 4), (5, 4)], (0.0, 0.0, 1.0))
    return made


def _thoracic(vs: tuple[Vertebra, ...]) -> list[Vertebra]:
    return [v for v in vs if v.region == "thoracic_spine"]


def sternum_solids(build: Build) -> list[Solid]:
    """Manubrium, body and xiphoid process: flat, with a notch at their joint."""
    rows = [(1430, 22), (1416, 29), (1396, 23), (1378, 14), (1345, 16), (1300, 20), (1264, 16),
            (1248, 8), (1230, 5)]  # fmt: skip
    points = np.array([(0.0, cage(build, z)[1] - 3, z) for z, _ in rows])
    sections = [(half, 5.6 * build.bone) for _, half in rows]
    return tube(path(points, 24), path(sections, 24))


def shoulder_frame(build: Build, side: int) -> Points:
    """Axes of a shoulder blade: towards its socket, up along it, away from the ribs."""
    lift = np.deg2rad(38 if build.arms is Arms.RAISED else 2)
    out = np.array([side * 0.72, -0.69, 0.0])
    up = np.array([0.0, -0.12, 0.99])
    along = np.cos(lift) * out + np.sin(lift) * up
    high = np.cos(lift) * up - np.sin(lift) * out
    high -= (high @ along) * along
    high /= np.linalg.norm(high)
    return np.stack([along, high, side * np.cross(along, high) * -1.0])


def _blade_origin(build: Build, side: int) -> Points:
    half, _, back = cage(build, 1368.0)
    return np.array([side * 0.87 * half, back - 10.0, 1366.0])


def shoulder_centre(build: Build, side: int) -> Points:
    """Middle of the head of the humerus."""
    along, high, _ = shoulder_frame(build, side)
    centre: Points = _blade_origin(build, side) + _HEAD_OUT_MM * along + _HEAD_UP_MM * high
    return centre


def scapula_solids(build: Build, side: int) -> list[Solid]:
    """Blade, spine with acromion, socket and coracoid process."""
    frame, origin = shoulder_frame(build, side), _blade_origin(build, side)

    def at(s: float, t: float, n: float) -> Points:
        placed: Points = origin + np.array([s, t, n]) @ frame
        return placed

    def bend(s: Field, t: Field) -> Field:
        return np.float32(0.0022) * s * s + np.float32(-0.0006) * t * t

    b = build.bone
    ridge = path(
        [at(-28, 24, 3), at(5, 36, 14), at(45, 56, 26), at(78, 74, 14), at(86, 74, -6)], 14
    )
    hook = path([at(46, 56, -4), at(48, 66, -18), at(62, 62, -30)], 6)
    socket = ellipsoid(at(50, 44, 0), (7 * b, 19, 13), frame)
    blade = sheet(origin, frame, _SCAPULA, bend, (2.3 * b, 5.2 * b))
    return [blade, socket, *tube(ridge, [(4, 3), (5, 4), (6, 5), (9, 5), (8, 4)], (0, 1, 0)),
            *rod(hook, [5.5, 5, 5])]  # fmt: skip


def clavicle_solids(build: Build, side: int) -> list[Solid]:
    """Make a collar bone, S-shaped, from the sternum to above the shoulder."""
    centre = shoulder_centre(build, side)
    inner = np.array([side * 22.0, cage(build, 1425.0)[1] - 6, 1430.0])
    outer = centre + np.array([-side * 8.0, 4.0, 31.0])
    third = inner + (outer - inner) * 0.33 + (0, -13, 4)
    two = inner + (outer - inner) * 0.72 + (0, 8, 2)
    sections = [(9, 8), (6.5, 6), (5.5, 6), (7, 5), (9, 5)]
    return tube(path([inner, third, two, outer], 14), sections, (0.0, 1.0, 0.0))
