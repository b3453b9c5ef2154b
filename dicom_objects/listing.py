"""What stands in a DICOM file, attribute by attribute, for tables that people read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pydicom
from pydicom.datadict import dictionary_description, keyword_for_tag

if TYPE_CHECKING:
    from pathlib import Path

    from pydicom import DataElement, Dataset

_BULK = frozenset(("OB", "OW", "OF", "OD", "UN"))


@dataclass(frozen=True)
class ListedAttribute:
    """One attribute of the top level."""

    tag: str
    """As (0008,0016)."""
    name: str
    vr: str
    value: str
    """In one line; "" where it is empty, a sequence, or pixels and documents."""
    members: tuple[str, ...] = ()
    """Of a sequence the names of what its items have, in the order of tags."""
    bulk: bool = False


def listed(path: Path) -> dict[str, ListedAttribute]:
    """Return the attributes of a file by tag, in order; the file meta information first."""
    dataset = pydicom.dcmread(path)
    found = (_listed(element) for part in (dataset.file_meta, dataset) for element in part)
    return {one.tag: one for one in found}


def _listed(element: DataElement) -> ListedAttribute:
    tag, vr = f"({element.tag.group:04X},{element.tag.element:04X})", str(element.VR)
    if vr == "SQ":
        return ListedAttribute(tag, element.name, vr, "", _members(element.value))
    if vr in _BULK:
        return ListedAttribute(tag, element.name, vr, "", bulk=True)
    several = element.value if element.VM > 1 else [element.value]
    shown = "" if element.value is None else "\\".join(str(value) for value in several)
    return ListedAttribute(tag, element.name, vr, shown.strip())


def _members(items: list[Dataset]) -> tuple[str, ...]:
    tags = sorted({element.tag for item in items for element in item})
    return tuple(dictionary_description(tag) for tag in tags if keyword_for_tag(tag))
