"""What can go wrong at the network door.

DicomNodeError
├── InvalidAeTitle       a setting that is no AE title
├── InvalidAddress       a setting that is no address of a DICOMweb service
├── InvalidUid           a UID that is not one; nothing is made from it
├── UnreadableHeader     bytes that do not tell which study and series they belong to
├── UnreadableReport     a report of storage commitment that cannot be read
├── HeaderMismatch       the command says one object, the data set is another
├── SpoolError           nothing was kept; the sender keeps it
│   ├── SpoolFull        no space, or less than the floor
│   ├── SpoolUnwritable  the file system refused for another reason
│   └── SpoolBusy        another process already writes to this spool
├── PortUnavailable      the node cannot listen where it was told to
└── PeerError
    ├── PeerUnavailable  nobody answers, or not now: try again
    └── PeerRefused      the peer said no for good: a person must look
        ├── QueryRefused     an archive cannot be asked, or answers a question with a failure
        └── RetrieveRefused  an archive does not give us what it holds

Messages never hold a UID or any other value that came from the network or out of a data set.
"""

from __future__ import annotations


class DicomNodeError(Exception):
    """Something at the network door; `code` is stable and shown to people."""

    code = "DICOM_NODE_ERROR"


class InvalidAeTitle(DicomNodeError):  # noqa: N818 - these name the condition, as the field does
    """A configured AE title that cannot be one (PS3.5 section 6.2, value representation AE)."""

    code = "INVALID_AE_TITLE"


class InvalidAddress(DicomNodeError):  # noqa: N818
    """A configured address that cannot be one of a DICOMweb service."""

    code = "INVALID_ADDRESS"


class InvalidUid(DicomNodeError):  # noqa: N818
    """A value that is not a UID (PS3.5 section 9.1)."""

    code = "INVALID_UID"


class UnreadableHeader(DicomNodeError):  # noqa: N818
    """A data set or a file whose first elements cannot be walked."""

    code = "UNREADABLE_HEADER"


class UnreadableReport(DicomNodeError):  # noqa: N818
    """An N-EVENT-REPORT that says nothing of storage commitment."""

    code = "UNREADABLE_REPORT"


class HeaderMismatch(DicomNodeError):  # noqa: N818
    """The data set is another object than the C-STORE command announced."""

    code = "HEADER_MISMATCH"


class SpoolError(DicomNodeError):
    """The spool kept nothing; whoever sent it still has it."""

    code = "SPOOL_ERROR"


class SpoolFull(SpoolError):  # noqa: N818
    """No space, or less than the floor that is kept free."""

    code = "SPOOL_FULL"


class SpoolUnwritable(SpoolError):  # noqa: N818
    """The file system refused to write: read-only, permission, input/output error."""

    code = "SPOOL_UNWRITABLE"


class SpoolBusy(SpoolError):  # noqa: N818
    """Another process writes to this spool; nodes share one only with one database server."""

    code = "SPOOL_BUSY"


class PortUnavailable(DicomNodeError):  # noqa: N818
    """The address or port to listen on is taken or not ours."""

    code = "PORT_UNAVAILABLE"


class PeerError(DicomNodeError):
    """A peer that we called did not take what we had."""

    code = "PEER_ERROR"


class PeerUnavailable(PeerError):  # noqa: N818
    """Nobody answers, or not now. Worth trying again."""

    code = "PEER_UNAVAILABLE"


class PeerRefused(PeerError):  # noqa: N818
    """The peer rejected us for good: AE titles or object classes. A person must look."""

    code = "PEER_REFUSED"


class QueryRefused(PeerRefused):
    """An archive that cannot be asked what we need to know, or answered with a failure."""

    code = "QUERY_REFUSED"


class RetrieveRefused(PeerRefused):
    """An archive that does not give us images that it holds: not this way, or not at all."""

    code = "RETRIEVE_REFUSED"
