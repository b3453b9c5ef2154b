"""What goes into the audit: of which route which event, and its codes in DICOM (PS3.15 A.5.3).

A route that is not named here is not forgotten: a change is `change`, and a page or a document of
a study or a job is `study_view`. A route may say more in `request.state`: `audit_detail` in words,
and `audit_studies`, the Study Instance UIDs that no address holds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

from service.access.rules import SAFE_METHODS

if TYPE_CHECKING:
    from collections.abc import Mapping

_UID = re.compile(r"[0-9.]{1,64}")
_JOB = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Code:
    """A coded concept; scheme DCM is PS3.16 annex D, 99OSTEON is ours."""

    value: str
    meaning: str
    scheme: str = "DCM"


class Cast(Enum):
    """Who plays which part in an event: the actor of its row, and we."""

    ASKED = auto()
    """The actor asked, we answered."""
    TOOK = auto()
    """The actor took something out, we are its source."""
    BROUGHT = auto()
    """The actor is a DICOM node that sent to us."""
    GOT = auto()
    """The actor is a DICOM node that we send to."""
    LAUNCHED = auto()
    """The actor started or stopped us."""
    TURNED_AWAY = auto()
    """The actor is a DICOM node that we did not let in."""


@dataclass(frozen=True)
class Event:
    """How an event is written as a DICOM audit message."""

    id: Code
    action: str
    """C, R, U, D or E: create, read, update, delete, execute (PS3.15 A.5.1)."""
    type: Code | None = None
    cast: Cast = Cast.ASKED


_ACCESSED = Code("110103", "DICOM Instances Accessed")
_LOGIN = Code("110114", "User Authentication")
_ALERT = Code("110113", "Security Alert")
_PROCEDURE = Code("110111", "Procedure Record")
_ACTIVITY = Code("110100", "Application Activity")
SENDING = Code("110102", "Begin Transferring DICOM Instances")
TRANSFERRED = Code("110104", "DICOM Instances Transferred")
_QUERY = Code("110112", "Query")
_START, _STOP = Code("110120", "Application Start"), Code("110121", "Application Stop")
_NODE = Code("110126", "Node Authentication")

EVENTS: Mapping[str, Event] = {
    "study_view": Event(_ACCESSED, "R"),
    "study_list": Event(_QUERY, "E"),
    "result_download": Event(Code("110106", "Export"), "R", cast=Cast.TOOK),
    "retry": Event(_PROCEDURE, "U", Code("retry", "Queued again", "99OSTEON")),
    "release": Event(_PROCEDURE, "U", Code("release", "Identity confirmed", "99OSTEON")),
    "reprocess": Event(_PROCEDURE, "C", Code("reprocess", "Measured again", "99OSTEON")),
    "resend": Event(SENDING, "E", Code("resend", "Sent again", "99OSTEON")),
    "cancel": Event(_PROCEDURE, "U", Code("cancel", "Cancelled", "99OSTEON")),
    "sign_in": Event(_LOGIN, "E", Code("110122", "Login")),
    "sign_out": Event(_LOGIN, "E", Code("110123", "Logout")),
    "denied": Event(_ALERT, "E", Code("denied", "Not allowed to this role", "99OSTEON")),
    "token_create": Event(_ALERT, "E", Code("110137", "User security Attributes Changed")),
    "token_revoke": Event(_ALERT, "E", Code("110137", "User security Attributes Changed")),
    "settings": Event(_ALERT, "E", Code("110131", "Software Configuration")),
    "webhook": Event(_ALERT, "E", Code("110128", "Network Configuration")),
    "comment": Event(_PROCEDURE, "U", Code("comment", "Reader's remark", "99OSTEON")),
    "audit_read": Event(Code("110101", "Audit Log Used"), "R"),
    "backup": Event(
        Code("110106", "Export"), "R", Code("backup", "Backup written", "99OSTEON"), Cast.TOOK
    ),
    "restore": Event(Code("110107", "Import"), "C", Code("restore", "Backup restored", "99OSTEON")),
    "change": Event(_ALERT, "E", Code("change", "Another change", "99OSTEON")),
    "application_start": Event(_ACTIVITY, "E", _START, Cast.LAUNCHED),
    "application_stop": Event(_ACTIVITY, "E", _STOP, Cast.LAUNCHED),
    "association_refused": Event(_ALERT, "E", _NODE, Cast.TURNED_AWAY),
    "instances_received": Event(TRANSFERRED, "C", cast=Cast.BROUGHT),
    "instances_sending": Event(SENDING, "E", cast=Cast.GOT),
    "instances_sent": Event(TRANSFERRED, "R", cast=Cast.GOT),
    "archive_query": Event(_QUERY, "E", cast=Cast.GOT),
}

ROUTES: Mapping[str, str | None] = {
    "studies": "study_list",
    "find_studies": "study_list",
    "live_studies": "study_list",
    "list_studies": "study_list",
    "search_studies": "study_list",
    "dicomweb_search_studies": "study_list",
    "dicomweb_search_series": "study_list",
    "dicomweb_search_instances": "study_list",
    "get_result": "result_download",
    "download_archive": "result_download",
    "take_support_bundle": "result_download",
    "export_chosen": "result_download",
    "retry_job": "retry",
    "retry_run": "retry",
    "retry_chosen": "retry",
    "release_job": "release",
    "release_run": "release",
    "reprocess_study": "reprocess",
    "measure_study_again": "reprocess",
    "reprocess_chosen": "reprocess",
    "resend_study": "resend",
    "resend_job": "resend",
    "send_run_again": "resend",
    "send_chosen": "resend",
    "cancel_job": "cancel",
    "cancel_run": "cancel",
    "comment_on_run": "comment",
    "add_comment": "comment",
    "create_token": "token_create",
    "revoke_token": "token_revoke",
    "create_webhook": "webhook",
    "change_webhook": "webhook",
    "remove_webhook": "webhook",
    "renew_webhook_secret": "webhook",
    "send_webhook_test": "webhook",
    "send_webhook_message": "webhook",
    "list_audit": "audit_read",
    "export_audit": "audit_read",
    "echo_node": None,
    "echo_peer": None,
}
"""Of a route's name its event; None where there is nothing to record."""

RECORDED_BY_THEMSELVES = frozenset({"sign_in_by_token", "sign_in_callback", "sign_out"})
"""Routes that know better than their address who did what."""


def event_of(route: str, method: str, parameters: Mapping[str, object]) -> str | None:
    """Return the event of a request; None where it is none that is recorded."""
    if route in RECORDED_BY_THEMSELVES:
        return None
    if route in ROUTES:
        return ROUTES[route]
    if method not in SAFE_METHODS:
        return "change"
    return "study_view" if study_of(parameters) or job_of(parameters) else None


def study_of(parameters: Mapping[str, object]) -> str | None:
    """Return the Study Instance UID that stands in an address; nothing else that stands there."""
    return _first(parameters, ("study_uid", "study"), _UID)


def job_of(parameters: Mapping[str, object]) -> str | None:
    """Return the job that stands in an address."""
    return _first(parameters, ("job_id",), _JOB)


def _first(
    parameters: Mapping[str, object], names: tuple[str, ...], form: re.Pattern[str]
) -> str | None:
    found = (str(parameters[name]) for name in names if name in parameters)
    return next((text for text in found if form.fullmatch(text)), None)
