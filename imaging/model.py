"""What a segmentation model declares about itself, and what it is given.

Training writes the declaration (`osteon.json`), serving reads it; both preprocess through
`imaging.preprocessing`, so both see identical arrays.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from imaging.errors import ModelMismatch

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from imaging.geometry import Geometry


@dataclass(frozen=True)
class Channel:
    """One input channel.

    `quantity` is "adc_um2_s", "s0", "normalised_high_b" or "bone_probability"; of a focal network
    "t1" or "b1000".
    "fixed": value / scale, clipped to [0, clip].
    "percentile": value / (scale x its 90th percentile inside the body), clipped to [0, clip].
    "zscore": (value - mean) / (scale x standard deviation), both of the model's grid, clipped to
    [-clip, clip].
    "percentiles": 1st to 99th percentile of the model's grid to [0, 1], clipped; `imaging.focal`.
    """

    quantity: str
    normalisation: str
    scale: float
    clip: float


@dataclass(frozen=True)
class ModelSpec:
    """Everything that serving must know to feed a model and to read its answer."""

    name: str
    version: str
    channels: tuple[Channel, ...]
    spacing_mm: tuple[float, float, float]
    """Distances along (slice, row, column) of the model's grid."""
    orientation: str
    """Where the array axes point, "SPL": slices to head, rows to posterior, columns to left."""
    slab_slices: int
    slab_overlap: int
    divisor: tuple[int, int, int]
    """Slab shapes are padded to multiples of this."""
    classes: tuple[str, ...]
    """Structure names by output channel; the first is background."""
    sha256: str
    """Digest of the served file `1/model.pt`."""
    thresholds: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a declaration that no loader could serve."""
        if self.orientation != "SPL":
            message = f"model {self.name}: orientation {self.orientation!r} is not supported"
            raise ModelMismatch(message)
        if not 0 <= self.slab_overlap < self.slab_slices:
            message = f"model {self.name}: slab overlap must be below the slab size"
            raise ModelMismatch(message)


@dataclass(frozen=True, eq=False)
class ModelInput:
    """Channels on the model's grid: float32 array (channel, slice, row, column)."""

    array: NDArray[np.float32] = field(repr=False)
    geometry: Geometry
