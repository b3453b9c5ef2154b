"""How a grid stands in the room: head up, patient's right on the viewer's left."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    from imaging.geometry import Geometry

_TOWARDS = (2, 1, 0)
"""The LPS component along which (slice, row, column) shall run: z to head, y to back, x to left."""


@dataclass(frozen=True)
class Orientation:
    """How to order and flip array axes so that they run to head, to back and to the left."""

    order: tuple[int, int, int]
    flipped: tuple[bool, bool, bool]
    spacing_mm: tuple[float, float, float]
    """Spacing along (slice, row, column) after `apply`."""

    def apply(self, array: NDArray[Any]) -> NDArray[Any]:
        """View `array` with slices from feet to head, rows to the back, columns to the left."""
        steps = tuple(slice(None, None, -1 if flip else 1) for flip in self.flipped)
        return array.transpose(self.order)[steps]


def orientation(geometry: Geometry) -> Orientation:
    """Find the axes of `geometry` that run nearest to the patient's axes."""
    directions = geometry.affine[:3, :3] / np.linalg.norm(geometry.affine[:3, :3], axis=0)
    order = max(
        permutations(range(3)),
        key=lambda axes: sum(
            abs(directions[component, axis]) for component, axis in zip(_TOWARDS, axes, strict=True)
        ),
    )
    flips = [
        bool(directions[component, axis] < 0)
        for component, axis in zip(_TOWARDS, order, strict=True)
    ]
    spacing = [geometry.spacing_mm[axis] for axis in order]
    return Orientation(
        (order[0], order[1], order[2]),
        (flips[0], flips[1], flips[2]),
        (spacing[0], spacing[1], spacing[2]),
    )
