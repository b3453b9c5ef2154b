"""Diffusion-weighted images: one image per b-value, all on one grid."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from imaging.errors import GeometryError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from imaging.geometry import Geometry


@dataclass(frozen=True, eq=False)
class DiffusionVolume:
    """Trace-weighted magnitude images by b-value in s/mm², float32, on one geometry."""

    geometry: Geometry
    images: Mapping[float, NDArray[np.float32]] = field(repr=False)

    def __post_init__(self) -> None:
        """Order by b-value; refuse an image that is not on the geometry.

        Raises:
            GeometryError: there is no image, or a shape differs from the geometry's.

        """
        if not self.images:
            message = "a diffusion volume needs at least one b-value"
            raise GeometryError(message)
        for b, image in self.images.items():
            if image.shape != self.geometry.shape:
                message = f"b {b:g}: image shape {image.shape} is not {self.geometry.shape}"
                raise GeometryError(message)
        object.__setattr__(self, "images", dict(sorted(self.images.items())))

    @property
    def b_values(self) -> tuple[float, ...]:
        """The b-values in s/mm², ascending."""
        return tuple(self.images)

    @property
    def high_b(self) -> NDArray[np.float32]:
        """The image with the highest b-value."""
        return self.images[self.b_values[-1]]


@dataclass(frozen=True, eq=False)
class Station:
    """One bed position: its name for people and its images."""

    name: str
    volume: DiffusionVolume
