"""Where the patient is in an image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage

if TYPE_CHECKING:
    from numpy.typing import NDArray

_DARKEST = 0.003
"""Signals below this share of the 99.5th percentile do not steer the threshold."""
_SMALLEST_PART = 0.005
"""Parts below this share of the largest one are noise; an arm that lies apart is larger."""


def body_mask(s0: NDArray[np.floating[Any]]) -> NDArray[np.bool_]:
    """Return the voxels inside the patient: bool, the shape of `s0` (slice, row, column).

    Otsu's threshold on the logarithm of the signal, averaged over 2 x 2 pixels against noise;
    holes (lung, suppressed fat) are filled slice by slice. All False where there is no signal.
    """
    coarse = _halved(s0)
    bright = _above_threshold(coarse)
    bright = ndimage.binary_closing(bright, _DISC, iterations=2) | bright
    filled = fill_slices(bright)
    filled = ndimage.binary_opening(filled, _DISC)
    parts = _large_parts(filled)
    _, rows, columns = s0.shape
    return np.repeat(np.repeat(parts, 2, axis=1), 2, axis=2)[:, :rows, :columns]


_DISC: NDArray[np.bool_] = ndimage.generate_binary_structure(2, 1)[np.newaxis]


def _halved(image: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    _, rows, columns = image.shape
    even = image.astype(np.float32, copy=False)
    if rows % 2 or columns % 2:
        even = np.pad(even, ((0, 0), (0, rows % 2), (0, columns % 2)), mode="edge")
    halved = even[:, ::2, ::2] + even[:, 1::2, ::2] + even[:, ::2, 1::2] + even[:, 1::2, 1::2]
    return np.asarray(halved * np.float32(0.25), dtype=np.float32)


def _above_threshold(image: NDArray[np.float32]) -> NDArray[np.bool_]:
    top = float(np.percentile(image[::2, ::2, ::2], 99.5))
    if top <= 0:
        return np.zeros(image.shape, dtype=np.bool_)
    levels = np.log(np.maximum(image, np.float32(_DARKEST * top)))
    return np.asarray(levels > _otsu(levels), dtype=np.bool_)


def _otsu(levels: NDArray[np.float32]) -> float:
    """Threshold with the largest variance between the two classes (Otsu 1979)."""
    counts, edges = np.histogram(levels, bins=256)
    centres = (edges[:-1] + edges[1:]) / 2
    below = np.cumsum(counts).astype(np.float64)
    mass = np.cumsum(counts * centres)
    above = below[-1] - below
    with np.errstate(divide="ignore", invalid="ignore"):
        distance = mass / below - (mass[-1] - mass) / above
    between = np.nan_to_num(below * above * distance**2)
    return float(edges[int(np.argmax(between)) + 1])


def fill_slices(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Fill what cannot be reached from the edge of its own slice (slice, row, column)."""
    background, n = ndimage.label(~mask, structure=_in_plane())
    edges = [background[:, 0], background[:, -1], background[:, :, 0], background[:, :, -1]]
    open_air = np.zeros(n + 1, dtype=np.bool_)
    open_air[np.unique(np.concatenate([e.reshape(-1) for e in edges]))] = True
    return mask | ~(open_air[background] | mask)


def _in_plane() -> NDArray[np.bool_]:
    structure = np.zeros((3, 3, 3), dtype=np.bool_)
    structure[1] = _DISC[0]
    return structure


def _large_parts(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    parts, n = ndimage.label(mask)
    if n == 0:
        return mask
    sizes = np.bincount(parts.reshape(-1))
    sizes[0] = 0
    kept = sizes >= max(1, int(_SMALLEST_PART * sizes.max()))
    kept[0] = False
    return np.asarray(kept[parts], dtype=np.bool_)
