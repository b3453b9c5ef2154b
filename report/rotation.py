"""The body turned about its length axis, as quick as 60 maximum intensity projections can be.

Every slice is brought once to a fine square grid, signal in 255 steps of its window (the largest
of a ray is the same before and after), with the slices of one place side by side in memory. A
frame then only picks rows of that table. Half a turn is computed: the projection from behind is
the mirror image of the one from the front.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from imaging.separable import in_plane, linear_weights
from report.adc_classes import classify
from report.mip import Projection, View, Window, find_window, foreground, project

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from report.mip import Body

STEP_DEGREES = 3.0
LEVELS = Window(0.0, 255.0)
"""The window of the frames: their signal is in steps of the body's window."""
_MARGIN_MM = 10.0


@dataclass(frozen=True, eq=False)
class Turntable:
    """A body made ready to be turned; places are (row, column) of a square grid of `n_side`."""

    signal: NDArray[np.uint8] = field(repr=False)
    """(place, slice), the slices from head to feet; the last place is air."""
    inside: NDArray[np.bool_] = field(repr=False)
    """Places where any slice shows the body."""
    disease: NDArray[np.float32] = field(repr=False)
    """One row a diseased point: slice, row and column from the centre in places, ADC in µm²/s."""
    n_side: int
    pixel_mm: tuple[float, float]
    """Of the frames, along (row, column)."""
    thresholds_um2_s: tuple[float, float]

    def frame(self, degrees: float) -> Projection:
        """Return the projection of the body turned by `degrees`: 90 brings its front to the right.

        Signal in steps of the body's window, 0 to 255.
        """
        angle = np.deg2rad(degrees)
        signal = self._signal(float(np.cos(angle)), float(np.sin(angle)))
        classes = self._classes(float(np.cos(angle)), float(np.sin(angle)))
        return Projection(signal.astype(np.float32), classes, self.pixel_mm)

    def _signal(self, cos: float, sin: float) -> NDArray[np.uint8]:
        """Take, depth by depth, what lies there after turning, and keep the largest."""
        n, air = self.n_side, len(self.signal) - 1
        across = np.arange(n) - (n - 1) / 2
        depth = across[:, None]
        rows = np.rint(cos * depth - sin * across + (n - 1) / 2).astype(np.intp)
        columns = np.rint(sin * depth + cos * across + (n - 1) / 2).astype(np.intp)
        known = (rows >= 0) & (rows < n) & (columns >= 0) & (columns < n)
        places = np.where(known, rows * n + columns, air)
        hit = self.inside[places]
        places[~hit] = air
        largest = np.zeros((n, self.signal.shape[1]), np.uint8)
        first, last = hit.argmax(axis=1), n - hit[:, ::-1].argmax(axis=1)
        for k in np.flatnonzero(hit.any(axis=1)):
            here = slice(int(first[k]), int(last[k]))
            np.maximum(largest[here], self.signal.take(places[k, here], axis=0), out=largest[here])
        return largest.T

    def _classes(self, cos: float, sin: float) -> NDArray[np.uint8]:
        """Drop the diseased points onto the frame; the class of their mean ADC."""
        shape = (self.signal.shape[1], self.n_side)
        slices, rows, columns, adc = self.disease.T
        middle = (self.n_side - 1) / 2
        # Not rint: it rounds halves to even places and would leave every other one empty.
        across = np.floor(cos * columns - sin * rows + middle + 0.5).astype(np.intp)
        pixels = slices.astype(np.intp) * self.n_side + np.clip(across, 0, self.n_side - 1)
        count = np.bincount(pixels, minlength=shape[0] * shape[1])
        total = np.bincount(pixels, adc, minlength=shape[0] * shape[1])
        mean = np.where(count > 0, total / np.maximum(count, 1), np.nan)
        return classify(mean, self.thresholds_um2_s).reshape(shape)


