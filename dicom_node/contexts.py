"""What the node takes and offers: object classes by transfer syntaxes, as literal tables.

The receiver, the sender and the conformance statement all read these tables (dicom.md C1).
Left out on purpose: Deflated (1.2.840.10008.1.2.1.99, a decompression bomb needs no more than
that) and everything private. Nothing is accepted that is not listed.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Use(StrEnum):
    """What becomes of an object that was received."""

    INPUT = "input"
    """New input: it makes its study due for measuring."""
    SET_ASIDE = "set aside"
    """Stored and not used. Refusing it makes some senders fail the whole study."""


@dataclass(frozen=True)
class StorageClass:
    """One SOP class of the Storage Service (PS3.4 Table B.5-1)."""

    uid: str
    name: str
    use: Use


@dataclass(frozen=True)
class TransferSyntax:
    """One encoding (PS3.5 Annex A).

    Lossy images are taken, so that the reason can be told later: a refusal at the network hides it.
    """

    uid: str
    name: str
    lossy: bool = False
    compressed: bool = False


VERIFICATION = "1.2.840.10008.1.1"
IMPLICIT_LE = "1.2.840.10008.1.2"
EXPLICIT_LE = "1.2.840.10008.1.2.1"
EXPLICIT_BE = "1.2.840.10008.1.2.2"

_STORE = "1.2.840.10008.5.1.4.1.1"

STORAGE_CLASSES = (
    StorageClass(f"{_STORE}.4", "MR Image", Use.INPUT),
    StorageClass(f"{_STORE}.4.1", "Enhanced MR Image", Use.INPUT),
    StorageClass(f"{_STORE}.4.4", "Legacy Converted Enhanced MR Image", Use.INPUT),
    StorageClass(f"{_STORE}.4.2", "MR Spectroscopy", Use.SET_ASIDE),
    StorageClass(f"{_STORE}.4.3", "Enhanced MR Color Image", Use.SET_ASIDE),
    StorageClass(f"{_STORE}.7", "Secondary Capture Image", Use.SET_ASIDE),
    StorageClass(f"{_STORE}.7.1", "Multi-frame Single Bit Secondary Capture", Use.SET_ASIDE),
    StorageClass(f"{_STORE}.7.2", "Multi-frame Grayscale Byte Secondary Capture", Use.SET_ASIDE),
    StorageClass(f"{_STORE}.7.3", "Multi-frame Grayscale Word Secondary Capture", Use.SET_ASIDE),
    StorageClass(f"{_STORE}.7.4", "Multi-frame True Color Secondary Capture", Use.SET_ASIDE),
    StorageClass(f"{_STORE}.11.1", "Grayscale Softcopy Presentation State", Use.SET_ASIDE),
    StorageClass(f"{_STORE}.30", "Parametric Map", Use.SET_ASIDE),
    StorageClass(f"{_STORE}.66", "Raw Data", Use.SET_ASIDE),
    StorageClass(f"{_STORE}.66.4", "Segmentation", Use.SET_ASIDE),
    StorageClass(f"{_STORE}.66.7", "Label Map Segmentation", Use.SET_ASIDE),
    StorageClass(f"{_STORE}.88.11", "Basic Text SR", Use.SET_ASIDE),
    StorageClass(f"{_STORE}.88.22", "Enhanced SR", Use.SET_ASIDE),
    StorageClass(f"{_STORE}.88.33", "Comprehensive SR", Use.SET_ASIDE),
    StorageClass(f"{_STORE}.88.34", "Comprehensive 3D SR", Use.SET_ASIDE),
    StorageClass(f"{_STORE}.88.59", "Key Object Selection Document", Use.SET_ASIDE),
    StorageClass(f"{_STORE}.104.1", "Encapsulated PDF", Use.SET_ASIDE),
)

TRANSFER_SYNTAXES = (
    TransferSyntax(EXPLICIT_LE, "Explicit VR Little Endian"),
    TransferSyntax(IMPLICIT_LE, "Implicit VR Little Endian"),
    TransferSyntax(EXPLICIT_BE, "Explicit VR Big Endian (retired)"),
    TransferSyntax("1.2.840.10008.1.2.5", "RLE Lossless", compressed=True),
    TransferSyntax("1.2.840.10008.1.2.4.57", "JPEG Lossless, Process 14", compressed=True),
    TransferSyntax("1.2.840.10008.1.2.4.70", "JPEG Lossless, SV1", compressed=True),
    TransferSyntax("1.2.840.10008.1.2.4.80", "JPEG-LS Lossless", compressed=True),
    TransferSyntax("1.2.840.10008.1.2.4.90", "JPEG 2000 Lossless", compressed=True),
    TransferSyntax("1.2.840.10008.1.2.4.201", "HTJ2K Lossless", compressed=True),
    TransferSyntax("1.2.840.10008.1.2.4.202", "HTJ2K Lossless RPCL", compressed=True),
    TransferSyntax("1.2.840.10008.1.2.4.50", "JPEG Baseline", lossy=True, compressed=True),
    TransferSyntax("1.2.840.10008.1.2.4.51", "JPEG Extended", lossy=True, compressed=True),
    TransferSyntax("1.2.840.10008.1.2.4.81", "JPEG-LS Near-lossless", lossy=True, compressed=True),
    TransferSyntax("1.2.840.10008.1.2.4.91", "JPEG 2000", lossy=True, compressed=True),
)

UNCOMPRESSED_LE = (EXPLICIT_LE, IMPLICIT_LE)
"""The two between which a data set may be re-encoded on the way out, best first."""

_INPUT = frozenset(c.uid for c in STORAGE_CLASSES if c.use is Use.INPUT)


def is_input(sop_class_uid: str) -> bool:
    """Tell whether an object counts as new input for its study.

    The whole of the loop guard: our results are SEG, SR, PDF and secondary capture, all set
    aside, so results that a PACS routes back to us never open a new revision.
    """
    return sop_class_uid in _INPUT
