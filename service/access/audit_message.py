"""An entry of the audit as a DICOM audit message (PS3.15 A.5.1, the schema; A.5.3, the messages).

The store holds no patient's name or ID on purpose, so a message names the study and no patient:
A.5.3 asks for a patient too, which whoever has the PACS can add by the Study Instance UID.
"""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, tostring

from service.access.audit_codes import put
from service.access.audit_objects import name_objects
from service.access.audit_participants import name_participants
from service.access.events import EVENTS

if TYPE_CHECKING:
    from jobs.audit import AuditRow
    from service.access.events import Event

_OUTCOMES = {"success": "0", "refused": "4", "failed": "8"}
_APPLICATION_SERVER = "4"


def audit_message(row: AuditRow, source: str, site: str = "") -> str:
    """Return one `AuditMessage` as XML in one line.

    `source` is our AE title and names this installation, `site` the enterprise site if there are
    several.
    """
    event = EVENTS.get(row.event, EVENTS["change"])
    message = Element("AuditMessage")
    _identify_event(message, row, event)
    name_participants(message, row, event.cast, source)
    named = {"AuditSourceID": source} | ({"AuditEnterpriseSiteID": site} if site else {})
    origin = SubElement(message, "AuditSourceIdentification", named)
    SubElement(origin, "AuditSourceTypeCode", {"csd-code": _APPLICATION_SERVER})
    name_objects(message, row, event)
    return tostring(message, encoding="unicode")


def _identify_event(message: Element, row: AuditRow, event: Event) -> None:
    at = "" if row.at is None else row.at.astimezone(UTC).isoformat(timespec="microseconds")
    element = SubElement(
        message,
        "EventIdentification",
        EventActionCode=event.action,
        EventDateTime=at.replace("+00:00", "Z"),
        EventOutcomeIndicator=_OUTCOMES[row.outcome],
    )
    put(element, "EventID", event.id)
    if event.type is not None:
        put(element, "EventTypeCode", event.type)
    if row.outcome != "success":
        SubElement(element, "EventOutcomeDescription").text = f"{row.outcome} {row.detail}".strip()