def turntable(body: Body, pixel_mm: float = 1.25, window: Window | None = None) -> Turntable:
    """Make a body ready: its axis through the middle of what it covers, its field as small as can.

    `pixel_mm` is the grid's; every ray meets every point of it. Without `window` the body's own.
    """
    window = window or find_window(project(body, View.CORONAL))
    centre, radius_mm = _field(body)
    n_side = 2 * int(np.ceil(radius_mm / pixel_mm)) + 1
    rows, columns = (
        _weights(body.signal.shape[axis], body.spacing_mm[axis], centre[axis - 1], n_side, pixel_mm)
        for axis in (1, 2)
    )
    fine = in_plane(np.ascontiguousarray(body.signal[::-1], np.float32), rows, columns)
    fine -= window.low
    fine *= 255.0 / (window.high - window.low)
    levels = np.rint(np.clip(fine, 0.0, 255.0, out=fine)).astype(np.uint8).reshape(len(fine), -1)
    table = np.zeros((levels.shape[1] + 1, len(fine)), np.uint8)
    table[:-1] = levels.T
    return Turntable(
        signal=table,
        inside=table.max(axis=1) > 0,
        disease=_points(body, centre, pixel_mm),
        n_side=n_side,
        pixel_mm=(body.spacing_mm[0], pixel_mm),
        thresholds_um2_s=body.thresholds_um2_s,
    )


def rotating(body: Body, step_degrees: float = STEP_DEGREES) -> Iterator[Projection]:
    """Yield the frames of one whole turn, the first seen from the front; show them in `LEVELS`.

    Raises:
        ValueError: half a turn is no whole number of steps.

    """
    half = half_turn(body, step_degrees)
    yield from half
    for front in half:
        yield Projection(front.signal[:, ::-1], front.classes[:, ::-1], front.pixel_mm)


def half_turn(
    body: Body, step_degrees: float = STEP_DEGREES, window: Window | None = None
) -> tuple[Projection, ...]:
    """Return the frames from the front to just before the view from behind, as `rotating` does.

    Raises:
        ValueError: half a turn is no whole number of steps.

    """
    n_half = round(180.0 / step_degrees)
    if abs(n_half * step_degrees - 180.0) > 1e-9:
        message = f"half a turn is no whole number of steps of {step_degrees:g} degrees"
        raise ValueError(message)
    table = turntable(body, window=window)
    return tuple(table.frame(k * step_degrees) for k in range(n_half))


def _field(body: Body) -> tuple[NDArray[np.float64], float]:
    """Return where the axis meets a slice (row, column) and the radius of the body, in mm."""
    seen_from_above = Projection(
        body.signal.max(axis=0), np.zeros(body.signal.shape[1:], np.uint8), (1.0, 1.0)
    )
    shown = foreground(seen_from_above)
    # Single voxels of noise beside the body would make the field as wide as the images.
    places = np.argwhere(ndimage.binary_opening(shown))
    if not len(places):
        places = np.array([[0, 0], np.array(body.signal.shape[1:]) - 1])
    spacing = np.array(body.spacing_mm[1:])
    centre = (places.min(axis=0) + places.max(axis=0)) / 2
    distance = np.linalg.norm((places - centre) * spacing, axis=1).max()
    return centre, float(distance) + _MARGIN_MM


def _weights(
    n_source: int, spacing_mm: float, centre: float, n_side: int, pixel_mm: float
) -> NDArray[np.float32]:
    steps = np.arange(n_side) - (n_side - 1) / 2
    places = np.asarray(centre + steps * pixel_mm / spacing_mm, np.float64)
    return linear_weights(places, n_source, pixel_mm / spacing_mm)


def _points(body: Body, centre: NDArray[np.float64], pixel_mm: float) -> NDArray[np.float32]:
    """Spread every diseased voxel over the grid's places that it covers."""
    index = np.argwhere(~np.isnan(body.adc_um2_s))
    adc = body.adc_um2_s[tuple(index.T)]
    index[:, 0] = len(body.signal) - 1 - index[:, 0]
    parts = [max(1, int(np.ceil(spacing / pixel_mm))) for spacing in body.spacing_mm[1:]]
    points = []
    for row in (np.arange(parts[0]) + 0.5) / parts[0] - 0.5:
        for column in (np.arange(parts[1]) + 0.5) / parts[1] - 0.5:
            place = (index[:, 1:] + (row, column) - centre) * np.array(body.spacing_mm[1:])
            points.append(np.column_stack([index[:, 0], place / pixel_mm, adc]))
    return np.concatenate(points).astype(np.float32)
