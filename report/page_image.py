"""Pages of a PDF as pixels, drawn by PDFium: for a PACS that shows no PDF."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pypdfium2

if TYPE_CHECKING:
    from numpy.typing import NDArray

PAGE_DPI = 150
"""A4 becomes 1241 x 1754 pixels: the smallest letters are 12 pixels high."""
_POINTS_AN_INCH = 72


def page_images(pdf: bytes, dpi: int = PAGE_DPI) -> tuple[NDArray[np.uint8], ...]:
    """Return each page as (row, column, red green blue)."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        pages = [
            page.render(scale=dpi / _POINTS_AN_INCH, rev_byteorder=True).to_numpy()
            for page in document
        ]
        return tuple(np.array(page[..., :3], np.uint8) for page in pages)
    finally:
        document.close()
