"""Tables of statuses and of reasons: what we answer, and what we make of answers."""

from __future__ import annotations

from dicom_node import arrival, commitment_request, commitment_scp
from dicom_node.rejection import PERMANENT, REFUSALS
from dicom_node.send import may_be_repeated, was_taken
from service.conformance.markdown import hexadecimal, ranges, table
from service.metrics.node import REFUSALS as REFUSED_OBJECTS

_MEANS = {
    "SPOOL_FULL": "the disk is full, or has less space than `node.free_space_floor_gib`",
    "SPOOL_UNWRITABLE": "the file system refuses to write",
    "QUOTA_EXCEEDED": "the association has brought more bytes than one may",
    "HEADER_MISMATCH": "the data set is of another SOP class or instance than the request says",
    "INVALID_UID": "a UID of request or data set is none",
    "UNREADABLE_HEADER": "the data set cannot be walked to its UIDs, or there is none",
}
_NOT_TOLD = frozenset(("TLS_HANDSHAKE_FAILED", "OWN_CHECK_REFUSED"))
_RESULTS = {1: "permanent", 2: "transient"}
_SOURCES = {1: "service-user", 3: "service-provider (presentation)"}


def store_statuses() -> str:
    """Return what NODE answers a C-STORE."""
    rows = [
        ("Success", hexadecimal(arrival.SUCCESS), "", "stored durably; also the same bytes again"),
        (
            "Warning",
            hexadecimal(arrival.KEPT_THE_FIRST),
            "",
            "other bytes under a known SOP Instance UID: the first are kept, these set aside",
        ),
        *(
            ("Failure", f"{status.removeprefix('0x')}H", f"`{code}`", _MEANS[code])
            for code, status in REFUSED_OBJECTS
        ),
    ]
    return table(("Service status", "Code", "In our log", "Meaning"), rows)


def answer_statuses() -> str:
    """Return what WORKER does after each status of a destination."""
    rows = (
        (ranges(was_taken), "the object is there", "proof is asked for, then it is done"),
        (ranges(may_be_repeated), "not now", "the rest waits; the same bytes are sent again"),
        ("any other", "refused for good", "noted; the other objects go on; a person is told"),
        ("none", "the association ended or timed out", "as not now"),
    )
    return table(("Status of the C-STORE response", "Means", "What happens"), rows)


def rejections() -> str:
    """Return why an association is rejected; what a peer hears of no association is left out."""
    told = sorted(REFUSALS, key=lambda one: (one.result != PERMANENT, one.reason))
    rows = (
        (
            _RESULTS[refusal.result],
            _SOURCES[refusal.source],
            refusal.reason,
            f"`{refusal.code}`",
            (refusal.__doc__ or "").partition("\n")[0].rstrip("."),
        )
        for refusal in told
        if refusal.code not in _NOT_TOLD
    )
    return table(("Result", "Source", "Reason", "In our log", "Cause"), rows)


def commitment_statuses() -> str:
    """Return what NODE answers a request for storage commitment."""
    rows = (
        (commitment_scp.SUCCESS, "the request was taken; the report follows"),
        (commitment_scp.NO_SUCH_INSTANCE, "another instance than the well-known one"),
        (commitment_scp.NO_SUCH_ACTION, "another Action Type ID than 1"),
        (commitment_scp.INVALID_ARGUMENT, "the request cannot be read, or names no objects"),
        (commitment_scp.RESOURCE_LIMITATION, "no room on the disk to keep the report"),
    )
    return table(("N-ACTION status", "Meaning"), ((hexadecimal(s), text) for s, text in rows))


def commitment_reasons() -> str:
    """Return the Failure Reasons of a report."""
    rows = (
        (commitment_request.NO_SUCH_OBJECT, "it is not here"),
        (commitment_request.CLASS_INSTANCE_CONFLICT, "it is here with another SOP class"),
        (
            commitment_request.PROCESSING_FAILURE,
            "other bytes came under this UID too: only the first are kept",
        ),
    )
    return table(
        ("Failure Reason (0008,1197)", "Meaning"), ((hexadecimal(s), text) for s, text in rows)
    )
