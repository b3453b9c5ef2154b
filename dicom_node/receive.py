"""The network door: C-ECHO and C-STORE, answered with success only after the bytes are durable.

Runs in a process of its own. Received data sets are never decoded here: the handler takes the
encoded bytes, walks to four UIDs and hands both to the spool. All DIMSE statuses that we answer
stand in this module (PS3.4 Table B.2-1).

This is stock pynetdicom 3.0.4 with its cheap cures (reliability.md B1): UIDs are validated before
any use (row 10), contexts are explicit (11), nothing is decoded (12), TCP_NODELAY (13), 0xA700 and
a floor on a full disk (15), fsync before the answer (16), and partly: PDU length is capped at
1 MiB (3), a stall inside a PDU ends after 30 s without a byte (2), un-negotiated connections end
after 10 s instead of 30 (1). UIDs are not left to `ENFORCE_UID_CONFORMANCE`, which aborts the
association; one bad object gets a status and the rest of the study goes on.
What stock pynetdicom cannot do waits for an acceptor of ours: separate limits before and after
negotiation (1), a deadline per PDU (2), pipelined requests (5), endless objects (6), garbage
that keeps a slot (7), A-ABORT on malformed DIMSE (8), idle CPU, TLS off the accept path (4).
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from pydicom import config as pydicom_config
from pynetdicom import build_context, evt

from dicom_node.contexts import (
    EXPLICIT_LE,
    IMPLICIT_LE,
    STORAGE_CLASSES,
    TRANSFER_SYNTAXES,
    VERIFICATION,
)
from dicom_node.defects import DefectsAreLogged
from dicom_node.errors import (
    DicomNodeError,
    HeaderMismatch,
    PortUnavailable,
    SpoolError,
    UnreadableHeader,
)
from dicom_node.header import InstanceHeader, read_header
from dicom_node.network import Timeouts, application_entity, guard
from dicom_node.spool import Outcome
from dicom_node.uid import parse_uid
from dicom_node.vitals import (
    InstanceRefused,
    InstanceStored,
    association_handlers,
    nobody,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from pynetdicom.ae import ApplicationEntity
    from pynetdicom.association import Association
    from pynetdicom.dimse_primitives import C_STORE
    from pynetdicom.events import Event
    from pynetdicom.presentation import PresentationContext
    from pynetdicom.transport import ThreadedAssociationServer

    from dicom_node.spool import Spool, Stored
    from dicom_node.vitals import Listener
    from jobs.study import Instance

_log = logging.getLogger(__name__)

SUCCESS = 0x0000
OUT_OF_RESOURCES = 0xA700
DOES_NOT_MATCH = 0xA900
CANNOT_UNDERSTAND = 0xC000
KEPT_THE_FIRST = 0xB000
"""Coercion of data elements: a warning that senders show and do not retry."""

_STOP_S = 2.0  # for all together; an un-negotiated connection would take 10 s


@dataclass(frozen=True)
class ReceiverSettings:
    """Where the node listens, whom it answers, and how long it waits."""

    ae_title: str = "OSTEON"
    host: str = "127.0.0.1"
    port: int = 11112  # 0: any free one
    maximum_associations: int = 50
    check_called_ae_title: bool = True
    calling_ae_titles: tuple[str, ...] = ()  # empty: anybody
    urgent_ae_titles: tuple[str, ...] = ()  # who sends urgent studies
    warn_of_conflict: bool = True  # answer other bytes under a known UID by 0xB000, else 0x0000
    timeouts: Timeouts = field(default_factory=Timeouts)


class Receiver:
    """Listens, stores in `spool`, and reports each instance that is durable."""

    def __init__(
        self, settings: ReceiverSettings, spool: Spool, on_stored: Callable[[Instance], None]
    ) -> None:
        """Call `on_stored` from the association's thread, after fsync and before the answer.

        It is called for new and for duplicate instances, not for conflicts.
        """
        self._settings = settings
        self._spool = spool
        self._on_stored = on_stored
        self.listener: Listener = nobody
        """Told of what happens; set it before `start`."""
        self._entity: ApplicationEntity | None = None
        self._server: ThreadedAssociationServer | None = None
        self._validation = (pydicom_config.WARN, pydicom_config.WARN)
        self._touched: dict[Association, set[str]] = {}
        self._urgent: set[str] = set()
        self._lock = threading.Lock()

    @property
    def port(self) -> int:
        """The port that is listened on."""
        if self._server is None:
            return self._settings.port
        return int(self._server.server_address[1])

    def start(self) -> None:
        """Listen in threads of pynetdicom; raises `PortUnavailable`."""
        settings = self._settings
        quiet = pydicom_config.settings
        self._validation = quiet.reading_validation_mode, quiet.writing_validation_mode
        # pydicom's warnings about a command set quote the peer; what matters we check ourselves.
        quiet.reading_validation_mode = quiet.writing_validation_mode = pydicom_config.IGNORE
        entity = application_entity(settings.ae_title, settings.timeouts)
        entity.maximum_associations = settings.maximum_associations
        entity.require_called_aet = settings.check_called_ae_title
        entity.require_calling_aet = list(settings.calling_ae_titles)
        try:
            self._server = entity.start_server(
                (settings.host, settings.port),
                block=False,
                contexts=accepted_contexts(),
                evt_handlers=[
                    (evt.EVT_CONN_OPEN, guard, [settings.timeouts.read_s]),
                    (evt.EVT_C_STORE, self._answer),
                    *association_handlers(self.listener),
                ],
            )
        except OSError as error:
            message = f"cannot listen on {settings.host}:{settings.port}: {error.strerror}"
            raise PortUnavailable(message) from error
        self._entity = entity

    def stop(self) -> None:
        """Take no new connection, let objects in flight finish for a moment, end the rest."""
        if self._server is None or self._entity is None:
            return
        self._server.shutdown()
        for association in self._entity.active_associations:
            association.abort()
        until = time.monotonic() + _STOP_S
        for association in self._entity.active_associations:
            association.join(max(0.0, until - time.monotonic()))
        self._server = self._entity = None
        loud = pydicom_config.settings
        loud.reading_validation_mode, loud.writing_validation_mode = self._validation

    @property
    def open_associations(self) -> int:
        """How many peers are connected now."""
        return 0 if self._entity is None else len(self._entity.active_associations)

    def busy_studies(self) -> frozenset[str]:
        """Return the studies that an association which is still open has sent to."""
        with self._lock:
            self._touched = {a: uids for a, uids in self._touched.items() if a.is_alive()}
            return frozenset().union(*self._touched.values())

    def urgent_studies(self) -> frozenset[str]:
        """Return the studies that a peer of `urgent_ae_titles` has sent to, until `forget`."""
        with self._lock:
            return frozenset(self._urgent)

    def forget(self, study_uid: str) -> None:
        """Drop what is known of a study that was closed."""
        with self._lock:
            self._urgent.discard(study_uid)

    def _answer(self, event: Event) -> int:
        """Answer one C-STORE with a status."""
        began_s = time.monotonic()
        with DefectsAreLogged():
            try:
                header, data_set = _received(event)
                self._touch(event.assoc, header.study_uid)
                stored = self._spool.store(header, data_set)
            except DicomNodeError as error:
                status = _status_of(error)
                told = {"event": "instance_refused", "code": error.code}
                text = "instance refused: %s %s, status 0x%04X"
                _log.warning(text, error.code, error, status, extra=told)
                self.listener(InstanceRefused(error.code, status))
                return status
            return self._keep(stored, len(data_set), began_s)

    def _keep(self, stored: Stored, size_bytes: int, began_s: float) -> int:
        seconds = time.monotonic() - began_s
        self.listener(InstanceStored(stored.outcome, size_bytes, seconds, stored.synced_s))
        if stored.outcome is not Outcome.CONFLICT:
            self._on_stored(stored.instance)
            return SUCCESS
        text = "conflict: other bytes under a known UID, kept at %s"
        _log.warning(text, stored.instance.path, extra={"event": "instance_conflict"})
        return KEPT_THE_FIRST if self._settings.warn_of_conflict else SUCCESS

    def _touch(self, association: Association, study_uid: str) -> None:
        with self._lock:
            self._touched.setdefault(association, set()).add(study_uid)
            if association.requestor.ae_title in self._settings.urgent_ae_titles:
                self._urgent.add(study_uid)


def accepted_contexts() -> list[PresentationContext]:
    """Return what the receiver negotiates, from the tables of `dicom_node.contexts`."""
    syntaxes = [syntax.uid for syntax in TRANSFER_SYNTAXES]
    return [
        build_context(VERIFICATION, [EXPLICIT_LE, IMPLICIT_LE]),
        *(build_context(storage.uid, syntaxes) for storage in STORAGE_CLASSES),
    ]


def _received(event: Event) -> tuple[InstanceHeader, bytes]:
    """Return what arrived; raises `InvalidUid`, `UnreadableHeader` or `HeaderMismatch`."""
    request, context = cast("C_STORE", event.request), event.context
    sop_class = parse_uid(str(request.AffectedSOPClassUID), "AffectedSOPClassUID")
    sop_instance = parse_uid(str(request.AffectedSOPInstanceUID), "AffectedSOPInstanceUID")
    if sop_class != str(context.abstract_syntax):
        raise HeaderMismatch("the C-STORE request is for another class than its context")
    if request.DataSet is None:
        raise UnreadableHeader("the C-STORE request has no data set")
    data_set = event.encoded_dataset(include_meta=False)
    header = read_header(data_set, parse_uid(str(context.transfer_syntax), "TransferSyntaxUID"))
    if (header.sop_class_uid, header.sop_instance_uid) != (sop_class, sop_instance):
        raise HeaderMismatch("the data set is another object than the C-STORE request says")
    return header, data_set


def _status_of(error: DicomNodeError) -> int:
    if isinstance(error, SpoolError):
        return OUT_OF_RESOURCES
    return DOES_NOT_MATCH if isinstance(error, HeaderMismatch) else CANNOT_UNDERSTAND
