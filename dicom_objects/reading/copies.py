"""Equal pixels at one position: one image sent as two objects, not two measurements (A3 R4)."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np

from dicom_objects.reading.pixels import UndecodablePixels, load_image
from dicom_objects.reading.planes import coordinates_mm
from dicom_objects.reading.slices import ladder_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dicom_objects.reading.frames import Frame

DUPLICATE = (
    "DUPLICATE",
    "the same pixels were sent a second time as other objects; they count once.",
)
_AT_ONCE = 64
"""Images read together: enough to keep the disk busy, little memory."""
_EMPTY = b""


def without_equal_images(frames: Sequence[Frame]) -> tuple[list[Frame], list[Frame]]:
    """Keep one of the images of one kind that have equal pixels at one position.

    Archives keep several encodings of an image, and scanners send one acquisition in two forms
    (classic and enhanced). Pixels are read only where a position occurs more than once. Images
    without any contrast are equal by chance: as many of them stay as other positions have images.
    """
    at = coordinates_mm(frames)[:, 0]
    found = ladder_of(at)
    if found.counts.max() == 1:
        return list(frames), []
    order = sorted(range(len(frames)), key=lambda k: _rank(frames[k]))
    digests = _digests([frames[k] for k in order])
    if digests is None:
        return list(frames), []
    rungs = found.rung_of(at)
    chosen: dict[int, dict[bytes, Frame]] = {}
    empty: dict[int, list[Frame]] = {}
    for k, digest in zip(order, digests, strict=True):
        if digest == _EMPTY:
            empty.setdefault(int(rungs[k]), []).append(frames[k])
        else:
            chosen.setdefault(int(rungs[k]), {}).setdefault(digest, frames[k])
    usual = max((len(kept) for kept in chosen.values()), default=1)
    kept = {id(f) for images in chosen.values() for f in images.values()}
    for rung, images in empty.items():
        kept |= {id(f) for f in images[: max(0, usual - len(chosen.get(rung, {})))]}
    return [f for f in frames if id(f) in kept], [f for f in frames if id(f) not in kept]


def _rank(frame: Frame) -> tuple[str, int, str, int]:
    """Order by form, so that all slices of a volume are kept in the same one."""
    number = frame.series_number or 0
    return frame.sop_class_uid, number, frame.sop_instance_uid, frame.frame_number or 0


def _digests(frames: Sequence[Frame]) -> list[bytes] | None:
    """Return a digest of each image, empty for one without contrast; None if undecodable."""
    digests: list[bytes] = []
    try:
        for start in range(0, len(frames), _AT_ONCE):
            images = load_image(frames[start : start + _AT_ONCE])
            digests += [blake2b(i.tobytes()).digest() if np.ptp(i) else _EMPTY for i in images]
    except UndecodablePixels:
        return None
    return digests
