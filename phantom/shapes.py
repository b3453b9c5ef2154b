"""Implicit bodies in the reference frame of the synthetic person.

Reference frame: millimetres of a person of 1720 mm, x to the left, y to the back, z up from the
floor; the mid-sagittal plane is x = 0. Shapes are values; `canvas` paints them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

Points = NDArray[np.float64]
Vector = tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class Beads:
    """A union of balls: tubes along curves and curved plates. `code` is a label or a tissue."""

    code: int
    centres: Points = field(repr=False)
    """(n, 3) reference mm."""
    radii: NDArray[np.float64] = field(repr=False)
    """(n,) mm."""


@dataclass(frozen=True, eq=False)
class Block:
    """A rotated superquadric: exponent 2 is an ellipsoid, larger ones are boxier."""

    code: int
    centre: Vector
    radii: Vector
    frame: Points = field(default_factory=lambda: np.eye(3), repr=False)
    """Rows are the unit axes of the block."""
    exponent: float = 2.0


Shape = Beads | Block


def vector(point: Points) -> Vector:
    """Return a (3,) array as three floats."""
    return float(point[0]), float(point[1]), float(point[2])


def curve(knots: ArrayLike, n: int) -> Points:
    """`n` points along a Catmull-Rom spline through (k, 3) knots, evenly in arc length."""
    points = np.asarray(knots, dtype=np.float64)
    padded = np.vstack([2 * points[0] - points[1], points, 2 * points[-1] - points[-2]])
    t = np.linspace(0, len(points) - 1, 8 * len(points), endpoint=True)
    i = np.minimum(t.astype(int), len(points) - 2)
    u = (t - i)[:, None]
    p0, p1, p2, p3 = (padded[i + k] for k in range(4))
    dense = 0.5 * (
        2 * p1 + (p2 - p0) * u + (2 * p0 - 5 * p1 + 4 * p2 - p3) * u**2
        + (3 * p1 - p0 - 3 * p2 + p3) * u**3
    )  # fmt: skip
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(dense, axis=0), axis=1))])
    even = np.linspace(0, length[-1], n)
    return np.stack([np.interp(even, length, dense[:, k]) for k in range(3)], axis=1)


def tube(code: int, knots: ArrayLike, radii: Sequence[float]) -> Beads:
    """Make a tube along a spline through `knots`; `radii` in mm are spread evenly along it."""
    points = np.asarray(knots, dtype=np.float64)
    length = float(np.linalg.norm(np.diff(points, axis=0), axis=1).sum()) * 1.05
    n = max(2, int(length / (0.45 * min(radii))) + 1)
    along = np.interp(np.linspace(0, 1, n), np.linspace(0, 1, len(radii)), radii)
    return Beads(code, curve(points, n), along)


def plate(code: int, rows: Sequence[ArrayLike], radii: Sequence[Sequence[float]]) -> Beads:
    """Make a curved plate through `rows` of equally many knots, with half thicknesses in mm."""
    net = np.stack([np.asarray(r, dtype=np.float64) for r in rows])
    thin = max(float(np.min(radii)), 2.5)
    across = float(np.linalg.norm(np.diff(net, axis=0), axis=2).sum(axis=0).max())
    along = float(np.linalg.norm(np.diff(net, axis=1), axis=2).sum(axis=1).max())
    n_across, n_along = int(across / (0.9 * thin)) + 2, int(along / (0.9 * thin)) + 2
    lines = np.stack([curve(row, n_along) for row in net])
    surface = np.stack([curve(lines[:, k], n_across) for k in range(n_along)], axis=1)
    half = _stretch2(np.asarray(radii, dtype=np.float64), (n_across, n_along))
    return Beads(code, surface.reshape(-1, 3), half.ravel())


def _stretch2(net: NDArray[np.float64], shape: tuple[int, int]) -> NDArray[np.float64]:
    rows = np.stack(
        [np.interp(np.linspace(0, 1, shape[1]), np.linspace(0, 1, net.shape[1]), r) for r in net]
    )
    return np.stack(
        [np.interp(np.linspace(0, 1, shape[0]), np.linspace(0, 1, len(net)), c) for c in rows.T],
        axis=1,
    )


def rotation(about_x: float, about_y: float, about_z: float) -> Points:
    """Rotation matrix from angles in degrees; its rows serve as a block's frame."""
    ax, ay, az = np.deg2rad([about_x, about_y, about_z])
    rx = np.array([[1, 0, 0], [0, np.cos(ax), -np.sin(ax)], [0, np.sin(ax), np.cos(ax)]])
    ry = np.array([[np.cos(ay), 0, np.sin(ay)], [0, 1, 0], [-np.sin(ay), 0, np.cos(ay)]])
    rz = np.array([[np.cos(az), -np.sin(az), 0], [np.sin(az), np.cos(az), 0], [0, 0, 1]])
    product: Points = rz @ ry @ rx
    return product


def mirrored(knots: ArrayLike, side: int) -> Points:
    """Knots given for the left (+x) taken to `side` (+1 left, -1 right)."""
    points: Points = np.asarray(knots, dtype=np.float64) * np.array([side, 1.0, 1.0])
    return points
