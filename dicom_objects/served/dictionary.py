"""Names of attributes: by keyword or tag, as DICOMweb queries write them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pydicom.datadict import dictionary_VR, keyword_for_tag, tag_for_keyword

if TYPE_CHECKING:
    from collections.abc import Iterable

_TAG = re.compile("[0-9A-Fa-f]{8}")


def tag_of(name: str) -> str | None:
    """Return the tag of a standard attribute as eight digits; None where there is no such one."""
    if _TAG.fullmatch(name):
        return name.upper() if keyword_for_tag(int(name, 16)) else None
    tag = tag_for_keyword(name)
    return None if tag is None else f"{tag:08X}"


def vr_of(tag: str) -> str:
    """Return the value representation of a standard attribute, the first where it has several."""
    return dictionary_VR(int(tag, 16)).split()[0]


def tags_of(keywords: Iterable[str]) -> dict[str, str]:
    """Return tag and VR of keywords that are known to be right.

    Raises:
        LookupError: one of them is not.

    """
    found: dict[str, str] = {}
    for keyword in keywords:
        tag = tag_of(keyword)
        if tag is None:
            raise LookupError(f"no attribute has the keyword {keyword}")
        found[tag] = vr_of(tag)
    return found
