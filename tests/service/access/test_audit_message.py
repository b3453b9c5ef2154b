import base64
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

import pytest

from jobs.audit import AuditRow
from service.access.audit_message import audit_message
from service.access.events import EVENTS
from tests.service.access.audit_schema import breaches

AT = datetime(2026, 11, 22, 1, 2, 3, 456789, tzinfo=UTC)
VIEW = {
    "event": "study_view",
    "outcome": "success",
    "actor": 'a <b> & "c"',
    "role": "viewer",
    "address": "192.0.2.7",
    "study_uid": "1.2.840.99",
    "job_id": "ab" * 16,
    "at": AT,
}


def message(**changes):
    text = audit_message(AuditRow(**{**VIEW, **changes}), "OSTEON")
    assert "\n" not in text
    return ET.fromstring(text)  # noqa: S314 - our own


@pytest.mark.parametrize("event", sorted(EVENTS))
@pytest.mark.parametrize("outcome", ["success", "refused", "failed"])
@pytest.mark.parametrize("study_uid", ["1.2.840.99", None])
def test_every_message_is_valid_by_the_schema(event, outcome, study_uid):
    for detail, address in (("", "unknown"), ("seg_1.dcm", "fd00::1"), ("ä <&>", "192.0.2.7")):
        made = message(
            event=event, outcome=outcome, study_uid=study_uid, detail=detail, address=address
        )
        assert breaches(made) == []


def test_the_schema_is_one_that_finds_breaches():
    broken = message()
    broken.find("EventIdentification").set("EventOutcomeIndicator", "1")
    broken.find("EventIdentification/EventID").attrib.pop("codeSystemName")
    broken.append(broken[0])
    assert len(breaches(broken)) == 6


def test_a_view_of_a_study_is_dicom_instances_accessed():
    made = message()
    event = made.find("EventIdentification")
    assert event.attrib == {
        "EventActionCode": "R",
        "EventDateTime": "2026-11-22T01:02:03.456789Z",
        "EventOutcomeIndicator": "0",
    }
    code = event.find("EventID").attrib
    assert (code["csd-code"], code["codeSystemName"]) == ("110103", "DCM")
    person, ours = made.findall("ActiveParticipant")
    assert person.get("UserID") == 'a <b> & "c"'
    assert (person.get("UserIsRequestor"), ours.get("UserIsRequestor")) == ("true", "false")
    assert person.get("NetworkAccessPointID") == "192.0.2.7"
    assert person.get("NetworkAccessPointTypeCode") == "2"
    assert ours.find("RoleIDCode").get("csd-code") == "110150"
    assert made.find("AuditSourceIdentification").get("AuditSourceID") == "OSTEON"
    (study,) = made.findall("ParticipantObjectIdentification")
    assert study.get("ParticipantObjectID") == "1.2.840.99"
    assert study.get("ParticipantObjectTypeCode") == "2"  # system object
    assert study.get("ParticipantObjectTypeCodeRole") == "3"  # report
    assert study.find("ParticipantObjectIDTypeCode").get("csd-code") == "110180"
    (job,) = study.findall("ParticipantObjectDetail")
    assert (job.get("type"), base64.b64decode(job.get("value"))) == ("job", b"ab" * 16)


@pytest.mark.parametrize(
    ("event", "code", "kind"),
    [
        ("result_download", "110106", None),
        ("sign_in", "110114", "110122"),
        ("sign_out", "110114", "110123"),
        ("token_create", "110113", "110137"),
        ("resend", "110102", "resend"),
        ("audit_read", "110101", None),
        ("study_list", "110112", None),
    ],
)
def test_codes_of_other_events(event, code, kind):
    made = message(event=event).find("EventIdentification")
    assert made.find("EventID").get("csd-code") == code
    types = [found.get("csd-code") for found in made.findall("EventTypeCode")]
    assert types == ([] if kind is None else [kind])


def test_who_takes_a_result_away_is_the_destination():
    person, ours = message(event="result_download").findall("ActiveParticipant")
    assert "110152" in [code.get("csd-code") for code in person.findall("RoleIDCode")]
    assert ours.find("RoleIDCode").get("csd-code") == "110153"


def test_a_refusal_says_so():
    made = message(event="denied", outcome="refused", study_uid=None, detail="POST needs admin")
    event = made.find("EventIdentification")
    assert event.get("EventOutcomeIndicator") == "4"
    assert event.find("EventOutcomeDescription").text == "refused POST needs admin"


def test_the_security_audit_log_is_named_when_it_is_read():
    made = message(event="audit_read", study_uid=None, job_id=None)
    (log,) = made.findall("ParticipantObjectIdentification")
    assert log.find("ParticipantObjectName").text == "Security Audit Log"
    assert log.get("ParticipantObjectTypeCodeRole") == "13"  # security resource
