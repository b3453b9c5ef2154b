"""Whether slices make a regular volume, and on which grid; distances come from positions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dicom_objects.reading.planes import axes_of, coordinates_mm, plane_of
from imaging.geometry import Geometry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from dicom_objects.reading.frames import Frame

SAME_POSITION = 0.1
"""As a share of the slice spacing."""
_ONE_POSITION_MM = 0.05
"""Closer than this along the normal, two images are at one position."""
_SHEAR = 0.0087
"""Slices may shift sideways by 0.5 degrees of their distance: rounding of header numbers."""
_ROUNDING_MM = 0.1

Reason = tuple[str, str]


@dataclass(frozen=True, eq=False)
class Ladder:
    """The distinct slice positions of frames in mm along the normal, ascending."""

    positions_mm: NDArray[np.float64]
    counts: NDArray[np.int64]
    """Images at each position."""

    @property
    def spacing_mm(self) -> float | None:
        """The usual distance of neighbours; None for a single slice."""
        return float(np.median(np.diff(self.positions_mm))) if len(self.counts) > 1 else None

    def rung_of(self, positions_mm: NDArray[np.float64]) -> NDArray[np.intp]:
        """Return which of the positions each of the given ones is."""
        nearest: NDArray[np.intp] = np.abs(positions_mm[:, None] - self.positions_mm).argmin(axis=1)
        return nearest

    def fault(self) -> Reason | None:
        """Say why the positions are no regular grid: a code and a sentence."""
        if len(self.counts) < 2:
            return ("TOO_FEW_SLICES", "a single slice makes no volume; send the whole series.")
        steps = np.diff(self.positions_mm)
        spacing = float(np.median(steps))
        if steps.max() > spacing * (1 + SAME_POSITION):
            k = int(np.argmax(steps))
            text = (
                f"slices are missing between {self.positions_mm[k]:.1f} and"
                f" {self.positions_mm[k + 1]:.1f} mm along the normal ({len(self.counts)} slices"
                f" {spacing:.1f} mm apart); send the series again."
            )
            return ("MISSING_SLICES", text)
        if steps.min() < spacing * (1 - SAME_POSITION):
            text = f"slice distances vary from {steps.min():.2f} to {steps.max():.2f} mm."
            return ("UNEVEN_SLICES", text)
        return None


def ladder(frames: Sequence[Frame]) -> Ladder:
    """Return the slice positions of frames of one orientation."""
    return ladder_of(coordinates_mm(frames)[:, 0])


def ladder_of(positions_mm: NDArray[np.float64]) -> Ladder:
    """Return the distinct ones of positions in any order, and how often each occurs."""
    ordered = np.sort(positions_mm)
    starts = np.flatnonzero(np.diff(ordered, prepend=-np.inf) > _ONE_POSITION_MM)
    counts = np.diff(np.append(starts, len(ordered)))
    return Ladder(ordered[starts], counts)


def fault_of(ordered: Sequence[Frame]) -> Reason | None:
    """Say why frames, sorted along the normal, make no volume; None when they do."""
    at = coordinates_mm(ordered)
    found = ladder_of(at[:, 0])
    if found.counts.max() > 1:
        return _unequal(found)
    return found.fault() or _sideways(at)


def geometry_of(ordered: Sequence[Frame]) -> Geometry:
    """Return the grid of frames that are sorted along the normal and regular."""
    first, last = plane_of(ordered[0]), plane_of(ordered[-1])
    _, down_column, along_row = axes_of(first)
    affine = np.eye(4)
    affine[:3, 0] = (np.array(last.position_mm) - first.position_mm) / (len(ordered) - 1)
    affine[:3, 1] = down_column * first.spacing_mm[0]
    affine[:3, 2] = along_row * first.spacing_mm[1]
    affine[:3, 3] = first.position_mm
    shape = (len(ordered), first.rows, first.columns)
    return Geometry(shape, affine, first.frame_of_reference_uid)


def _unequal(found: Ladder) -> Reason:
    if found.counts.min() == found.counts.max():
        at = found.positions_mm[0]
        text = f"{found.counts[0]} images lie at {at:.1f} mm and nothing tells them apart."
        return ("DUPLICATE_SLICES", text)
    few = int(np.argmin(found.counts))
    text = (
        f"slices are missing: {found.counts[few]} image(s) at {found.positions_mm[few]:.1f} mm"
        f" along the normal, {found.counts.max()} at others; send the series again."
    )
    return ("MISSING_SLICES", text)


def _sideways(at: NDArray[np.float64]) -> Reason | None:
    """Slices that step sideways, evenly or not, are no upright box of voxels."""
    line = np.linspace(at[0], at[-1], len(at))
    bent = float(np.abs(at - line)[:, 1:].max())
    lean = float(np.abs(at[-1] - at[0])[1:].max())
    if bent > _ROUNDING_MM or lean > _ROUNDING_MM + _SHEAR * float(at[-1, 0] - at[0, 0]):
        text = f"the slices are shifted sideways against each other by {max(bent, lean):.1f} mm."
        return ("UNEVEN_SLICES", text)
    return None
