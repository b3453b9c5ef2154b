"""Signal of the spinal canal matched to a fixed histogram: one unit for all scans.

The inter-scan stage of Candito 2024 (Bioengineering 11:130, `papers.md` A.4): the histogram of the
signal inside the canal (cord and CSF) is brought to a reference, and the map that does it is
applied to the whole image. The paper's reference histogram is not public; ours is the mean of five
synthetic patients (seeds 901-905, true canal), in units of the cord's signal.

In a trial on synthetic patients the cord alone did as well (docs/decisions/0007), so it is an
option and not the default.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

PERCENTS: tuple[float, ...] = (5.0, 10.0, 25.0, 50.0, 75.0, 90.0, 95.0)
"""Below and above, a few voxels of a canal decide."""

REFERENCE: tuple[float, ...] = (0.310, 0.348, 0.417, 0.511, 0.699, 0.976, 1.071)
"""Signal at `PERCENTS` of the canal over the cord's."""


def match_histogram(
    image: NDArray[np.float32], canal_signal: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Map `image` so that the canal's percentiles become `REFERENCE`.

    The map rises everywhere: straight lines through the origin and the percentiles, and beyond
    the last one in proportion, so that what is brighter than the canal keeps its contrast.

    Args:
        image: signal, any shape.
        canal_signal: the signal of the canal's voxels (n), n >= 1.

    Returns:
        float32 of the image's shape; the cord is about 1.

    """
    found, reference = _rising(np.percentile(canal_signal, PERCENTS))
    factor = reference[-1] / found[-1]
    inside = np.interp(image, found, reference)
    matched = np.where(image > found[-1], image * factor, inside)
    return np.asarray(matched, dtype=np.float32)


def _rising(percentiles: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return both axes of the map, from the origin; of equal percentiles the last one counts."""
    found = np.concatenate([[0.0], percentiles])
    reference = np.concatenate([[0.0], REFERENCE])
    last = np.append(np.diff(found) > 0, True)
    return found[last], reference[last]
