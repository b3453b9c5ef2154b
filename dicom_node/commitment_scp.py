"""Storage commitment as SCP: a sender asks whether what it sent is safe here (PS3.4 Annex J).

We say yes for an object only while its file lies in the spool under its final name, durably; so
yes never means more than 0x0000 did, and it is no promise of an archive (docs/network_access.md).
The request is answered at once, the report follows on the same association. Where that has ended
we call the sender; until it took the report, it is owed (`dicom_node.owed_reports`).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from dicom_node.acceptor.services import (
    EventReport,
    NormalizedResponse,
    NormalizedService,
    Operation,
)
from dicom_node.commitment_request import (
    CLASS_INSTANCE_CONFLICT,
    NO_SUCH_OBJECT,
    PROCESSING_FAILURE,
    PUSH_MODEL,
    PUSH_MODEL_INSTANCE,
    Decision,
    UnreadableRequest,
    encode_report,
    read_request,
)
from dicom_node.durable import file_system_errors, sync_folder
from dicom_node.errors import DicomNodeError, InvalidUid, SpoolError, UnreadableHeader
from dicom_node.part10 import read_meta

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from pathlib import Path

    from dicom_node.acceptor.services import Caller, NormalizedRequest
    from dicom_node.commitment_request import Asked, CommitmentRequest
    from dicom_node.spool import Spool

_LOG = logging.getLogger(__name__)

_REQUEST = 1  # Action Type ID (PS3.4 Table J.3-1)
# PS3.7 Annex C
SUCCESS = 0x0000
NO_SUCH_INSTANCE = 0x0112
INVALID_ARGUMENT = 0x0115
NO_SUCH_ACTION = 0x0123
RESOURCE_LIMITATION = 0x0213

AMBIGUOUS = ""
"""In place of a class: other bytes came under this UID too, and only the first are kept."""


class Owing(Protocol):
    """Who makes sure that a report arrives: `dicom_node.owed_reports.OwedReports`."""

    def owe(self, ae_title: str, decision: Decision) -> Callable[[int | None], None]:
        """Keep a report durably; return what is told what became of the first try.

        Raises `SpoolError` if it cannot be kept.
        """


@dataclass(frozen=True)
class CommitmentService:
    """Answers N-ACTION of the Storage Commitment Push Model."""

    kept: Callable[[Collection[str]], Mapping[str, str]]
    """From SOP Instance UIDs to the SOP classes of those that are durable here."""
    owing: Owing

    def service(self) -> NormalizedService:
        """Return what plugs into the acceptor."""
        return NormalizedService(PUSH_MODEL, Operation.N_ACTION, self.answer)

    def answer(self, caller: Caller, request: NormalizedRequest) -> NormalizedResponse:
        """Return the status of the request, and the report that follows it."""
        if request.sop_instance_uid != PUSH_MODEL_INSTANCE:
            return NormalizedResponse(NO_SUCH_INSTANCE)
        if request.type_id != _REQUEST:
            return NormalizedResponse(NO_SUCH_ACTION)
        try:
            asked = read_request(request.data_set, request.transfer_syntax_uid)
        except (UnreadableRequest, InvalidUid) as error:
            return _refused(error, INVALID_ARGUMENT)
        try:
            decision = decide(asked, self.kept([one.sop_instance_uid for one in asked.objects]))
            answered = self.owing.owe(caller.calling_ae_title, decision)
        except SpoolError as error:
            return _refused(error, RESOURCE_LIMITATION)
        told = {"event": "commitment_decided"}
        counts = len(decision.kept), len(decision.failed)
        _LOG.info("storage commitment: %s objects are kept, %s not", *counts, extra=told)
        data_set = encode_report(decision, request.transfer_syntax_uid)
        names = decision.event_type_id, PUSH_MODEL, PUSH_MODEL_INSTANCE
        return NormalizedResponse(SUCCESS, report=EventReport(*names, data_set, answered))


def decide(asked: CommitmentRequest, kept: Mapping[str, str]) -> Decision:
    """Hold what was asked for against what is kept (reasons: PS3.3 C.14.1.1)."""
    good = tuple(o for o in asked.objects if kept.get(o.sop_instance_uid) == o.sop_class_uid)
    bad = [o for o in asked.objects if kept.get(o.sop_instance_uid) != o.sop_class_uid]
    return Decision(asked.transaction_uid, good, tuple((one, _reason(one, kept)) for one in bad))


def _reason(asked: Asked, kept: Mapping[str, str]) -> int:
    found = kept.get(asked.sop_instance_uid)
    if found is None:
        return NO_SUCH_OBJECT
    return PROCESSING_FAILURE if found == AMBIGUOUS else CLASS_INSTANCE_CONFLICT


@dataclass(frozen=True)
class SpoolKeeps:
    """What the spool answers for."""

    spool: Spool

    def __call__(self, sop_instance_uids: Collection[str]) -> dict[str, str]:
        """Return the SOP class of each that is durable; raises `SpoolError`."""
        with file_system_errors():
            found = self.spool.find(sop_instance_uids)
            disputed = self.spool.disputed(found)
            for folder in {path.parent for path in found.values()}:
                sync_folder(folder)  # after a crash a name may be there and not confirmed yet
            return {
                uid: AMBIGUOUS if uid in disputed else sop_class
                for uid, path in found.items()
                if (sop_class := _sop_class(path, uid)) is not None
            }


def _sop_class(path: Path, sop_instance_uid: str) -> str | None:
    try:
        meta = read_meta(path)
    except (FileNotFoundError, UnreadableHeader, InvalidUid):
        return None
    return meta.sop_class_uid if meta.sop_instance_uid == sop_instance_uid else None


def _refused(error: DicomNodeError, status: int) -> NormalizedResponse:
    told = {"event": "commitment_refused", "code": error.code}
    _LOG.warning("storage commitment refused: %s, 0x%04X", error, status, extra=told)
    return NormalizedResponse(status)
