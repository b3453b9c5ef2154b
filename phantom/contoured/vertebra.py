"""One vertebra as a single blended solid; discs, sacrum, and the canal with its cord."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from phantom.contoured.column import CERVICAL
from phantom.contoured.implicit import (
    Solid,
    ellipsoid,
    local,
    path,
    rod,
    shifted,
    smooth_max,
    smooth_min,
    tube,
)

if TYPE_CHECKING:
    from phantom.contoured.build import Build
    from phantom.contoured.column import Vertebra
    from phantom.contoured.implicit import Place, Points
    from phantom.fields import Field

_SACRUM = np.array(
    [(0, 38, 990), (0, 57, 966), (0, 71, 938), (0, 77, 908), (0, 72, 882), (0, 56, 858)]
)
_SACRUM_HALF = np.array([(50, 16.5), (51, 16), (41, 12.5), (29, 9), (15, 6.5), (5, 4)])
_SACRAL_CANAL = np.array([(0, 63, 980), (0, 72, 958), (0, 82, 932), (0, 86, 912)])
_PROCESS = {
    # reach and slope of the spinous process, its half height; reach of the transverse ones
    "cervical_spine": ((17, 27), -0.35, 4.5, (20, 27)),
    "thoracic_spine": ((27, 24), -0.85, 6.0, (35, 24)),
    "lumbar_spine": ((24, 25), -0.12, 10.5, (38, 43)),
}


def vertebra_solid(v: Vertebra, build: Build) -> Solid:
    """Make body, arch and processes of one vertebra."""
    (reach, slope, high, side), thick = _PROCESS[v.region], 3.5 * build.bone
    spinous = float(np.interp(v.rank, (0, 1), reach)) if v.level else 5.0
    transverse = float(np.interp(v.rank, (0, 1), side)) if v.level else 34.0

    def distance(place: Place) -> Field:
        at = local(place, v.place, v.frame)
        arch = _arch(at, v, thick)
        parts = [
            _spine(at, v, (spinous, slope, high), thick),
            _transverse(at, v, transverse),
            _facets(at, v),
        ]
        parts.append(_body(at, v) if v.level else _atlas(at, v))
        if v.level == 1:
            parts.append(_dens(at, v))
        for part in parts:
            arch = smooth_min(arch, part, 3.0)
        return arch

    low = np.array([-transverse - 6, -1.2 * v.half[1] - 4, -v.half[2] - 26])
    high_corner = np.array(
        [transverse + 6, v.canal_back + v.canal[1] + spinous + 6, v.half[2] + 24]
    )
    corners = np.array(
        [[(low, high_corner)[k][a] for a, k in enumerate(c)] for c in np.ndindex(2, 2, 2)]
    )
    turned = v.place + corners @ v.frame
    return Solid(turned.min(axis=0), turned.max(axis=0), distance)


def _body(at: Place, v: Vertebra) -> Field:
    """Draw a kidney-shaped section with a waist; a collapsed body is a wedge."""
    u, b, w = at
    wide, deep, tall = v.half
    hollow = 1 - 0.2 * np.exp(-((u / np.float32(0.45 * wide)) ** 2)) * (b > 0)
    across = np.abs(u / np.float32(wide)) ** 2.5 + np.abs(b / (np.float32(deep) * hollow)) ** 2.5
    waist = 1 - 0.11 * (1 - np.clip(w / np.float32(tall), -1, 1) ** 2)
    section = (across ** np.float32(0.4) / waist - 1) * np.float32(deep)
    front = np.clip(0.5 - 0.5 * b / np.float32(deep), 0, 1)
    height = tall * (1 - (1 - v.wedge) * front)
    return smooth_max(section, np.abs(w) - height.astype(np.float32), 3.0)


def _arch(at: Place, v: Vertebra, thick: float) -> Field:
    u, b, w = at
    back = b - np.float32(v.canal_back)
    wide, deep = v.canal[0] + thick, v.canal[1] + thick
    gauge = np.sqrt((u / np.float32(wide)) ** 2 + (back / np.float32(deep)) ** 2)
    ring = np.abs(gauge - 1) * np.float32(deep) - np.float32(thick)
    tall = v.half[2]
    level = np.abs(w - np.float32(0.2 * tall) + np.float32(0.3) * back) - np.float32(0.62 * tall)
    return smooth_max(ring, level, 2.0)


def _spine(at: Place, v: Vertebra, form: tuple[float, float, float], thick: float) -> Field:
    u, b, w = at
    reach, slope, high = form
    start = v.canal_back + v.canal[1]
    out = b - np.float32(start)
    middle = np.float32(slope) * out
    level = np.abs(w - middle) - np.float32(high) * np.clip(0.6 + out / (2 * reach), 0.5, 1.1)
    run = np.abs(out - np.float32(reach / 2)) - np.float32(reach / 2)
    plate = np.abs(u) - np.float32(0.95 * thick) * (1 + np.float32(0.3 / reach) * out)
    return smooth_max(smooth_max(plate, level, 2.0), run, 2.0)


def _transverse(at: Place, v: Vertebra, reach: float) -> Field:
    u, b, w = at
    slant = {"cervical_spine": -4.0, "thoracic_spine": 14.0, "lumbar_spine": 3.0}[v.region]
    start = v.canal[0] + 2.0
    length = reach - start
    t = np.clip((np.abs(u) - np.float32(start)) / np.float32(length), 0, 1)
    off = np.abs(u) - np.float32(start) - t * np.float32(length)
    back = b - np.float32(v.canal_back) - t * np.float32(slant)
    up = w - np.float32(0.25 * v.half[2]) - t * 4
    gauge = np.sqrt((off / 4) ** 2 + (back / 4) ** 2 + (up / 5.5) ** 2)
    result: Field = ((gauge - 1) * 4).astype(np.float32)
    return result


def _facets(at: Place, v: Vertebra) -> Field:
    u, b, w = at
    off = np.abs(u) - np.float32(v.canal[0] + 4)
    back = b - np.float32(v.canal_back + 4)
    gauge = np.sqrt((off / 4.2) ** 2 + (back / 4.6) ** 2 + (w / np.float32(1.2 * v.half[2])) ** 2)
    result: Field = ((gauge - 1) * 4.2).astype(np.float32)
    return result


def _atlas(at: Place, v: Vertebra) -> Field:
    """Front arch of the first vertebra and its lateral masses; it has no body."""
    u, b, w = at
    back = b - np.float32(v.canal_back - 4)
    gauge = np.sqrt((u / 18) ** 2 + (back / np.float32(v.canal[1] + 9)) ** 2)
    ring = np.sqrt(((gauge - 1) * 14) ** 2 + w**2) - np.float32(3.8)
    mass = np.sqrt(((np.abs(u) - 18) / 8) ** 2 + ((back + 2) / 9) ** 2 + (w / 8.5) ** 2)
    return smooth_min(ring, ((mass - 1) * 8).astype(np.float32), 2.0)


def _dens(at: Place, v: Vertebra) -> Field:
    u, b, w = at
    up = w - np.float32(v.half[2])
    shaft = np.sqrt(u**2 + (b - 1) ** 2) - np.float32(5.2)
    return smooth_max(shaft, np.abs(up - 8) - 11, 2.0)


def discs(vs: tuple[Vertebra, ...]) -> list[Solid]:
    """Make the discs below C2 and every later vertebra."""
    made = []
    for v in vs[1:]:
        size = (0.98 * v.half[0], 0.98 * v.half[1], 0.5 * v.gap_mm + 1.5)
        middle = v.at(0, 0, -v.half[2] - 0.5 * v.gap_mm)
        made.append(ellipsoid(middle, size, v.frame, power=2.8))
    return made


def sacrum_solids(build: Build) -> list[Solid]:
    """Make the sacrum with wings and crest, and the coccyx."""
    half = _SACRUM_HALF * (build.pelvis_width, build.bone)
    made = tube(path(_SACRUM, 14), path(half, 14))
    for side in (-1, 1):
        wing = (side * 32.0 * build.pelvis_width, 52.0, 972.0)
        made.append(ellipsoid(wing, (20, 15, 19), power=2.6))
    crest = shifted(_SACRAL_CANAL, 0, 13, 0)
    return [*made, *rod(crest, [5, 5.5, 5, 4])]


def canal_line(vs: tuple[Vertebra, ...]) -> Points:
    """Middle of the canal from the skull's base to the sacrum."""
    line = [vs[0].at(0, vs[0].canal_back, 10)]
    line += [v.at(0, v.canal_back, 0) for v in vs]
    return np.vstack([line, _SACRAL_CANAL])


