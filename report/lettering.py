"""Letters for pictures: a font that travels with the package, so pictures are the same anywhere."""

from __future__ import annotations

import io
from functools import cache
from importlib.resources import files

from PIL import ImageFont

RESEARCH_USE_ONLY = "RESEARCH USE ONLY"
NOT_FOR_DIAGNOSIS = "not for diagnosis or treatment decisions"

_REGULAR = "DejaVuSansCondensed.subset.ttf"
_BOLD = "DejaVuSansCondensed-Bold.subset.ttf"


@cache
def font(size_px: int, bold: bool = False) -> ImageFont.FreeTypeFont:
    """Return the font at a size in pixels; FreeType's own layout, not the machine's."""
    path = files("report").joinpath("fonts", _BOLD if bold else _REGULAR)
    letters = io.BytesIO(path.read_bytes())
    return ImageFont.truetype(letters, size_px, layout_engine=ImageFont.Layout.BASIC)
