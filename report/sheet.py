"""A sheet to draw on in layout units, whatever it becomes: pixels or SVG.

Panels draw on this, so that the picture, the page and the console show the same drawing.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from report.lettering import font

INK = "#1B1F24"
SOFT = "#5A6470"
FAINT = "#D6DBE1"
PANEL = "#F5F7F9"
RED = "#B00020"
WHITE = "#FFFFFF"
_MEASURED_PX = 100
"""Letters are measured at this size, so that a layout does not depend on the sheet's."""


@dataclass(frozen=True)
class Box:
    """A rectangle in layout units: left, top, width, height."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """The right edge."""
        return self.x + self.width

    @property
    def bottom(self) -> float:
        """The lower edge."""
        return self.y + self.height


@dataclass(frozen=True)
class Ink:
    """How letters look: size in layout units, colour, weight, and Pillow's anchor."""

    size: float = 12.0
    colour: str = INK
    bold: bool = False
    anchor: str = "ls"
    halo: bool = False
    """White around the letters, for letters on lines and images."""


class Sheet(ABC):
    """What panels need of a sheet; all lengths in layout units."""

    @abstractmethod
    def text(self, x: float, y: float, words: str, ink: Ink) -> None:
        """Write one line; the anchor says which point of it is at (x, y)."""

    @abstractmethod
    def box(
        self, box: Box, fill: str | None, outline: str | None = None, radius: float = 0
    ) -> None:
        """Draw a rectangle."""

    @abstractmethod
    def line(self, start: tuple[float, float], end: tuple[float, float], colour: str) -> None:
        """Draw a thin straight line."""

    def dashes(self, x: float, top: float, bottom: float, colour: str) -> None:
        """Draw a dashed vertical line."""
        y = top
        while y < bottom:
            self.line((x, y), (x, min(y + 4, bottom)), colour)
            y += 7

    def width_of(self, words: str, ink: Ink) -> float:
        """Return the width of a line in layout units."""
        return font(_MEASURED_PX, ink.bold).getlength(words) * ink.size / _MEASURED_PX

    def fitted(self, words: str, ink: Ink, width: float) -> str:
        """Shorten a line with an ellipsis until it fits."""
        if self.width_of(words, ink) <= width:
            return words
        while words and self.width_of(words + "…", ink) > width:
            words = words[:-1]
        return words.rstrip() + "…"
