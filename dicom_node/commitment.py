"""Storage commitment as SCU: a peer is asked to answer for objects that it took (PS3.4 Annex J).

The request (N-ACTION) is answered at once, the report (N-EVENT-REPORT) comes when the peer knows:
on the same association, on one that the peer opens to our node (`ReportService`), or never.
"""

from __future__ import annotations

import queue
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass, field
from io import BytesIO
from typing import TYPE_CHECKING

from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset
from pynetdicom import evt

from dicom_node.acceptor.services import NormalizedResponse, NormalizedService, Operation
from dicom_node.contexts import EXPLICIT_LE, IMPLICIT_LE
from dicom_node.errors import InvalidUid, PeerRefused, PeerUnavailable, UnreadableReport
from dicom_node.peer import Answering, associated
from dicom_node.uid import Uid, parse_uid

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pynetdicom.association import Association
    from pynetdicom.events import Event

    from dicom_node.acceptor.services import Caller, NormalizedRequest
    from dicom_node.peer import Peer

PUSH_MODEL = Uid("1.2.840.10008.1.20.1")
_INSTANCE = "1.2.840.10008.1.20.1.1"  # the well-known one (PS3.4 J.3.5)
_REQUEST = 1  # Action Type ID
_EVENT_TYPES = frozenset((1, 2))  # all are stored; some are not
_MOST_BYTES = 256 * 1024  # a report names at most what one study has

_SUCCESS = 0x0000
_PROCESSING_FAILURE = 0x0110
_NO_SUCH_EVENT_TYPE = 0x0113
_INVALID_ARGUMENT = 0x0115
_NOT_NOW = frozenset((0x0110, 0x0131, 0x0213))


@dataclass(frozen=True)
class Reference:
    """An object that the peer took."""

    sop_class_uid: str
    sop_instance_uid: str


@dataclass(frozen=True)
class CommitmentReport:
    """What a peer answers for: SOP Instance UIDs, and for those that failed the reason."""

    transaction_uid: str
    committed: tuple[str, ...]
    failed: Mapping[str, int] = field(default_factory=dict)


def new_transaction_uid() -> str:
    """Return a UID that nobody can guess: who reports under it was asked by us."""
    return f"2.25.{uuid.uuid4().int}"


def request_commitment(
    peer: Peer, transaction_uid: str, references: Sequence[Reference], linger_s: float = 1.0
) -> CommitmentReport | None:
    """Ask the peer to commit; return its report if it comes on this association within `linger_s`.

    The association is released before this returns: many peers open their own only then.

    Raises:
        PeerUnavailable: it does not answer, or cannot now.
        PeerRefused: it rejects us, offers no storage commitment, or refused the request.

    """
    heard: queue.SimpleQueue[CommitmentReport] = queue.SimpleQueue()
    answering = Answering(handlers=((evt.EVT_N_EVENT_REPORT, _hear, [heard]),))
    pairs = [(str(PUSH_MODEL), syntax) for syntax in (EXPLICIT_LE, IMPLICIT_LE)]
    with associated(peer, pairs, answering) as association:
        _ask(association, _action(transaction_uid, references))
        return _linger(association, heard, linger_s)


def read_report(event_type_id: int, data_set: Dataset) -> CommitmentReport:
    """Read the information of an event (PS3.4 Table J.3-2).

    Raises:
        UnreadableReport: it is not one of storage commitment.

    """
    if event_type_id not in _EVENT_TYPES:
        raise UnreadableReport("the report is of an event that storage commitment does not have")
    try:
        failed: dict[str, int] = {
            _uid(item, "ReferencedSOPInstanceUID"): int(item.get("FailureReason", 0x0110))
            for item in data_set.get("FailedSOPSequence") or ()
        }
        committed = tuple(
            _uid(item, "ReferencedSOPInstanceUID")
            for item in data_set.get("ReferencedSOPSequence") or ()
        )
        return CommitmentReport(_uid(data_set, "TransactionUID"), committed, failed)
    except (InvalidUid, AttributeError, TypeError, ValueError):
        raise UnreadableReport("the report lacks a UID, or has one that is none") from None


