"""How much of the scanner's room a person fills: what a scan is planned by."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Extent:
    """Bounds of one person. `vertex_mm` and `thigh_mm` are of a person of `size` 1."""

    vertex_mm: float
    """Height of the top of the head."""
    thigh_mm: float
    """Height at which the scan ends, the middle of the thigh."""
    size: float
    """The person's height against that."""
    front_mm: float
    """y of the trunk's front, patient mm."""
    back_mm: float
    half_width_mm: float
    """Half width of the trunk without arms."""
