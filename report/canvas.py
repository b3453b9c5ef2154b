"""A sheet of pixels."""

from __future__ import annotations

from PIL import Image, ImageDraw

from report.lettering import font
from report.sheet import WHITE, Box, Ink, Sheet


class Canvas(Sheet):
    """A white sheet of `width` x `height` layout units at `scale` pixels a unit."""

    def __init__(self, width: float, height: float, scale: float) -> None:
        """Take a clean sheet."""
        self.width = width
        self.scale = scale
        self.image = Image.new("RGB", (self._px(width), self._px(height)), WHITE)
        self._pen = ImageDraw.Draw(self.image)

    def text(self, x: float, y: float, words: str, ink: Ink) -> None:
        """Write one line; the anchor says which point of it is at (x, y)."""
        letters = font(self._px(ink.size), ink.bold)
        self._pen.text(
            (self._px(x), self._px(y)),
            words,
            ink.colour,
            letters,
            anchor=ink.anchor,
            stroke_width=self._px(2) if ink.halo else 0,
            stroke_fill=WHITE,
        )

    def width_of(self, words: str, ink: Ink) -> float:
        """Return the width of a line in layout units, as whole pixels make it."""
        return font(self._px(ink.size), ink.bold).getlength(words) / self.scale

    def box(
        self, box: Box, fill: str | None, outline: str | None = None, radius: float = 0
    ) -> None:
        """Draw a rectangle."""
        corners = [self._px(v) for v in (box.x, box.y, box.right, box.bottom)]
        self._pen.rounded_rectangle(
            corners, self._px(radius), fill, outline, width=max(1, round(self.scale / 2))
        )

    def line(self, start: tuple[float, float], end: tuple[float, float], colour: str) -> None:
        """Draw a thin straight line."""
        points = [self._px(v) for v in (*start, *end)]
        self._pen.line(points, colour, width=max(1, round(self.scale * 0.6)))

    def paste(self, picture: Image.Image, x: float, y: float) -> None:
        """Place a picture that has its final size in pixels."""
        self.image.paste(picture, (self._px(x), self._px(y)))

    def _px(self, units: float) -> int:
        return round(units * self.scale)
