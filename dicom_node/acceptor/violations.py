"""What a peer may not do: it ends the association with A-ABORT, and is counted."""

from __future__ import annotations

from dicom_node.errors import DicomNodeError
from dicom_node.vitals import Ending

# Reasons of an A-ABORT by the service provider (PS3.8 Table 9-26).
NOT_SPECIFIED = 0
UNRECOGNIZED_PDU = 1
UNEXPECTED_PDU = 2
INVALID_PARAMETER = 6


class Violation(DicomNodeError):  # noqa: N818 - it names the condition, as the field does
    """Bytes that the upper layer protocol does not allow, or more of them than we take."""

    code = "PROTOCOL_VIOLATION"

    def __init__(self, message: str, ending: Ending, reason: int = INVALID_PARAMETER) -> None:
        """Keep what is counted, and the reason that the peer is told."""
        super().__init__(message)
        self.ending = ending
        self.reason = reason


def malformed(message: str) -> Violation:
    """Return the violation of bytes that do not have the form they must have."""
    return Violation(message, Ending.MALFORMED)
