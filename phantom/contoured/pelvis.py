"""Hip bones as bent plates and cups, joined by rami; thigh bones on their necks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from phantom.contoured.implicit import (
    Solid,
    ellipsoid,
    frame_of,
    path,
    rod,
    sheet,
    shifted,
    smooth_max,
    tube,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from phantom.contoured.build import Build
    from phantom.contoured.implicit import Place, Points
    from phantom.fields import Field

_WING = ((90, 4), (78, 26), (52, 44), (15, 56), (-28, 53), (-66, 36), (-93, 6), (-88, -20),
         (-58, -30), (-42, -52), (-30, -80), (10, -86), (42, -76), (60, -44),
         (76, -14))  # fmt: skip
_SOCKET_MM = 28.0


def hip_centre(build: Build, side: int) -> Points:
    """Middle of the head of the femur."""
    return np.array([side * 90.0 * build.pelvis_width, -3.0, 905.0])


def pelvis_solids(build: Build, side: int) -> list[Solid]:
    """Make one hip bone."""
    b = build.bone
    above = shifted(hip_centre(build, side), -side * 2, 8, 42)
    roof = ellipsoid(above, (11 * b, 29, 26), frame_of(turn_deg=side * 25))
    return [_wing(build, side), roof, _socket(build, side), *_rami(build, side)]


def _wing(build: Build, side: int) -> Solid:
    flare = np.deg2rad(14 + build.wing_flare_deg)
    ahead = np.array([side * 0.43, -0.90, 0.0])
    out = np.array([side * 0.90, 0.43, 0.0])
    up = np.cos(flare) * np.array([0, 0, 1.0]) + np.sin(flare) * out
    normal = np.cos(flare) * out - np.sin(flare) * np.array([0, 0, 1.0])
    origin = np.array([side * 80.0 * build.pelvis_width, 10.0, 987.0])

    def bend(s: Field, t: Field) -> Field:
        hollow = np.float32(16.0) * (1 - (s / 92) ** 2)
        lower = np.float32(0.0028) * np.minimum(t, 0) ** 2
        lifted: Field = hollow - 4 - np.float32(0.3) * lower
        return lifted

    half = (3.4 * build.bone, 7.8 * build.bone)
    return sheet(origin, np.stack([ahead, up, normal]), _WING, bend, half)


def _socket(build: Build, side: int) -> Solid:
    """Make a cup that is open to the side, the front and below."""
    centre = hip_centre(build, side)
    opening = np.array([side * 0.74, -0.34, -0.58])
    thick = 4.6 * build.bone

    def distance(place: Place) -> Field:
        x, y, z = (c - np.float32(o) for c, o in zip(place, centre, strict=True))
        shell = np.abs(np.sqrt(x * x + y * y + z * z) - np.float32(_SOCKET_MM + thick))
        a, b, c = (np.float32(v) for v in opening)
        return smooth_max(shell - np.float32(thick), a * x + b * y + c * z - 6, 3.0)

    reach = _SOCKET_MM + 2 * thick
    return Solid(centre - reach, centre + reach, distance)


def _rami(build: Build, side: int) -> list[Solid]:
    b, hip = build.bone, hip_centre(build, side)

    def line(knots: Sequence[tuple[float, float, float]]) -> Points:
        return path(np.array(knots) * (side * build.pelvis_width, 1, 1), 9)

    wall = (hip[0] * side / build.pelvis_width - 14, hip[1] + 28, hip[2] + 4)
    seat = [wall, (68, 37, 880), (63, 39, 858), (60, 34, 836)]
    lower = [(60, 32, 836), (45, 12, 838), (28, -18, 848), (12, -42, 862)]
    upper = [(68, -22, 918), (48, -42, 909), (28, -53, 899), (12, -55, 889)]
    joint = [(12, -54, 890), (11, -50, 876), (11, -44, 862)]
    bar = [(69, 34, 958), (72, 34, 930), (74, 30, 905)]
    return [
        *tube(line(seat), [(9 * b, 13 * b), (11 * b, 12 * b), (12 * b, 14 * b)]),
        *tube(line(lower), [(7 * b, 10 * b), (5.5 * b, 8 * b), (7 * b, 9 * b)]),
        *tube(line(upper), [(9 * b, 9 * b), (7 * b, 8 * b), (7 * b, 10 * b)], (0.0, 1.0, 0.0)),
        *rod(line(joint), [9 * b, 8.5 * b, 8 * b]),
        *rod(line(bar), [9 * b, 11 * b, 11 * b]),
    ]


def femur_solids(build: Build, side: int) -> list[Solid]:
    """Head, neck at its own angle, trochanters, and the shaft bowed to the front."""
    b, hip = build.bone, hip_centre(build, side)
    down = np.deg2rad(180 - build.neck_shaft_deg)
    foot = hip + 50 * np.array([side * np.sin(down), 0.14, -np.cos(down)])
    head = ellipsoid(hip, (23.5 * b, 23.5 * b, 23.5 * b))
    neck = tube(
        path([hip, foot], 5), [(17 * b, 15 * b), (14.5 * b, 13 * b), (19 * b, 16 * b)], (0, 0, 1)
    )
    greater = ellipsoid(shifted(foot, side * 8, 9, 9), (13 * b, 19 * b, 25 * b), power=2.4)
    lesser = ellipsoid(shifted(foot, -side * 13, 14, -26), (10, 10, 13))
    line = [
        foot,
        shifted(foot, -side * 1, 0, -60),
        shifted(foot, -side * 8, -9, -160),
        shifted(foot, -side * 24, 4, -340),
    ]
    shaft = tube(
        path(line, 16),
        [(20 * b, 18 * b), (16 * b, 15.5 * b), (14 * b, 14.5 * b), (14 * b, 14.5 * b)],
    )
    return [head, *neck, greater, lesser, *shaft]
