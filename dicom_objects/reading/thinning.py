"""Leaving out of a header what no rule reads, before it is parsed.

Scanners write 200 to 450 elements an image, nested ones counted; the rules read 40. pydicom takes
a millisecond for the first and a fifth of it for the second, and a study has 800 images. What is
kept is kept byte for byte, so pydicom still decides what every value is; anything unusual is
left to it whole.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from pydicom.datadict import tag_for_keyword
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian

from dicom_objects.reading.vendor_elements import ELEMENTS

_NAMES = """
SpecificCharacterSet ImageType SOPClassUID SOPInstanceUID AcquisitionTime Manufacturer
SeriesDescription PatientID SequenceName EchoTime SpacingBetweenSlices PatientPosition
DiffusionDirectionality DiffusionGradientDirectionSequence DiffusionBMatrixSequence
DiffusionBValue DiffusionGradientOrientation StudyInstanceUID SeriesInstanceUID SeriesNumber
AcquisitionNumber ImagePositionPatient ImageOrientationPatient FrameOfReferenceUID
TemporalPositionIdentifier ImageComments SamplesPerPixel NumberOfFrames Rows Columns
PixelSpacing BitsAllocated BitsStored PixelRepresentation RescaleIntercept RescaleSlope
LossyImageCompression SharedFunctionalGroupsSequence PerFrameFunctionalGroupsSequence
"""
KEYWORDS = frozenset(_NAMES.split())
"""Every standard attribute that is read of an image's own level."""

_PRIVATE: dict[int, frozenset[int]] = {
    group: frozenset(e.offset for e in ELEMENTS if e.group == group)
    for group in {e.group for e in ELEMENTS}
}
_WANTED = frozenset(tag_for_keyword(keyword) or 0 for keyword in KEYWORDS)
_PIXEL_DATA = 0x7FE00008
"""Float Pixel Data, the first of the three kinds; offset tables may stand before it."""
_SHORT_NAMES = "AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US"
_LONG_NAMES = "OB OD OF OL OV OW SQ SV UC UN UR UT UV"
_SHORT = frozenset(vr.encode() for vr in _SHORT_NAMES.split())
_LONG = frozenset(vr.encode() for vr in _LONG_NAMES.split())
"""Those whose length has four bytes (PS3.5 7.1.2)."""
_UNDEFINED = 0xFFFFFFFF
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD

_explicit = struct.Struct("<HH2sH").unpack_from
_implicit = struct.Struct("<HHL").unpack_from
_long = struct.Struct("<L").unpack_from


class _UnusualError(ValueError):
    """Something that is not walked over here."""


@dataclass(frozen=True)
class ThinHeader:
    """The elements that are read, byte for byte as in the file."""

    elements: bytes
    transfer_syntax_uid: str
    pixels_at: int
    """Where Pixel Data begins in the file; its end when there are none."""


def thin(data: bytes) -> ThinHeader | None:
    """Leave out what is not read and the file meta information; None for unusual files.

    Args:
        data: a whole file with preamble and file meta information.

    """
    if data[128:132] != b"DICM":
        return None
    try:
        syntax, start = _meta(data)
        if syntax in ("", ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian):
            return None
        kept, at = _kept(data, start, explicit=syntax != ImplicitVRLittleEndian)
    except (_UnusualError, struct.error, RecursionError):
        return None
    return ThinHeader(kept, syntax, at)


def _kept(data: bytes, at: int, *, explicit: bool) -> tuple[bytes, int]:
    kept = []
    size = len(data)
    while at < size:
        group, element, end = _element(data, at, explicit=explicit)
        if group << 16 | element >= _PIXEL_DATA:
            break
        wanted = (
            group << 16 | element in _WANTED
            if not group & 1
            else element < 0x100 or element & 0xFF in _PRIVATE.get(group, ())
        )
        if wanted:
            kept.append(data[at:end])
        at = end
    if at > size:
        raise _UnusualError
    return b"".join(kept), at


def _element(data: bytes, at: int, *, explicit: bool) -> tuple[int, int, int]:
    """Return group, element and end of the element at a place (PS3.5 7.1)."""
    if explicit:
        group, element, vr, length = _explicit(data, at)
        at += 8
        if vr not in _SHORT:
            if vr not in _LONG:
                raise _UnusualError
            (length,) = _long(data, at)
            at += 4
    else:
        group, element, length = _implicit(data, at)
        vr = b"SQ"
        at += 8
    if length != _UNDEFINED or group << 16 | element >= _PIXEL_DATA:
        return group, element, at + length
    if vr != b"SQ":
        raise _UnusualError
    return group, element, _end_of_sequence(data, at, explicit=explicit)


def _end_of_sequence(data: bytes, at: int, *, explicit: bool) -> int:
    """Walk over items up to the delimiter (PS3.5 7.5.2)."""
    while True:
        group, element, length = _implicit(data, at)
        tag = group << 16 | element
        at += 8
        if tag == _SEQUENCE_END:
            return at
        if tag != _ITEM:
            raise _UnusualError
        at = _end_of_item(data, at, explicit=explicit) if length == _UNDEFINED else at + length


def _end_of_item(data: bytes, at: int, *, explicit: bool) -> int:
    while True:
        group, element, _ = _implicit(data, at)
        if group << 16 | element == _ITEM_END:
            return at + 8
        _, _, at = _element(data, at, explicit=explicit)


def _meta(data: bytes) -> tuple[str, int]:
    """Return the transfer syntax, "" without one, and where the data set begins (PS3.10 7.1)."""
    at, syntax = 132, ""
    while data[at : at + 2] == b"\x02\x00":
        _, element, end = _element(data, at, explicit=True)
        if element == 0x0010:
            syntax = data[at + 8 : end].rstrip(b"\0 ").decode("latin-1")
        at = end
    return syntax, at