@dataclass(frozen=True)
class ReportService:
    """What the node answers a peer that reports on an association of its own."""

    note: Callable[[CommitmentReport], bool]
    """Keep what is reported; False if nobody asked for it. Called in a thread.

    Raises:
        ReportNotKept: it cannot be kept now; the peer is told so and may report again.
    """

    def service(self) -> NormalizedService:
        """Return what plugs into the acceptor."""
        return NormalizedService(PUSH_MODEL, Operation.N_EVENT_REPORT, self.answer)

    def answer(self, _caller: Caller, request: NormalizedRequest) -> NormalizedResponse:
        """Return the status that the peer gets."""
        if request.type_id not in _EVENT_TYPES:
            return NormalizedResponse(_NO_SUCH_EVENT_TYPE)
        try:
            report = parse_report(request)
        except UnreadableReport:
            return NormalizedResponse(_PROCESSING_FAILURE)
        try:
            known = self.note(report)
        except ReportNotKept:
            return NormalizedResponse(_PROCESSING_FAILURE)
        return NormalizedResponse(_SUCCESS if known else _INVALID_ARGUMENT)


class ReportNotKept(Exception):  # noqa: N818 - it names the condition
    """The record of work does not answer now."""


def parse_report(request: NormalizedRequest) -> CommitmentReport:
    """Read a report out of the bytes that came.

    It is small, uncompressed and of few elements; what is longer than any of ours is not read.

    Raises:
        UnreadableReport: these bytes are none.

    """
    if len(request.data_set) > _MOST_BYTES:
        raise UnreadableReport("the report is longer than any that was asked for")
    implicit = request.transfer_syntax_uid == IMPLICIT_LE
    try:
        data_set = read_dataset(BytesIO(request.data_set), implicit, is_little_endian=True)
        return read_report(request.type_id, data_set)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise UnreadableReport("the report is no data set") from None


def _hear(event: Event, heard: queue.SimpleQueue[CommitmentReport]) -> tuple[int, None]:
    try:
        heard.put(read_report(event.event_type or 0, event.event_information))
    except UnreadableReport:
        return _PROCESSING_FAILURE, None
    return _SUCCESS, None


def _action(transaction_uid: str, references: Sequence[Reference]) -> Dataset:
    made = Dataset()
    made.TransactionUID = transaction_uid
    made.ReferencedSOPSequence = [_item(reference) for reference in references]
    return made


def _item(reference: Reference) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID = reference.sop_class_uid
    item.ReferencedSOPInstanceUID = reference.sop_instance_uid
    return item


def _ask(association: Association, action: Dataset) -> None:
    answer, _ = association.send_n_action(action, _REQUEST, str(PUSH_MODEL), _INSTANCE)
    if "Status" not in answer:
        raise PeerUnavailable("the request for storage commitment was not answered in time")
    status = int(answer.Status)
    if status in _NOT_NOW:
        raise PeerUnavailable(f"storage commitment cannot be asked for now (0x{status:04X})")
    if status != _SUCCESS:
        raise PeerRefused(f"the request for storage commitment was refused (0x{status:04X})")


def _linger(
    association: Association, heard: queue.SimpleQueue[CommitmentReport], linger_s: float
) -> CommitmentReport | None:
    until_s = time.monotonic() + linger_s
    while (left_s := until_s - time.monotonic()) > 0 and association.is_established:
        with suppress(queue.Empty):
            return heard.get(timeout=min(left_s, 0.05))
    with suppress(queue.Empty):
        return heard.get_nowait()
    return None


def _uid(data_set: Dataset, keyword: str) -> Uid:
    return parse_uid(str(data_set.get(keyword, "")), keyword)
