"""An entry of the audit as a DICOM audit message (PS3.15 A.5.1, the schema; A.5.3, the messages).

The store holds no patient's name or ID on purpose, so a message names the study and no patient:
A.5.3 asks for a patient too, which whoever has the PACS can add by the Study Instance UID.
"""

from __future__ import annotations

import base64
from datetime import UTC
from ipaddress import ip_address
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, tostring

from service.access.events import EVENTS, Code

if TYPE_CHECKING:
    from jobs.audit import AuditRow

_OUTCOMES = {"success": "0", "refused": "4", "failed": "8"}
_APPLICATION = Code("110150", "Application")
_SOURCE = Code("110153", "Source Role ID")
_DESTINATION = Code("110152", "Destination Role ID")
_STUDY = Code("110180", "Study Instance UID")
_URI = Code("12", "URI", "RFC-3881")
_APPLICATION_SERVER = "4"


def audit_message(row: AuditRow, source: str) -> str:
    """Return one `AuditMessage` as XML in one line; `source` names this installation."""
    message = Element("AuditMessage")
    _identify_event(message, row)
    _name_participants(message, row, source)
    origin = SubElement(message, "AuditSourceIdentification", AuditSourceID=source)
    SubElement(origin, "AuditSourceTypeCode", {"csd-code": _APPLICATION_SERVER})
    _name_objects(message, row)
    return tostring(message, encoding="unicode")


def _identify_event(message: Element, row: AuditRow) -> None:
    event = EVENTS.get(row.event, EVENTS["change"])
    at = "" if row.at is None else row.at.astimezone(UTC).isoformat(timespec="microseconds")
    element = SubElement(
        message,
        "EventIdentification",
        EventActionCode=event.action,
        EventDateTime=at.replace("+00:00", "Z"),
        EventOutcomeIndicator=_OUTCOMES[row.outcome],
    )
    _put(element, "EventID", event.id)
    if event.type is not None:
        _put(element, "EventTypeCode", event.type)
    if row.outcome != "success":
        SubElement(element, "EventOutcomeDescription").text = f"{row.outcome} {row.detail}".strip()


def _name_participants(message: Element, row: AuditRow, source: str) -> None:
    """Name who asked, from where, and the process that answered."""
    person = {"UserID": row.actor, "UserIsRequestor": "true"}
    if _is_address(row.address):
        person |= {"NetworkAccessPointID": row.address, "NetworkAccessPointTypeCode": "2"}
    leaves = row.event == "result_download"
    element = SubElement(message, "ActiveParticipant", person)
    if leaves:
        _put(element, "RoleIDCode", _DESTINATION)
    _put(element, "RoleIDCode", Code(row.role, f"Osteon's role {row.role}", "99OSTEON"))
    ours = SubElement(message, "ActiveParticipant", UserID=source, UserIsRequestor="false")
    _put(ours, "RoleIDCode", _SOURCE if leaves else _APPLICATION)


def _name_objects(message: Element, row: AuditRow) -> None:
    if row.study_uid is not None:
        element = _object(message, _STUDY, row.study_uid, "3", "study")
        if row.job_id is not None:
            _detail(element, "job", row.job_id)
        if row.detail:
            _detail(element, "detail", row.detail)
    elif row.event == "audit_read":
        _object(message, _URI, "osteon:audit", "13", "Security Audit Log")
    elif row.event == "study_list":
        _object(message, _URI, "osteon:studies", "7", "List of studies")
    elif row.detail:
        _object(message, _URI, f"osteon:{row.event}", "13", row.detail)


def _object(message: Element, kind: Code, identity: str, role: str, name: str) -> Element:
    """Name something that was seen or changed: a system object (type 2) with a role."""
    element = SubElement(
        message,
        "ParticipantObjectIdentification",
        ParticipantObjectID=identity,
        ParticipantObjectTypeCode="2",
        ParticipantObjectTypeCodeRole=role,
    )
    _put(element, "ParticipantObjectIDTypeCode", kind)
    SubElement(element, "ParticipantObjectName").text = name
    return element


def _detail(element: Element, kind: str, text: str) -> None:
    value = base64.b64encode(text.encode()).decode("ascii")
    SubElement(element, "ParticipantObjectDetail", type=kind, value=value)


def _put(parent: Element, tag: str, code: Code) -> None:
    attributes = {
        "csd-code": code.value,
        "codeSystemName": code.scheme,
        "originalText": code.meaning,
    }
    SubElement(parent, tag, attributes)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
