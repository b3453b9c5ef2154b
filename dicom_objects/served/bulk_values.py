"""Finding one element by its address below an object: tag, item, tag, ..."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydicom.tag import BaseTag

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydicom import DataElement, Dataset


def element_at(dataset: Dataset, steps: Sequence[str]) -> DataElement:
    """Return the element; items are counted from 1.

    Raises:
        KeyError: there is none of this tag.
        ValueError: a step is neither a tag nor an item that is there.

    """
    element = dataset[_tag(steps[0])]
    for item, tag in zip(steps[1::2], steps[2::2], strict=True):
        items = element.value if element.VR == "SQ" else ()
        number = int(item)
        if not 1 <= number <= len(items):
            raise ValueError("there is no such item")
        element = items[number - 1][_tag(tag)]
    return element


def _tag(text: str) -> BaseTag:
    return BaseTag(int(text, 16))
