"""The pixels of a stack: repeats averaged, directions joined to the trace (dicom.md A3 R4, R5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dicom_objects.reading.pixels import load_image

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from dicom_objects.reading.traces import Stack
    from dicom_objects.reading.volumes import Volume


def load_stack(stack: Stack) -> NDArray[np.float32]:
    """Return (slice, row, column) float32, the scale of every image applied.

    Repeats are averaged as magnitudes. Directions are joined by the geometric mean, because the
    signal of a direction is exponential in its diffusivity; a voxel without signal in one of them
    has none in the trace.

    Raises:
        UndecodablePixels: a file's pixels cannot be decoded.

    """
    if len(stack.groups) == 1:
        return _mean(stack.groups[0])
    logarithm = np.zeros(stack.geometry.shape, dtype=np.float64)
    with np.errstate(divide="ignore"):
        for group in stack.groups:
            logarithm += np.log(np.maximum(_mean(group), 0.0))
    return np.exp(logarithm / len(stack.groups)).astype(np.float32)


def _mean(volumes: Sequence[Volume]) -> NDArray[np.float32]:
    total = load_image(volumes[0].frames)
    for volume in volumes[1:]:
        total += load_image(volume.frames)
    if len(volumes) > 1:
        total /= np.float32(len(volumes))
    return total
