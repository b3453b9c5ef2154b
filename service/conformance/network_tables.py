"""Tables of services, presentation contexts and limits."""

from __future__ import annotations

from dataclasses import dataclass

from dicom_node.acceptor.limits import Limits
from dicom_node.commitment import PUSH_MODEL
from dicom_node.contexts import (
    EXPLICIT_LE,
    IMPLICIT_LE,
    STORAGE_CLASSES,
    TRANSFER_SYNTAXES,
    UNCOMPRESSED_LE,
    VERIFICATION,
    Use,
)
from dicom_node.network import MAXIMUM_PDU
from dicom_node.part10 import IMPLEMENTATION_CLASS_UID
from dicom_node.peer import Peer
from dicom_node.query import PATIENT_ROOT_FIND, STUDY_ROOT_FIND
from dicom_node.retrieve import STUDY_ROOT_GET, STUDY_ROOT_MOVE
from service.conformance.markdown import table
from service.conformance.sample import SENT_CLASSES

_ROOT = "Root Query/Retrieve Information Model"
_NAMES = {syntax.uid: syntax.name for syntax in TRANSFER_SYNTAXES}
_INPUTS = tuple(c for c in STORAGE_CLASSES if c.use is Use.INPUT)


@dataclass(frozen=True)
class Service:
    """One SOP class of a service, and our role."""

    kind: str
    name: str
    uid: str
    scu: bool
    scp: bool


def services() -> tuple[Service, ...]:
    """Return every SOP class of the network services, storage first."""
    storage = [
        Service("Storage", f"{c.name} Storage", c.uid, c.uid in SENT_CLASSES, scp=True)
        for c in STORAGE_CLASSES
    ]
    commitment = "Storage Commitment", "Storage Commitment Push Model", str(PUSH_MODEL)
    queries = (
        (f"Study {_ROOT} - FIND", STUDY_ROOT_FIND),
        (f"Patient {_ROOT} - FIND", PATIENT_ROOT_FIND),
        (f"Study {_ROOT} - GET", STUDY_ROOT_GET),
        (f"Study {_ROOT} - MOVE", STUDY_ROOT_MOVE),
    )
    return (
        *storage,
        Service(*commitment, scu=True, scp=True),
        *(Service("Query/Retrieve", *one, scu=True, scp=False) for one in queries),
        Service("Verification", "Verification", VERIFICATION, scu=True, scp=True),
    )


def network_services() -> str:
    """Return the table that a PACS administrator looks for first."""
    rows = ((s.kind, s.name, f"`{s.uid}`", _mark(s.scu), _mark(s.scp)) for s in services())
    return table(("Service", "SOP Class", "UID", "SCU", "SCP"), rows)


def measured_classes() -> str:
    """Return the names of what is measured."""
    return ", ".join(c.name for c in _INPUTS)


def accepted_contexts() -> str:
    """Return what NODE accepts."""
    storage = "all of table 4"
    both = f"{_NAMES[EXPLICIT_LE]}, {_NAMES[IMPLICIT_LE]}"
    rows = [
        ("Verification", f"`{VERIFICATION}`", both, "SCP", "None"),
        ("Storage Commitment Push Model", f"`{PUSH_MODEL}`", both, "SCP; SCU for reports", _ROLES),
        *((f"{c.name} Storage", f"`{c.uid}`", storage, "SCP", "None") for c in STORAGE_CLASSES),
    ]
    return table(_CONTEXT_HEADS, rows)


def transfer_syntaxes() -> str:
    """Return the transfer syntaxes of storage in the order of preference."""
    rows = (
        (s.name, f"`{s.uid}`", "lossy: received, then refused with a reason" if s.lossy else "")
        for s in TRANSFER_SYNTAXES
    )
    return table(("Transfer syntax", "UID", "Remark"), rows)


