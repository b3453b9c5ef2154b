"""Headers of stored objects as JSON: all of one, or a few attributes of many."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dicom_objects.attributes import DAMAGED
from dicom_objects.served.bulk_values import element_at
from dicom_objects.served.errors import NoSuchValue
from dicom_objects.served.json_model import json_model
from dicom_objects.served.stored_object import stored_object

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def read_metadata(path: Path, bulk_root: str) -> dict[str, Any]:
    """Return the whole header in the DICOM JSON model; pixel data and large values by address.

    Raises as `stored_object`.
    """
    with stored_object(path) as stored:
        model = json_model(stored.dataset, bulk_root)
        if stored.pixels is not None:
            tag = f"{stored.pixels.tag:08X}"
            model[tag] = {"vr": stored.pixels.vr, "BulkDataURI": f"{bulk_root}/{tag}"}
        return model


def read_attributes(path: Path, keywords: Sequence[str]) -> dict[str, Any]:
    """Return these attributes, those that the object has, in the DICOM JSON model.

    Raises as `stored_object`.
    """
    with stored_object(path, keywords) as stored:
        return json_model(stored.dataset, "")


def read_value(path: Path, steps: Sequence[str]) -> bytes:
    """Return one binary value.

    Args:
        path: of the object.
        steps: tag, item (from 1), tag, ... as in the addresses of `read_metadata`.

    Raises:
        NoSuchValue: there is none there, or it is not binary.

    """
    with stored_object(path) as stored:
        try:
            value = element_at(stored.dataset, steps).value
        except DAMAGED as error:
            raise NoSuchValue("the object has no value at this address") from error
        if not isinstance(value, bytes):
            raise NoSuchValue("the value at this address is no bulk data: it is in the metadata")
        return value
