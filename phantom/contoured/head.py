"""Head: a skull of uneven thickness with a carved face, and what it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from phantom.contoured.implicit import (
    Solid,
    carved,
    clipped,
    ellipsoid,
    path,
    rod,
    shifted,
    smooth_max,
    tube,
)

if TYPE_CHECKING:
    from phantom.contoured.build import Build
    from phantom.contoured.implicit import Place, Points, Ripple
    from phantom.fields import Field

CENTRE = np.array([0.0, -2.0, 1654.0])
_RADII = np.array([75.0, 95.0, 85.0])
TEETH = np.array([[0.0, -84.0, 1540.0]])
_FLOOR_Y = (-96.0, -40.0, 0.0, 25.0, 60.0, 96.0)
_FLOOR_Z = (1636.0, 1624.0, 1606.0, 1596.0, 1592.0, 1604.0)


def _floor(place: Place) -> Field:
    """How far above the base of the skull."""
    _, y, z = place
    result: Field = z - np.interp(y, _FLOOR_Y, _FLOOR_Z).astype(np.float32)
    return result


def _radii(build: Build) -> Points:
    radii: Points = _RADII * build.head
    return radii


def skull_solids(build: Build, uneven: Ripple) -> list[Solid]:
    """Make vault, base, petrous bones, face and jaw."""
    return [_vault(build, uneven), _base(build), *_face(), *_temporal(), *_jaw(build)]


def _vault(build: Build, uneven: Ripple) -> Solid:
    thick = 7.0 * build.bone
    outer = ellipsoid(CENTRE, _radii(build), power=2.15)
    inner = ellipsoid(CENTRE, _radii(build) - thick, ripple=uneven, power=2.15)
    return clipped(carved(outer, inner, 1.0), lambda place: -_floor(place) - 5)


def _base(build: Build) -> Solid:
    inside = ellipsoid(CENTRE, _radii(build) * (0.97, 0.97, 1.1))
    hole = ellipsoid((0, 27, 1597), (15, 17, 20))

    def distance(place: Place) -> Field:
        plate = np.abs(_floor(place)) - np.float32(4.2 * build.bone)
        return smooth_max(plate, inside.distance(place), 2.0)

    return carved(Solid(CENTRE - (80, 100, 75), shifted(CENTRE, 80, 100, 0), distance), hole)


def _face() -> list[Solid]:
    block = ellipsoid((0, -66, 1586), (50, 32, 36), power=3.0)
    for side in (-1, 1):
        block = carved(block, ellipsoid((side * 33, -84, 1606), (17, 24, 16)))
        block = carved(block, ellipsoid((side * 28, -66, 1574), (14, 18, 15)))
    block = carved(block, ellipsoid((0, -70, 1584), (12, 38, 20)))
    palate = tube([(-26, -62, 1556), (0, -84, 1554), (26, -62, 1556)], [(8, 7), (9, 7), (8, 7)])
    cheek = [
        solid
        for side in (-1, 1)
        for solid in rod(
            path([(side * 48, -76, 1584), (side * 64, -48, 1588), (side * 68, -14, 1594)], 7),
            [7, 4, 4],
        )
    ]
    return [block, *palate, *cheek]


def _temporal() -> list[Solid]:
    made = []
    for side in (-1, 1):
        made.append(ellipsoid((side * 45, 14, 1600), (22, 13, 12), power=2.5))
        made.append(ellipsoid((side * 60, 26, 1588), (9, 13, 20)))
    return made


def _jaw(build: Build) -> list[Solid]:
    b = build.bone
    made: list[Solid] = []
    for side in (-1, 1):
        ramus = [(side * 53, -14, 1592), (side * 53, -18, 1566), (side * 50, -26, 1542)]
        arch = [
            (side * 50, -26, 1540),
            (side * 44, -54, 1530),
            (side * 27, -80, 1523),
            (0, -92, 1520),
        ]
        made += tube(path(ramus, 8), [(6 * b, 5 * b), (12 * b, 5 * b), (13 * b, 6 * b)], (0, 1, 0))
        made += tube(
            path(arch, 12), [(12 * b, 6.5 * b), (12 * b, 6.5 * b), (14 * b, 7.5 * b)], (0, 0, 1)
        )
    return made


def scalp(build: Build, extra_mm: float) -> list[Solid]:
    """Flesh of the head down to the chin."""
    top = ellipsoid(CENTRE, _radii(build) + extra_mm, power=2.1)
    face = ellipsoid((0, -42, 1570), np.array([60, 60, 60]) + extra_mm, power=2.6)
    nape = ellipsoid((0, 30, 1570), np.array([58, 52, 55]) + extra_mm)
    return [top, face, nape]


def brain_solid(build: Build) -> Solid:
    """Make the brain above the base, with a rim of fluid around it."""
    whole = ellipsoid(CENTRE, _radii(build) - 7.0 * build.bone - 3.5, power=2.15)
    return clipped(whole, lambda place: -_floor(place) + 6)


def fluid_solid(build: Build) -> Solid:
    """Return all of the inside of the skull."""
    whole = ellipsoid(CENTRE, _radii(build) - 5.0 * build.bone, power=2.15)
    return clipped(whole, lambda place: -_floor(place) + 2)


def ventricle_solids() -> list[Solid]:
    """Make the ventricles."""
    made: list[Solid] = []
    for side in (-1, 1):
        horn = path([(side * 9, -34, 1668), (side * 12, 0, 1676), (side * 22, 34, 1660)], 9)
        made += tube(horn, [(4, 6), (5, 8), (7, 8)], (1, 0, 0))
    return [*made, ellipsoid((0, 2, 1648), (2.5, 15, 9))]


def eye_solids() -> list[Solid]:
    """Make the eyes."""
    return [ellipsoid((side * 32, -82, 1607), (12, 12.5, 12)) for side in (-1, 1)]


def air_solids() -> list[Solid]:
    """Nose, sinuses and pharynx."""
    sinuses = [ellipsoid((side * 28, -66, 1574), (11, 14, 12)) for side in (-1, 1)]
    return [
        *sinuses,
        ellipsoid((0, -72, 1582), (9, 30, 15)),
        *rod([(0, -30, 1580), (0, -22, 1540)], [8, 8]),
    ]