def proposed_contexts() -> str:
    """Return what WORKER and NODE propose, by what they want."""
    both = ", ".join(_NAMES[uid] for uid in UNCOMPRESSED_LE)
    inputs = ", ".join(f"{c.name} Storage" for c in _INPUTS)
    rows = [
        *((f"{name} Storage", f"`{uid}`", both, "SCU", "None") for uid, name in _sent()),
        ("Storage Commitment Push Model", f"`{PUSH_MODEL}`", both, "SCU", "None"),
        ("the same, to report to a sender", f"`{PUSH_MODEL}`", both, "SCP", "SCP role proposed"),
        (f"Study {_ROOT} - FIND", f"`{STUDY_ROOT_FIND}`", both, "SCU", "None"),
        (f"Patient {_ROOT} - FIND", f"`{PATIENT_ROOT_FIND}`", both, "SCU", "None"),
        (f"Study {_ROOT} - GET", f"`{STUDY_ROOT_GET}`", both, "SCU", "None"),
        (inputs, "of C-GET", "all of table 4", "SCP", "SCP role proposed"),
        (f"Study {_ROOT} - MOVE", f"`{STUDY_ROOT_MOVE}`", both, "SCU", "None"),
        ("Verification", f"`{VERIFICATION}`", both, "SCU", "None"),
    ]
    return table(_CONTEXT_HEADS, rows)


def sent_classes() -> str:
    """Return what results are."""
    return table(("SOP Class", "UID"), ((f"{name} Storage", f"`{uid}`") for uid, name in _sent()))


def limits() -> str:
    """Return how much, how many and how long, as NODE enforces it."""
    given = Limits()
    rows = (
        ("Connections without an association", given.waiting),
        ("of one address", given.waiting_per_address),
        ("TLS handshake", f"{given.handshake_s:g} s"),
        ("From the connection to the whole A-ASSOCIATE-RQ", f"{given.request_s:g} s"),
        ("Length of an A-ASSOCIATE-RQ", f"{given.request_bytes // 1024} KiB"),
        ("PDU length that is asked for and enforced", f"{given.pdu_bytes} bytes"),
        ("One whole PDU", f"{given.pdu_s:g} s"),
        ("Silence between PDUs", f"{given.idle_s:g} s"),
        ("One whole message", f"{given.message_s:g} s"),
        ("A peer that does not read our answers", f"{given.send_s:g} s"),
        ("One object", f"{given.object_bytes // 1024**3} GiB"),
        ("A data set that is not stored", f"{given.data_set_bytes // 1024**2} MiB"),
    )
    return table(("Limit of NODE", "Value"), rows)


def calling_limits() -> str:
    """Return the time limits of associations that we open."""
    waits = Peer("PEER", "127.0.0.1", 104).timeouts
    rows = (
        ("Connection", f"{waits.connect_s:g} s"),
        ("A-ASSOCIATE-AC or -RJ", f"{waits.negotiate_s:g} s"),
        ("Answer to a message", f"{waits.answer_s:g} s"),
        ("Silence", f"{waits.idle_s:g} s"),
        ("PDU length that we take", f"{MAXIMUM_PDU} bytes"),
    )
    return table(("Limit where we call", "Value"), rows)


def implementation() -> str:
    """Return what every association says of us."""
    rows = (
        ("Application context", "`1.2.840.10008.3.1.1.1`"),
        ("Implementation Class UID", f"`{IMPLEMENTATION_CLASS_UID}`"),
        ("Implementation Version Name", "`OSTEON_` and the version, at most 16 characters"),
    )
    return table(("Item", "Value"), rows)


_CONTEXT_HEADS = ("SOP Class", "UID", "Transfer syntaxes", "Role", "Extended negotiation")
_ROLES = "SCP/SCU role selection"


def _sent() -> tuple[tuple[str, str], ...]:
    names = {c.uid: c.name for c in STORAGE_CLASSES}
    return tuple((uid, names[uid]) for uid in SENT_CLASSES)


def _mark(supported: bool) -> str:
    return "Yes" if supported else "No"
