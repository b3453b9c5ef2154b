"""Inverted maximum-intensity projections, the way whole-body DWI is looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imaging.geometry import Geometry


def coronal_mip(
    image: NDArray[np.float32], geometry: Geometry, *, window: float | None = None
) -> NDArray[np.uint8]:
    """Seen from the front: head up, patient right on the left. Square pixels of the column size."""
    dz, _, dx = geometry.spacing_mm
    return _inverted(image.max(axis=1), dz / dx, window)


def sagittal_mip(
    image: NDArray[np.float32], geometry: Geometry, *, window: float | None = None
) -> NDArray[np.uint8]:
    """Seen from the left: head up, face to the left. Square pixels of the row size."""
    dz, dy, _ = geometry.spacing_mm
    return _inverted(image.max(axis=2), dz / dy, window)


def _inverted(
    projection: NDArray[np.float32], aspect: float, window: float | None
) -> NDArray[np.uint8]:
    top = float(np.percentile(projection, 99.3)) if window is None else window
    dark = 255.0 - 255.0 * np.clip(projection[::-1] / max(top, 1e-6), 0, 1)
    rows = np.linspace(0, len(dark) - 1, max(1, round(len(dark) * aspect)))
    lower = np.minimum(rows.astype(np.intp), max(len(dark) - 2, 0))
    weight = (rows - lower)[:, None]
    upper = np.minimum(lower + 1, len(dark) - 1)
    picture: NDArray[np.uint8] = (dark[lower] * (1 - weight) + dark[upper] * weight).astype(
        np.uint8
    )
    return picture
