"""Implicit solids: a signed distance in mm and the box in which it is negative.

Frame: millimetres of a person of 1740 mm, x to the left, y to the back, z up from the floor.
Distances are exact enough near the surface only, which is where they are used.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

from phantom.fields import Field

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

Points = NDArray[np.float64]
Place = tuple[Field, Field, Field]
"""x, y, z of the same voxels."""
Distance = Callable[[Place], Field]
Ripple = Callable[[Place], Field]
"""Relative growth of a radius by direction (unit vectors)."""


@dataclass(frozen=True, eq=False)
class Solid:
    """Whatever has a negative distance, within the box from `low` to `high` (mm)."""

    low: Points
    high: Points
    distance: Distance = field(repr=False)


def smooth_min(a: Field, b: Field, blend_mm: float) -> Field:
    """Minimum whose corner is rounded over `blend_mm` (polynomial blend)."""
    near = np.maximum(np.float32(blend_mm) - np.abs(a - b), 0)
    result: Field = np.minimum(a, b) - near * near * np.float32(0.25 / blend_mm)
    return result


def smooth_max(a: Field, b: Field, blend_mm: float) -> Field:
    """Maximum whose corner is rounded over `blend_mm`."""
    return -smooth_min(-a, -b, blend_mm)


def shifted(points: ArrayLike, x: float, y: float, z: float) -> Points:
    """Move one point or many."""
    moved: Points = np.asarray(points, dtype=np.float64) + np.array([x, y, z])
    return moved


def local(place: Place, origin: ArrayLike, frame: Points) -> Place:
    """Coordinates about `origin` along the rows of `frame`."""
    o = np.asarray(origin, dtype=np.float32)
    x, y, z = (c - v for c, v in zip(place, o, strict=True))
    u, v, w = (np.float32(r[0]) * x + np.float32(r[1]) * y + np.float32(r[2]) * z for r in frame)
    return u, v, w


def frame_of(forward_deg: float = 0.0, left_deg: float = 0.0, turn_deg: float = 0.0) -> Points:
    """Rows left, back, up of a body that leans forward and to the left, then turns about `up`."""
    a, b, c = np.deg2rad([forward_deg, left_deg, turn_deg])
    up = np.array([np.sin(b) * np.cos(a), -np.sin(a), np.cos(a) * np.cos(b)])
    back = np.array([-np.sin(c), np.cos(c), 0.0])
    back -= (back @ up) * up
    back /= np.linalg.norm(back)
    return np.stack([np.cross(back, up), back, up])


def ellipsoid(
    centre: ArrayLike,
    radii: ArrayLike,
    frame: Points | None = None,
    ripple: Ripple | None = None,
    power: float = 2.0,
) -> Solid:
    """Make a rounded body whose radius a `ripple` changes with the direction."""
    c, r = np.asarray(centre, dtype=np.float64), np.asarray(radii, dtype=np.float64)
    axes = np.eye(3) if frame is None else frame

    def distance(place: Place) -> Field:
        scaled = [v / np.float32(s) for v, s in zip(local(place, c, axes), r, strict=True)]
        gauge: Field = np.full_like(scaled[0], 1e-9)
        for v in scaled:
            gauge += np.abs(v) ** np.float32(power)
        gauge **= np.float32(1 / power)
        if ripple is not None:
            u, v, w = (s / gauge for s in scaled)
            gauge /= 1 + ripple((u, v, w))
        result: Field = (gauge - 1) * np.float32(r.min())
        return result

    reach = 1.25 * np.sqrt(((axes * r[:, None]) ** 2).sum(axis=0)) * (1.2 if power > 2 else 1)
    return Solid(c - reach, c + reach, distance)


def ripples(rng: np.random.Generator, amplitude: float, waves: int = 6) -> Ripple:
    """Draw smooth lobes on a body: waves over the direction, `amplitude` their deviation."""
    axes = rng.standard_normal((waves, 3))
    axes /= np.linalg.norm(axes, axis=1, keepdims=True)
    pitch, phase = rng.uniform(1.2, 4.5, waves), rng.uniform(0, 2 * np.pi, waves)
    size = amplitude * np.sqrt(2 / waves)

    def growth(direction: Place) -> Field:
        u, v, w = direction
        total = np.zeros_like(u)
        for (a, b, c), f, p in zip(axes * pitch[:, None], pitch, phase, strict=True):
            wave = np.float32(a) * u + np.float32(b) * v + np.float32(c) * w + np.float32(p)
            total += np.float32(size / max(1.0, 0.5 * f)) * np.sin(wave)
        return total

    return growth


def path(knots: ArrayLike, n: int) -> Points:
    """`n` points along a monotone cubic through (k, columns) knots."""
    given = np.asarray(knots, dtype=np.float64)
    curve = PchipInterpolator(np.linspace(0, 1, len(given)), given)
    points: Points = curve(np.linspace(0, 1, n))
    return points


def tube(
    points: ArrayLike, sections: ArrayLike, across: Sequence[float] = (1.0, 0.0, 0.0)
) -> list[Solid]:
    """Make one solid a segment of a polyline with elliptical sections.

    `sections` (k, 2): half sizes along `across` and square to it, spread evenly over the points.
    """
    line = np.asarray(points, dtype=np.float64)
    given = np.asarray(sections, dtype=np.float64)
    at = np.linspace(0, len(given) - 1, len(line))
    half = np.stack([np.interp(at, np.arange(len(given)), given[:, k]) for k in (0, 1)], axis=1)
    wanted = np.asarray(across, dtype=np.float64)
    return [
        _segment(p, q, (s, t), wanted)
        for (p, q), (s, t) in zip(pairwise(line), pairwise(half), strict=True)
    ]


def rod(points: ArrayLike, radii: Sequence[float]) -> list[Solid]:
    """Make a round tube."""
    return tube(points, [(r, r) for r in radii])


def _segment(p: Points, q: Points, half: tuple[Points, Points], across: Points) -> Solid:
    length = float(np.linalg.norm(q - p))
    along = (q - p) / length
    side = across - (across @ along) * along
    if np.linalg.norm(side) < 0.1:
        side = np.cross(along, [0.3, 0.5, 0.8])
    side /= np.linalg.norm(side)
    frame = np.stack([side, np.cross(along, side), along])
    first, change = half[0], half[1] - half[0]

    def distance(place: Place) -> Field:
        u, v, w = local(place, p, frame)
        t = np.clip(w / np.float32(length), 0, 1)
        w -= t * np.float32(length)
        a, b = (np.float32(f) + np.float32(c) * t for f, c in zip(first, change, strict=True))
        small = np.minimum(a, b)
        gauge = np.sqrt((u / a) ** 2 + (v / b) ** 2 + (w / small) ** 2)
        result: Field = (gauge - 1) * small
        return result

    reach = float(np.max(half))
    return Solid(np.minimum(p, q) - reach, np.maximum(p, q) + reach, distance)


def carved(solid: Solid, hole: Solid, blend_mm: float = 2.0) -> Solid:
    """Take `hole` away from `solid`."""
    return Solid(
        solid.low,
        solid.high,
        lambda place: smooth_max(solid.distance(place), -hole.distance(place), blend_mm),
    )


def clipped(solid: Solid, limit: Distance, blend_mm: float = 2.0) -> Solid:
    """Keep of `solid` what lies where `limit` is negative."""
    return Solid(
        solid.low,
        solid.high,
        lambda place: smooth_max(solid.distance(place), limit(place), blend_mm),
    )


def sheet(
    origin: ArrayLike,
    frame: Points,
    outline: ArrayLike,
    bend: Callable[[Field, Field], Field],
    half_mm: tuple[float, float],
) -> Solid:
    """Make a bent plate with an outline (k, 2) in its plane (first two rows of `frame`).

    `bend` lifts it along the third row; `half_mm` is its half thickness inside and at the rim.
    """  # fmt: skip
    o, corners = np.asarray(origin, dtype=np.float64), np.asarray(outline, dtype=np.float64)
    thin, rim = half_mm

    def distance(place: Place) -> Field:
        s, t, n = local(place, o, frame)
        edge = _polygon_distance(s, t, corners)
        half = thin + (rim - thin) * np.exp(np.minimum(edge, 0) / np.float32(9.0))
        return smooth_max(edge, np.abs(n - bend(s, t)) - half.astype(np.float32), 3.0)

    placed = o + corners @ frame[:2]
    reach = 30.0 + rim
    return Solid(placed.min(axis=0) - reach, placed.max(axis=0) + reach, distance)


def _polygon_distance(s: Field, t: Field, corners: Points) -> Field:
    """Signed distance to a polygon, negative inside."""
    square = np.full(s.shape, np.inf, np.float32)
    inside = np.zeros(s.shape, bool)
    for (a, b), (c, d) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        es, et = np.float32(c - a), np.float32(d - b)
        ps, pt = s - np.float32(a), t - np.float32(b)
        along = np.clip((ps * es + pt * et) / (es * es + et * et), 0, 1)
        square = np.minimum(square, (ps - along * es) ** 2 + (pt - along * et) ** 2)
        inside ^= ((t >= b) != (t >= d)) & (ps < es * pt / (et or np.float32(1e-6)))
    result: Field = np.where(inside, -1, 1).astype(np.float32) * np.sqrt(square)
    return result
