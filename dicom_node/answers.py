"""One match of a query: its values as text, numbers and checked UIDs.

The values are taken from the bytes that came, so a value that breaks its own rules is an empty
one here and never an error; what must be a UID is checked. An archive may send other attributes
than it was asked for, or leave some out (PS3.4 C.2.2.1.3): both are normal.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pydicom.charset import decode_bytes, python_encoding
from pydicom.datadict import tag_for_keyword

from dicom_node.errors import InvalidUid
from dicom_node.uid import parse_uid

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from dicom_node.uid import Uid

_DEFAULT_ENCODING = "iso8859"  # of ISO_IR 6, and more forgiving
_ESCAPE = b"\x1b"
_DELIMITERS = frozenset(b"\r\n\f\t\\^=")  # each ends a code extension (PS3.5 6.1.2.5.3)
_LONGEST = 1024


@dataclass(frozen=True)
class Answer:
    """What a peer says of one study, series or image; may identify a patient."""

    data_set: Dataset = field(repr=False)

    def text(self, keyword: str) -> str:
        """Return a value without its padding; empty where it is missing or unreasonably long."""
        raw = _bytes(self.data_set, keyword)
        if len(raw) > _LONGEST:
            return ""
        return _decoded(raw, self._encodings()).strip(" \0")

    def texts(self, keyword: str) -> tuple[str, ...]:
        """Return the values of an attribute that may have several; none where it is missing."""
        several = (one.strip() for one in self.text(keyword).split("\\"))
        return tuple(one for one in several if one)

    def number(self, keyword: str) -> int | None:
        """Return an integer string (IS); None where it is missing or none."""
        said = self.text(keyword)
        return int(said) if said.isascii() and said.isdigit() else None

    def uid(self, keyword: str) -> Uid | None:
        """Return a UID; None where it is missing or not one (PS3.5 section 9.1)."""
        try:
            return parse_uid(_bytes(self.data_set, keyword), keyword)
        except InvalidUid:
            return None

    def _encodings(self) -> list[str]:
        terms = _bytes(self.data_set, "SpecificCharacterSet").decode("ascii", "replace")
        found = [python_encoding.get(term.strip(" \0"), "") for term in terms.split("\\")]
        return [encoding or _DEFAULT_ENCODING for encoding in found]


def _bytes(data_set: Dataset, keyword: str) -> bytes:
    """Return the bytes of an element as they came; none where it is missing or a sequence."""
    tag = tag_for_keyword(keyword)
    if tag is None:
        message = f"{keyword} is not an attribute of DICOM"
        raise ValueError(message)
    value = data_set.get_item(tag).value if tag in data_set else None
    if isinstance(value, str):  # a data set that was built here
        return value.encode("utf-8")
    return bytes(value) if isinstance(value, (bytes, bytearray)) else b""


def _decoded(raw: bytes, encodings: list[str]) -> str:
    if _ESCAPE in raw:
        return decode_bytes(raw, encodings, set(_DELIMITERS))
    return raw.decode(encodings[0], "replace")
