"""Frames of an object's pixel data: uncompressed, or compressed as they are stored (PS3.18 8.7)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from service.dicomweb.files import EXPLICIT_LE
from service.dicomweb.multipart import Part, bit_bytes, slice_bytes
from service.dicomweb.refusals import bad_query, not_acceptable, not_held

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from dicom_objects.served.frame_places import FramePlaces
    from service.dicomweb.accept import MediaRange

OCTETS = "application/octet-stream"
MEDIA_TYPES = {
    "1.2.840.10008.1.2.5": "image/dicom-rle",
    "1.2.840.10008.1.2.4.50": "image/jpeg",
    "1.2.840.10008.1.2.4.51": "image/jpeg",
    "1.2.840.10008.1.2.4.57": "image/jpeg",
    "1.2.840.10008.1.2.4.70": "image/jpeg",
    "1.2.840.10008.1.2.4.80": "image/jls",
    "1.2.840.10008.1.2.4.81": "image/jls",
    "1.2.840.10008.1.2.4.90": "image/jp2",
    "1.2.840.10008.1.2.4.91": "image/jp2",
    "1.2.840.10008.1.2.4.201": "image/jphc",
    "1.2.840.10008.1.2.4.202": "image/jphc",
}
"""Of frames that are compressed so (PS3.18 table 8.7.3-5)."""
_LIST = re.compile(r"[1-9][0-9]{0,6}(,[1-9][0-9]{0,6})*")
_MOST_FRAMES = 10_000


@dataclass(frozen=True)
class FrameType:
    """How frames are given."""

    media_type: str
    transfer_syntax: str
    alone: bool
    """The one frame itself, not as a part."""

    @property
    def content_type(self) -> str:
        """Of a part."""
        return f"{self.media_type}; transfer-syntax={self.transfer_syntax}"


def read_frame_list(text: str) -> tuple[int, ...]:
    """Return frame numbers, counted from 1, of an address.

    Raises:
        Refused: it is no list of numbers.

    """
    if _LIST.fullmatch(text) is None or text.count(",") >= _MOST_FRAMES:
        raise bad_query("frames are numbers from 1, separated by commas")
    return tuple(int(number) for number in text.split(","))


def choose_type(ranges: Sequence[MediaRange], places: FramePlaces, n_frames: int) -> FrameType:
    """Return the best that is accepted and that the frames can be given in.

    Raises:
        Refused: none of it.

    """
    native = not places.encapsulated
    given = EXPLICIT_LE if native else places.transfer_syntax_uid
    for one in ranges:
        wanted = one.transfer_syntax
        alone = not one.is_multipart and one.media_type != "*/*"
        for media_type in _types(places):
            # Octets without a transfer syntax are uncompressed; an image's type says how it is not.
            default = EXPLICIT_LE if media_type == OCTETS else given
            fits = (wanted or default) in ("*", given)
            if one.takes(media_type) and fits and not (alone and n_frames > 1):
                return FrameType(media_type, given, alone)
    told = "as stored only: add transfer-syntax=*" if not native else "as application/octet-stream"
    raise not_acceptable(f"frames of this object are given {told}")


def frame_parts(
    path: Path, places: FramePlaces, numbers: Sequence[int], how: FrameType, location: str
) -> Iterator[Part]:
    """Return the frames as parts.

    Raises:
        Refused: the object has no such frame.

    """
    if max(numbers) > places.n_frames:
        raise not_held(f"the object has {places.n_frames} frames")
    return (
        Part(how.content_type, f"{location}/frames/{number}", _frame(path, places, number - 1))
        for number in numbers
    )


def all_pixels(path: Path, places: FramePlaces) -> Iterator[bytes]:
    """Yield native pixel data as a whole."""
    length = (places.n_frames * places.frame_bits + 7) // 8
    return slice_bytes(path, places.start, length, places.word)


def _types(places: FramePlaces) -> tuple[str, ...]:
    if not places.encapsulated:
        return (OCTETS,)
    image = MEDIA_TYPES.get(places.transfer_syntax_uid)
    return (OCTETS,) if image is None else (image, OCTETS)


def _frame(path: Path, places: FramePlaces, index: int) -> Iterator[bytes]:
    if places.encapsulated:
        pieces = places.encapsulated[index]
        return chain.from_iterable(slice_bytes(path, at, length) for at, length in pieces)
    first = index * places.frame_bits
    if first % 8 == 0 and places.frame_bits % 8 == 0:
        start = places.start + first // 8
        return slice_bytes(path, start, places.frame_bits // 8, places.word)
    return iter((bit_bytes(path, 8 * places.start + first, places.frame_bits),))
