"""What can be wrong with an object that is to be handed out.

ServingError
├── UnreadableObject   its bytes are no data set that can be read
├── NotEncodable       it cannot be given in the encoding that is asked for
└── NoSuchValue        it has no such value, no such frame
"""

from __future__ import annotations

from dicom_objects.errors import DicomObjectError


class ServingError(DicomObjectError):
    """An object cannot be given as it was asked for."""

    code = "NOT_SERVED"


class UnreadableObject(ServingError):  # noqa: N818 - these name the condition
    """The bytes are no data set that can be read."""

    code = "UNREADABLE_OBJECT"


class NotEncodable(ServingError):  # noqa: N818
    """The object cannot be given in the encoding that is asked for."""

    code = "NOT_ENCODABLE"


class NoSuchValue(ServingError):  # noqa: N818
    """The object has no such value or frame."""

    code = "NO_SUCH_VALUE"
