"""Unique identifiers that depend on what they name, so that equal input gives equal UIDs."""

from __future__ import annotations

import uuid

from pydicom.uid import UID

_NAMESPACE = uuid.UUID("6b5d7a52-7f0e-5b0f-9d3a-0e5f6c1a4b27")

IMPLEMENTATION_CLASS_UID = UID("2.25.316230208622588311436189660710167314677")
IMPLEMENTATION_VERSION_NAME = "OSTEON"


def derived_uid(*parts: str) -> UID:
    """Return the UID of the thing that `parts` describe: "2.25." and a UUID (PS3.5 B.2).

    The UUID is the name-based kind (RFC 9562 version 5), so the same parts always give the same
    UID and any changed part gives another.
    """
    name = "\x1f".join(parts)
    return UID(f"2.25.{uuid.uuid5(_NAMESPACE, name).int}")
