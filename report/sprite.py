"""Half a turn as one picture for pages: sixty frames side by side, in WebP.

The other half is its mirror image. The frames are those that go to the PACS, with the same words
burnt in; a page shows one of them by moving a window over the picture.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

COLUMNS = 10
N_FRAMES = 60
STEP_DEGREES = 3.0
_QUALITY = 80
_EFFORT = 2
"""Of 0 to 6: more makes the file a little smaller and takes longer."""


@dataclass(frozen=True)
class SpriteSize:
    """Width and height of one frame in pixels."""

    width: int
    height: int


def sprite(frames: NDArray[np.uint8]) -> bytes:
    """Return the first sixty frames as WebP, ten in a row.

    `frames` is (frame, row, column) or (frame, row, column, red green blue). Equal frames give
    equal bytes on one version of Pillow.
    """
    shown = frames[:N_FRAMES]
    height, width = shown.shape[1:3]
    rows = N_FRAMES // COLUMNS
    grid = shown.reshape(rows, COLUMNS, height, width, -1).swapaxes(1, 2)
    sheet = np.ascontiguousarray(grid).reshape(rows * height, COLUMNS * width, -1)
    file = io.BytesIO()
    picture = Image.fromarray(sheet.squeeze(-1) if sheet.shape[-1] == 1 else sheet)
    picture.save(file, "WEBP", quality=_QUALITY, method=_EFFORT)
    return file.getvalue()


def frame_size(path: Path) -> SpriteSize:
    """Return the size of a frame of a sprite, from the head of its file.

    Raises:
        OSError: it is gone, or no picture.

    """
    with Image.open(path, formats=("WEBP",)) as picture:
        width, height = picture.size
    return SpriteSize(width // COLUMNS, height * COLUMNS // N_FRAMES)
