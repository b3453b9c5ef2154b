"""Where bone disease is: a documented rule on normalised high-b signal and ADC inside bone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class DiseaseMask:
    """Disease: bool (slice, row, column); what the organs and the canal took out of it, in mL."""

    mask: NDArray[np.bool_] = field(repr=False)
    removed_organ_ml: float
    removed_canal_ml: float
