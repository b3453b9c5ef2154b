"""C-GET and C-MOVE: have an archive send us what it holds (PS3.4 Annex C.4.2 and C.4.3).

C-GET brings the objects on our own association, so the archive need not know where we are. Each is
handed to `keep` as its encoded bytes, which makes it durable before the archive is answered, as
the receiver does. C-MOVE brings them to the node's port: the archive must know our AE title,
address and port. Either way the sub-operation counts are the archive's word; whoever asks
compares what has arrived with what the archive said it holds.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from pydicom.dataset import Dataset
from pynetdicom import evt

from dicom_node.contexts import (
    EXPLICIT_LE,
    IMPLICIT_LE,
    STORAGE_CLASSES,
    TRANSFER_SYNTAXES,
    Use,
)
from dicom_node.errors import (
    DicomNodeError,
    HeaderMismatch,
    PeerUnavailable,
    RetrieveRefused,
    SpoolError,
    UnreadableHeader,
)
from dicom_node.header import read_header
from dicom_node.network import check_ae_title
from dicom_node.peer import Answering, associated
from dicom_node.uid import parse_uid

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator

    from pynetdicom.association import Association
    from pynetdicom.dimse_primitives import C_STORE
    from pynetdicom.events import Event

    from dicom_node.header import InstanceHeader
    from dicom_node.peer import Peer

    Keep = Callable[[InstanceHeader, bytes], None]
    """Makes one object durable; raises `SpoolError`."""

_log = logging.getLogger(__name__)

STUDY_ROOT_GET = "1.2.840.10008.5.1.4.1.2.2.3"
STUDY_ROOT_MOVE = "1.2.840.10008.5.1.4.1.2.2.2"
DEFAULT_SECONDS = 1800.0

_SUCCESS = 0x0000
_PENDING = frozenset((0xFF00, 0xFF01))
_SOME_FAILED = 0xB000
_CANCELLED = 0xFE00
_OUT_OF_RESOURCES = frozenset((0xA701, 0xA702))
_KEPT, _NOT_KEPT, _NOT_UNDERSTOOD = 0x0000, 0xA700, 0xC000
_MESSAGE_ID = 1
_CANCEL_S = 10.0  # an archive that goes on for longer was not going to stop
_CLASSES = tuple(c.uid for c in STORAGE_CLASSES if c.use is Use.INPUT)


@dataclass(frozen=True)
class SeriesPlace:
    """One series of one study; both UIDs are checked before they are sent."""

    study_uid: str
    series_uid: str


@dataclass(frozen=True)
class Retrieved:
    """What the archive says of its sub-operations; None where it does not say."""

    completed: int | None
    failed: int | None
    warned: int | None

    @property
    def whole(self) -> bool:
        """Whether the archive says that nothing failed."""
        return not self.failed


@dataclass(frozen=True)
class Patience:
    """How long a retrieval may take, and who may end it."""

    stop: threading.Event
    """Set: the archive is told to stop, and what is on its way is refused."""
    seconds: float = DEFAULT_SECONDS
    goes_on: Callable[[], None] = field(default=lambda: None, repr=False)
    """Called with each object and each answer; what it raises ends the retrieval."""


def get(peer: Peer, place: SeriesPlace, keep: Keep, patience: Patience) -> Retrieved:
    """Have a series of MR images sent on our own association.

    Raises:
        InvalidUid: one of the place's UIDs is none; nothing was asked.
        PeerUnavailable: nobody answers, not in time, or the archive is out of resources.
        PeerRefused: the archive rejects us.
        RetrieveRefused: it has no C-GET for MR images, or answered with a failure.
        SpoolError: an object could not be kept.

    """
    taking = _Taking(keep, patience)
    pairs = [(sop_class, syntax.uid) for sop_class in _CLASSES for syntax in TRANSFER_SYNTAXES]
    pairs += [(STUDY_ROOT_GET, EXPLICIT_LE), (STUDY_ROOT_GET, IMPLICIT_LE)]
    question = _identifier(place)
    answering = Answering(_CLASSES, ((evt.EVT_C_STORE, taking.answer),))
    with associated(peer, pairs, answering) as association:
        _require_get(association)
        taking.association = association
        answers = association.send_c_get(question, STUDY_ROOT_GET, msg_id=_MESSAGE_ID)
        return _followed(association, answers, STUDY_ROOT_GET, patience, taking)


def move(peer: Peer, place: SeriesPlace, to_ae_title: str, patience: Patience) -> Retrieved:
    """Have a series sent to the node of this AE title; raises as `get`, but no `SpoolError`."""
    check_ae_title(to_ae_title)
    question = _identifier(place)
    pairs = [(STUDY_ROOT_MOVE, EXPLICIT_LE), (STUDY_ROOT_MOVE, IMPLICIT_LE)]
    with associated(peer, pairs) as association:
        answers = association.send_c_move(
            question, to_ae_title, STUDY_ROOT_MOVE, msg_id=_MESSAGE_ID
        )
        return _followed(association, answers, STUDY_ROOT_MOVE, patience, None)


@dataclass
class _Taking:
    """Answers the C-STORE sub-operations of one C-GET."""

    keep: Keep
    patience: Patience
    association: Association | None = None
    broken: SpoolError | None = field(default=None)
    """The first object that could not be kept ends the retrieval."""

    def answer(self, event: Event) -> int:
        if self.broken is not None or self.patience.stop.is_set():
            return _NOT_KEPT
        try:
            self.keep(*_received(event))
            self.patience.goes_on()
        except SpoolError as error:
            self.broken = error
            if self.association is not None:
                self.association.send_c_cancel(_MESSAGE_ID, query_model=STUDY_ROOT_GET)
            return _NOT_KEPT
        except DicomNodeError as error:
            told = {"event": "instance_refused", "code": error.code}
            _log.warning("an object of the archive was refused: %s", error.code, extra=told)
            return _NOT_UNDERSTOOD
        return _KEPT


def _received(event: Event) -> tuple[InstanceHeader, bytes]:
    """Return what came; raises `InvalidUid`, `UnreadableHeader` or `HeaderMismatch`."""
    request = cast("C_STORE", event.request)
    sop_class = parse_uid(str(request.AffectedSOPClassUID), "AffectedSOPClassUID")
    sop_instance = parse_uid(str(request.AffectedSOPInstanceUID), "AffectedSOPInstanceUID")
    if request.DataSet is None:
        raise UnreadableHeader("the C-STORE request has no data set")
    data_set = event.encoded_dataset(include_meta=False)
    syntax = parse_uid(str(event.context.transfer_syntax), "TransferSyntaxUID")
    header = read_header(data_set, syntax)
    if (header.sop_class_uid, header.sop_instance_uid) != (sop_class, sop_instance):
        raise HeaderMismatch("the data set is another object than the C-STORE request says")
    return header, data_set


def _identifier(place: SeriesPlace) -> Dataset:
    made = Dataset()
    made.QueryRetrieveLevel = "SERIES"
    made.StudyInstanceUID = parse_uid(place.study_uid, "StudyInstanceUID")
    made.SeriesInstanceUID = parse_uid(place.series_uid, "SeriesInstanceUID")
    return made


def _require_get(association: Association) -> None:
    taken = {str(context.abstract_syntax) for context in association.accepted_contexts}
    if STUDY_ROOT_GET not in taken:
        raise RetrieveRefused("the archive offers no C-GET; let it, or set archive.retrieve = move")
    ours = {str(c.abstract_syntax) for c in association.accepted_contexts if c.as_scp}
    if not ours & set(_CLASSES):
        raise RetrieveRefused("the archive does not send MR images by C-GET: the role is refused")


def _followed(
    association: Association,
    answers: Iterator[tuple[Dataset, Dataset | None]],
    model: str,
    patience: Patience,
    taking: _Taking | None,
) -> Retrieved:
    """Go through the answers to the last one, which has the counts."""
    until_s, cancelled = time.monotonic() + patience.seconds, False
    for status, _ in answers:
        if "Status" not in status:
            raise PeerUnavailable("the archive did not answer a retrieval in time")
        if int(status.Status) not in _PENDING:
            if taking is not None and taking.broken is not None:
                raise taking.broken
            return _judged(int(status.Status), status)
        patience.goes_on()
        late = time.monotonic() > until_s
        if late and cancelled:
            break
        if (late or patience.stop.is_set()) and not cancelled:
            association.send_c_cancel(_MESSAGE_ID, query_model=model)
            cancelled, until_s = True, time.monotonic() + _CANCEL_S
    association.abort()
    raise PeerUnavailable("the archive did not come to the end of a retrieval in time")


def _judged(code: int, status: Dataset) -> Retrieved:
    if code in (_SUCCESS, _SOME_FAILED):
        return Retrieved(
            status.get("NumberOfCompletedSuboperations"),
            status.get("NumberOfFailedSuboperations"),
            status.get("NumberOfWarningSuboperations"),
        )
    if code in _OUT_OF_RESOURCES or code == _CANCELLED:
        raise PeerUnavailable(f"the archive did not finish a retrieval (0x{code:04X})")
    raise RetrieveRefused(f"the archive answered a retrieval with the failure 0x{code:04X}")
