"""A sheet of SVG, for pages: the same drawing as on a canvas, sharp at any size.

Colours are attributes and have a class each, so that the console's style sheet can change them
for dark rooms; there is no inline style, which a strict content security policy forbids.
"""

from __future__ import annotations

from html import escape

from markupsafe import Markup

from report.sheet import FAINT, INK, PANEL, RED, SOFT, WHITE, Box, Ink, Sheet

_CLASSES = {INK: "ink", SOFT: "soft", FAINT: "faint", PANEL: "panel", RED: "red", WHITE: "paper"}
_FAMILY = "Osteon, DejaVu Sans Condensed, sans-serif"
_ANCHORS = {"l": "start", "m": "middle", "r": "end"}
_MIDDLE_EM = 0.35
"""From the middle of letters down to their base line, as a share of their size."""


class SvgSheet(Sheet):
    """A clear sheet of `width` x `height` layout units; `title` says what it shows."""

    def __init__(self, width: float, height: float, title: str) -> None:
        """Take a clean sheet."""
        self.width = width
        self.height = height
        self._title = title
        self._parts: list[str] = []

    def text(self, x: float, y: float, words: str, ink: Ink) -> None:
        """Write one line; the anchor says which point of it is at (x, y)."""
        base = y + (ink.size * _MIDDLE_EM if ink.anchor.endswith("m") else 0)
        place = f'x="{_number(x)}" y="{_number(base)}" font-size="{_number(ink.size)}"'
        place += f' text-anchor="{_ANCHORS[ink.anchor[0]]}"'
        place += ' font-weight="bold"' if ink.bold else ""
        letters = escape(words, quote=False)
        if ink.halo:
            halo = f'fill="{WHITE}" stroke="{WHITE}" class="halo" stroke-width="3"'
            self._parts.append(f'<text {place} {halo} aria-hidden="true">{letters}</text>')
        self._parts.append(f"<text {place} {_colour('fill', ink.colour)}>{letters}</text>")

    def box(
        self, box: Box, fill: str | None, outline: str | None = None, radius: float = 0
    ) -> None:
        """Draw a rectangle."""
        place = f'x="{_number(box.x)}" y="{_number(box.y)}"'
        place += f' width="{_number(box.width)}" height="{_number(box.height)}"'
        place += f' rx="{_number(radius)}"' if radius else ""
        inside = _colour("fill", fill) if fill else 'fill="none"'
        edge = f' stroke="{outline}" stroke-width="0.5"' if outline else ""
        self._parts.append(f"<rect {place} {inside}{edge}/>")

    def line(self, start: tuple[float, float], end: tuple[float, float], colour: str) -> None:
        """Draw a thin straight line."""
        self._parts.append(f"<line {_between(start, end)} {_colour('stroke', colour)}/>")

    def dashes(self, x: float, top: float, bottom: float, colour: str) -> None:
        """Draw a dashed vertical line."""
        ends = _between((x, top), (x, bottom))
        self._parts.append(f'<line {ends} {_colour("stroke", colour)} stroke-dasharray="4 3"/>')

    def markup(self) -> Markup:
        """Return the drawing; every text in it is escaped."""
        head = '<svg xmlns="http://www.w3.org/2000/svg" role="img" class="chart"'
        head += f' font-family="{_FAMILY}"'
        head += f' viewBox="0 0 {_number(self.width)} {_number(self.height)}"'
        label = escape(self._title)
        body = "".join(self._parts)
        return Markup(f'{head} aria-label="{label}"><title>{label}</title>{body}</svg>')  # noqa: S704 - escaped above


def _between(start: tuple[float, float], end: tuple[float, float]) -> str:
    x1, y1, x2, y2 = (_number(v) for v in (*start, *end))
    return f'x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke-width="0.6"'


def _colour(attribute: str, colour: str) -> str:
    name = _CLASSES.get(colour)
    return f'{attribute}="{colour}"' + (f' class="{attribute}-{name}"' if name else "")


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
