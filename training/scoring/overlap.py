"""How two masks overlap: Dice, precision and recall from three counts.

Empty masks follow Metrics Reloaded (Maier-Hein et al. 2024): nothing true and nothing predicted is
Dice 1 with precision and recall undefined; only one of the two empty is 0 where it is defined.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Overlap:
    """Voxels of the truth, of the prediction, and of both."""

    true: int
    predicted: int
    shared: int

    @property
    def dice(self) -> float:
        """2|A∩B| / (|A|+|B|); 1 where both are empty."""
        size = self.true + self.predicted
        return 2.0 * self.shared / size if size else 1.0

    @property
    def precision(self) -> float | None:
        """Share of the prediction that is true; 0 without a prediction, None without both."""
        if self.predicted:
            return self.shared / self.predicted
        return 0.0 if self.true else None

    @property
    def recall(self) -> float | None:
        """Share of the truth that is predicted; None without a truth."""
        return self.shared / self.true if self.true else None


def overlap(truth: NDArray[np.bool_], prediction: NDArray[np.bool_]) -> Overlap:
    """Count two bool masks of one shape."""
    return Overlap(
        int(np.count_nonzero(truth)),
        int(np.count_nonzero(prediction)),
        int(np.count_nonzero(truth & prediction)),
    )
