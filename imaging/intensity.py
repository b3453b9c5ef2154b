"""A channel's signal scaled by its own statistics on the model's grid."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from imaging.errors import UnusableImages

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imaging.model import Channel

LOW_PERCENTILE = 1.0
HIGH_PERCENTILE = 99.0


def to_unit_range(image: NDArray[np.float32], name: str) -> NDArray[np.float32]:
    """Map the 1st percentile of the whole array to 0 and the 99th to 1, and clip.

    As Wuts et al. (`papers.md` B.3), but clipped wherever a model is fed: their code clips in
    training only (B.7).

    Args:
        image: on the model's grid.
        name: what the image is, for the sentence of the error.

    Raises:
        UnusableImages: `NO_SIGNAL`, both percentiles are the same.

    """
    low, high = (float(v) for v in np.percentile(image, [LOW_PERCENTILE, HIGH_PERCENTILE]))
    if high <= low:
        message = f"{name} is the same in nearly all of the body: the images are not usable"
        raise UnusableImages(message, code="NO_SIGNAL")
    scaled = (image - np.float32(low)) * np.float32(1 / (high - low))
    unit: NDArray[np.float32] = np.clip(scaled, np.float32(0), np.float32(1))
    return unit


def to_standard_scores(image: NDArray[np.float32], channel: Channel) -> NDArray[np.float32]:
    """Subtract the mean, divide by scale x standard deviation, clip to +-`channel.clip`.

    What models of nnU-Net ("ZScoreNormalization") and many of MONAI learned on. They take their
    statistics before they resample, Osteon afterwards.

    Args:
        image: on the model's grid.
        channel: what the image is, its scale and its clip.

    Raises:
        UnusableImages: `NO_SIGNAL`, all values are the same.

    """
    deviation = float(image.std(dtype=np.float64)) * channel.scale
    if deviation <= 0:
        message = f"{channel.quantity} is the same everywhere: the images are not usable"
        raise UnusableImages(message, code="NO_SIGNAL")
    scores = (image - np.float32(image.mean(dtype=np.float64))) * np.float32(1 / deviation)
    clipped: NDArray[np.float32] = np.clip(scores, -np.float32(channel.clip), channel.clip)
    return clipped.astype(np.float32, copy=False)
