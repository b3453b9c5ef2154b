"""What an event was about: the participating objects of a DICOM audit message (PS3.15 A.5.3)."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement

from jobs.transfers import counts_in
from service.access.audit_codes import NODE, SOP_CLASS, STUDY, URI, put
from service.access.events import SENDING, TRANSFERRED, Cast

if TYPE_CHECKING:
    from jobs.audit import AuditRow
    from service.access.events import Code, Event

_REPORT, _LIST, _SECURITY = "3", "7", "13"  # ParticipantObjectTypeCodeRole
_TRANSFERS = frozenset({SENDING, TRANSFERRED})


def name_objects(message: Element, row: AuditRow, event: Event) -> None:
    """Append what was seen, sent or changed."""
    if event.cast is Cast.TURNED_AWAY:
        _name_node(message, row)
        return
    if row.event == "archive_query":
        for uid in counts_in(row.detail):
            _object(message, SOP_CLASS, uid, _REPORT, "a query; its keys are not kept")
    if row.study_uid is not None:
        _name_study(message, row, event)
    elif row.event == "audit_read":
        _object(message, URI, "osteon:audit", _SECURITY, "Security Audit Log")
    elif row.event == "study_list":
        _object(message, URI, "osteon:studies", _LIST, "List of studies")
    elif row.detail:
        _object(message, URI, f"osteon:{row.event}", _SECURITY, row.detail)


def _name_study(message: Element, row: AuditRow, event: Event) -> None:
    element = _object(message, STUDY, row.study_uid or "", _REPORT, "study")
    if row.job_id is not None:
        _detail(element, "job", row.job_id)
    if row.detail:
        _detail(element, "detail", row.detail)
    counts = counts_in(row.detail) if event.id in _TRANSFERS else {}
    if counts:
        description = SubElement(element, "ParticipantObjectDescription")
        for uid, n in counts.items():
            SubElement(description, "SOPClass", UID=uid, NumberOfInstances=str(n))


def _name_node(message: Element, row: AuditRow) -> None:
    """Name the node that was not let in, and why (PS3.15 A.5.3.11)."""
    element = _object(message, NODE, row.actor or "unknown", _SECURITY, row.actor or "unknown")
    _detail(element, "Alert Description", row.detail or "not let in")


def _object(message: Element, kind: Code, identity: str, role: str, name: str) -> Element:
    """Name something that was seen or changed: a system object (type 2) with a role."""
    element = SubElement(
        message,
        "ParticipantObjectIdentification",
        ParticipantObjectID=identity,
        ParticipantObjectTypeCode="2",
        ParticipantObjectTypeCodeRole=role,
    )
    put(element, "ParticipantObjectIDTypeCode", kind)
    SubElement(element, "ParticipantObjectName").text = name
    return element


def _detail(element: Element, kind: str, text: str) -> None:
    value = base64.b64encode(text.encode()).decode("ascii")
    SubElement(element, "ParticipantObjectDetail", type=kind, value=value)
