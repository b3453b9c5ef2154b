"""A model as others left it, with what its own files say of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

    from imaging.model import Channel
    from training.importing.axes import Axes


@dataclass(frozen=True, eq=False)
class ForeignModel:
    """A network in evaluation mode: (1, channel, a, b, c) along `axes` → (1, class, a, b, c)."""

    kind: str
    title: str
    version: str
    network: nn.Module = field(repr=False)
    axes: Axes
    channels: tuple[Channel, ...]
    classes: tuple[str, ...]
    """Their names by output channel."""
    spacing_mm: tuple[float, float, float]
    """Along (slice, row, column), as all that follows."""
    divisor: tuple[int, int, int]
    notes: tuple[str, ...] = ()
    """What a reader of the model card must know."""
