"""A UID that has been checked. No path, key or query is made from any other (reliability.md B1)."""

from __future__ import annotations

import re
from typing import NewType

from dicom_node.errors import InvalidUid

Uid = NewType("Uid", str)

MAX_LENGTH = 64
# PS3.5 9.1: components of digits joined by dots; a component has no leading zero unless it is 0.
_PATTERN = re.compile(r"(?:0|[1-9][0-9]*)(?:\.(?:0|[1-9][0-9]*))*")


def parse_uid(raw: str | bytes, keyword: str) -> Uid:
    """Return the UID that `raw` holds, its padding removed (one NUL, or spaces as some write).

    `keyword` names the element in the error; the value itself never appears in it.
    """
    text = raw.decode("ascii", "replace") if isinstance(raw, bytes) else raw
    text = text.rstrip("\0 ")
    if len(text) > MAX_LENGTH or _PATTERN.fullmatch(text) is None:
        message = f"{keyword} is not a UID of at most {MAX_LENGTH} characters (PS3.5 section 9.1)"
        raise InvalidUid(message)
    return Uid(text)
