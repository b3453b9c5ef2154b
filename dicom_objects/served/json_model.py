"""Data sets in the DICOM JSON model (PS3.18 Annex F); large binary values by address."""

from __future__ import annotations

import base64
import math
from typing import TYPE_CHECKING, Any

from pydicom.tag import BaseTag

from dicom_objects.attributes import DAMAGED

if TYPE_CHECKING:
    from pydicom import DataElement, Dataset

INLINE_BYTES = 1024
"""Longer binary values are given by address."""
_BINARY = frozenset(("OB", "OD", "OF", "OL", "OV", "OW", "UN"))
_CHARACTER_SET = BaseTag(0x00080005)
_UTF_8 = "ISO_IR 192"  # what JSON is written in, whatever the object is (PS3.18 F.2)


def json_model(dataset: Dataset, bulk_root: str) -> dict[str, Any]:
    """Return the data set as JSON values; what is damaged is left out.

    Args:
        dataset: as pydicom read it, without pixel data.
        bulk_root: address under which large values are found, by tag and item (from 1).

    """
    model: dict[str, Any] = {}
    for tag in sorted(dataset.keys()):
        if tag.element == 0 or tag.group < 0x0008:  # lengths of groups, file meta information
            continue
        name = f"{tag:08X}"
        try:
            model[name] = _element(dataset[tag], f"{bulk_root}/{name}")
        except (*DAMAGED, TypeError):
            continue
    return model


def _element(element: DataElement, address: str) -> dict[str, Any]:
    if element.VR == "SQ":
        return _sequence(element, address)
    if element.tag == _CHARACTER_SET:
        return {"vr": "CS", "Value": [_UTF_8]}
    if element.VR in _BINARY:
        return _binary(element, address)
    model: dict[str, Any] = element.to_json_dict(None, INLINE_BYTES)
    if "Value" in model:
        model["Value"] = [_number(value) for value in model["Value"]]
    return model


def _sequence(element: DataElement, address: str) -> dict[str, Any]:
    items = [json_model(item, f"{address}/{n}") for n, item in enumerate(element.value, 1)]
    return {"vr": "SQ", "Value": items} if items else {"vr": "SQ"}


def _binary(element: DataElement, address: str) -> dict[str, Any]:
    if not element.value:
        return {"vr": element.VR}
    if len(element.value) > INLINE_BYTES:
        return {"vr": element.VR, "BulkDataURI": address}
    return {"vr": element.VR, "InlineBinary": base64.b64encode(element.value).decode("ascii")}


def _number(value: Any) -> Any:  # noqa: ANN401 - any value of JSON
    """Return numbers that JSON does not know as PS3.18 F.2.3.1 writes them."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "inf" if value > 0 else "-inf"
    return value