def canal_solids(vs: tuple[Vertebra, ...]) -> tuple[list[Solid], list[Solid]]:
    """Return the canal, and in it the cord, which ends at the first lumbar vertebra."""
    line = canal_line(vs)
    half = [vs[0].canal, *[v.canal for v in vs], (10.5, 7.5), (9.0, 6.0), (6.5, 4.5), (4.0, 3.0)]
    n = len(line)
    fine = path(line, 4 * n)
    canal = tube(fine, path(half, 4 * n))
    lumbar = sum(v.region != "lumbar_spine" for v in vs)
    end = lumbar + 2
    cord = (
        [(6.4, 4.2)] * CERVICAL + [(4.4, 3.6)] * (end - CERVICAL - 4) + [(5.2, 4.2)] * 3 + [(2, 2)]
    )
    inside = shifted(line[:end], 0, -0.8, 0)
    return canal, tube(path(inside, 3 * end), path(cord, 3 * end))


def root_places(vs: tuple[Vertebra, ...]) -> list[Points]:
    """Where nerve roots leave between two vertebrae: a ganglion lies there."""
    return [
        v.at(side * (v.canal[0] + 9), v.canal_back - 2, -v.half[2] - 2)
        for v, _ in pairwise(vs[2:])
        for side in (-1, 1)
    ]
