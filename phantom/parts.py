"""Soft parts of the body: a shape with what it is made of and the label it carries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from phantom.shapes import Block, Shape, rotation, vector

if TYPE_CHECKING:
    from phantom.habitus import Habitus
    from phantom.shapes import Vector
    from phantom.tissue import Tissue


@dataclass(frozen=True)
class Part:
    """A soft shape, the label that it carries (0: none) and how rough its surface is in mm."""

    shape: Shape
    label: int = 0
    rough_mm: float = 0.0
    cavity_only: bool = False
    """Leave muscle, subcutaneous fat and air as they are."""


def varied_block(
    habitus: Habitus, slot: int, tissue: Tissue, centre: Vector, radii: Vector
) -> Block:
    """Make an organ that is moved, scaled and turned as the person's `slot` says."""
    return Block(
        tissue,
        vector(np.array(centre) + habitus.organ_shift_mm[slot]),
        vector(np.array(radii) * habitus.organ_scale[slot]),
        rotation(*(habitus.organ_shift_mm[(slot + 5) % 16] * 1.2)),
        2.3,
    )
