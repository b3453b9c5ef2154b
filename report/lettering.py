"""Letters for pictures and pages: fonts that travel with the package, the same anywhere."""

from __future__ import annotations

import io
from functools import cache
from importlib.resources import files

from fontTools.ttLib import TTFont
from PIL import ImageFont

RESEARCH_USE_ONLY = "RESEARCH USE ONLY"
NOT_FOR_DIAGNOSIS = "not for diagnosis or treatment decisions"
FONT_FILES = {False: "DejaVuSansCondensed.subset.ttf", True: "DejaVuSansCondensed-Bold.subset.ttf"}
"""By whether they are bold; in `report/fonts`."""


def font_bytes(bold: bool = False) -> bytes:
    """Return a font file of the package."""
    return files("report").joinpath("fonts", FONT_FILES[bold]).read_bytes()


@cache
def font(size_px: int, bold: bool = False) -> ImageFont.FreeTypeFont:
    """Return the font at a size in pixels; FreeType's own layout, not the machine's."""
    letters = io.BytesIO(font_bytes(bold))
    return ImageFont.truetype(letters, size_px, layout_engine=ImageFont.Layout.BASIC)


def can_print(words: str) -> bool:
    """Return whether the fonts have every sign of `words`: no other font may step in."""
    return all(ord(sign) in _signs() for sign in words)


@cache
def _signs() -> frozenset[int]:
    both = [TTFont(io.BytesIO(font_bytes(bold))).getBestCmap() or {} for bold in (False, True)]
    return frozenset(both[0].keys() & both[1].keys())
