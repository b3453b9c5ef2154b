"""One object on its way in: what C-STORE announces, its bytes, and the status it is answered with.

Nothing is decoded: the encoded bytes are walked to four UIDs and handed to the spool as they are.
All statuses that answer a C-STORE stand here (PS3.4 Table B.2-1).
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from dicom_node.errors import DicomNodeError, HeaderMismatch, SpoolError
from dicom_node.header import read_header
from dicom_node.spool import Outcome
from dicom_node.uid import parse_uid
from dicom_node.vitals import InstanceRefused, InstanceStored

if TYPE_CHECKING:
    from dicom_node.acceptor.services import Announced
    from dicom_node.growing import Growing
    from dicom_node.header import InstanceHeader
    from dicom_node.spool import Stored
    from dicom_node.storing import Keeping, Session
    from dicom_node.uid import Uid

_log = logging.getLogger(__name__)

SUCCESS = 0x0000
OUT_OF_RESOURCES = 0xA700
DOES_NOT_MATCH = 0xA900
CANNOT_UNDERSTAND = 0xC000
KEPT_THE_FIRST = 0xB000
"""Coercion of data elements: a warning that senders show and do not retry."""


class Arrival:
    """One object on its way in: in memory while it is short, in a file when it is long."""

    def __init__(self, keeping: Keeping, session: Session, announced: Announced) -> None:
        """Look at nothing yet."""
        self._keeping = keeping
        self._session = session
        self._announced = announced
        self._growing: Growing | None = None
        self._error: DicomNodeError | None = None
        self._header: InstanceHeader | None = None

    def write(self, chunk: bytes | bytearray) -> None:
        """Write more of a long object; after an error what comes is dropped."""
        if self._error is not None:
            return
        try:
            self._grow(chunk)
        except DicomNodeError as error:
            self._error = error
            self.discard()

    def finish(self, rest: bytes | bytearray) -> int:
        """Make the object durable, or say why not."""
        began_s = time.monotonic()
        try:
            stored = self._store(rest)
        except DicomNodeError as error:
            return self._refused(error)
        finally:
            self.discard()
        return self._stored(stored, time.monotonic() - began_s)

    def discard(self) -> None:
        """Leave nothing."""
        growing, self._growing = self._growing, None
        if growing is not None:
            growing.discard()

    def _grow(self, chunk: bytes | bytearray) -> None:
        if self._growing is None:
            uids = *self._identity(), self._announced.transfer_syntax_uid
            self._growing = self._keeping.spool.begin(*uids)
        self._session.spend(len(chunk))
        self._growing.write(chunk)

    def _store(self, rest: bytes | bytearray) -> Stored:
        if self._error is not None:
            raise self._error
        syntax, spool = self._announced.transfer_syntax_uid, self._keeping.spool
        if self._growing is None:
            identity = self._identity()
            self._session.spend(len(rest))
            header = self._checked(read_header(rest, syntax), identity)
            return spool.store(header, rest)
        self._grow(rest)
        header = self._checked(self._growing.header(syntax), self._identity())
        growing, self._growing = self._growing, None
        return spool.keep(header, growing)

    def _identity(self) -> tuple[Uid, Uid]:
        """Return class and instance of the request; raises `InvalidUid` or `HeaderMismatch`."""
        announced = self._announced
        sop_class = parse_uid(announced.sop_class_uid, "AffectedSOPClassUID")
        sop_instance = parse_uid(announced.sop_instance_uid, "AffectedSOPInstanceUID")
        if sop_class != announced.abstract_syntax:
            raise HeaderMismatch("the C-STORE request is for another class than its context")
        return sop_class, sop_instance

    def _checked(self, header: InstanceHeader, identity: tuple[Uid, Uid]) -> InstanceHeader:
        if (header.sop_class_uid, header.sop_instance_uid) != identity:
            raise HeaderMismatch("the data set is another object than the C-STORE request says")
        self._keeping.touch(self._session, header.study_uid)
        self._header = header
        return header

    def _refused(self, error: DicomNodeError) -> int:
        status = _status_of(error)
        told = {"event": "instance_refused", "code": error.code}
        text = "instance refused: %s %s, status 0x%04X"
        _log.warning(text, error.code, error, status, extra=told)
        self._keeping.tell(InstanceRefused(error.code, status))
        self._bear_witness(stored=False)
        return status

    def _stored(self, stored: Stored, seconds: float) -> int:
        keeping, instance = self._keeping, stored.instance
        keeping.tell(InstanceStored(stored.outcome, instance.size, seconds, stored.synced_s))
        self._bear_witness(stored=True)
        if stored.outcome is not Outcome.CONFLICT:
            keeping.on_stored(instance)
            return SUCCESS
        text = "conflict: other bytes under a known UID, kept at %s"
        _log.warning(text, instance.path, extra={"event": "instance_conflict"})
        return keeping.terms.conflict_status

    def _bear_witness(self, *, stored: bool) -> None:
        header = self._header
        if header is not None:
            brought = self._session.brought
            brought.count(header.study_uid, header.sop_class_uid, stored=stored)


def _status_of(error: DicomNodeError) -> int:
    if isinstance(error, SpoolError):
        return OUT_OF_RESOURCES
    return DOES_NOT_MATCH if isinstance(error, HeaderMismatch) else CANNOT_UNDERSTAND
