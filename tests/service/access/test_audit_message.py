import base64
from datetime import UTC, datetime
from itertools import product
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


MR, SEG = "1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.5.1.4.1.1.66.4"


def written(site="", **changes):
    text = audit_message(AuditRow(**{**VIEW, **changes}), "OSTEON", site)
    assert "\n" not in text
    return text


def message(**changes):
    return ET.fromstring(written(**changes))  # noqa: S314 - our own


def codes(element, path):
    return [code.get("csd-code") for code in element.findall(path)]


@pytest.mark.parametrize("event", sorted(EVENTS))
def test_every_message_is_valid_by_the_schema(event):
    texts = (
        ("", "unknown", "somebody"),
        ("seg_1.dcm", "fd00::1", ""),
        (f"3 of {MR}, 1 of {SEG}", "192.0.2.7", "MR 1"),
        ("ä <&>", "pacs.example", "\"<&>'"),
    )
    outcomes, studies = ("success", "refused", "failed"), ("1.2.840.99", None)
    for outcome, study_uid, site, given in product(outcomes, studies, ("", "Ward 3"), texts):
        detail, address, actor = given
        changes = {"detail": detail, "address": address, "actor": actor}
        text = written(site, event=event, outcome=outcome, study_uid=study_uid, **changes)
        assert breaches(text) == []


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ('EventOutcomeIndicator="0"', 'EventOutcomeIndicator="1"'),
        ('EventOutcomeIndicator="0"', ""),
        ('EventDateTime="2026-11-22T01:02:03.456789Z"', 'EventDateTime="22.11.2026"'),
        ('codeSystemName="DCM"', ""),
        ('csd-code="110103"', 'code="110103"'),
        ('csd-code="110103"', 'csd-code=""'),
        ('UserIsRequestor="true"', 'UserIsRequestor="yes"'),
        ("<AuditSourceTypeCode ", "<AuditSourceType "),
        ("<ParticipantObjectName>study</ParticipantObjectName>", ""),
        ('value="', 'value="!'),
        ("</EventIdentification>", "</EventIdentification><EventIdentification/>"),
    ],
)
def test_the_schema_is_one_that_finds_breaches(right, wrong):
    text = written()
    assert right in text
    assert breaches(text.replace(right, wrong, 1))


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


def test_what_a_scanner_sent_is_one_message_with_counts_by_class():
    given = {"event": "instances_received", "actor": "MR1", "role": "sender", "job_id": None}
    made = message(**given, detail=f"1200 of {MR}, 2 of {SEG}")
    assert codes(made, "EventIdentification/EventID") == ["110104"]
    assert made.find("EventIdentification").get("EventActionCode") == "C"
    scanner, ours = made.findall("ActiveParticipant")
    assert (scanner.get("UserID"), scanner.get("AlternativeUserID")) == ("MR1", "AETITLES=MR1")
    assert (scanner.get("UserIsRequestor"), ours.get("UserIsRequestor")) == ("true", "false")
    assert (codes(scanner, "RoleIDCode"), codes(ours, "RoleIDCode")) == (["110153"], ["110152"])
    (study,) = made.findall("ParticipantObjectIdentification")
    counts = study.findall("ParticipantObjectDescription/SOPClass")
    assert [(c.get("UID"), c.get("NumberOfInstances")) for c in counts] == [
        (MR, "1200"),
        (SEG, "2"),
    ]


@pytest.mark.parametrize(
    ("event", "code", "action"),
    [("instances_sending", "110102", "E"), ("instances_sent", "110104", "R")],
)
def test_what_goes_to_a_pacs_says_that_we_asked_it(event, code, action):
    made = message(event=event, actor="PACS", address="pacs.example", detail=f"3 of {SEG}")
    assert codes(made, "EventIdentification/EventID") == [code]
    assert made.find("EventIdentification").get("EventActionCode") == action
    pacs, ours = made.findall("ActiveParticipant")
    assert (pacs.get("UserIsRequestor"), ours.get("UserIsRequestor")) == ("false", "true")
    assert (codes(pacs, "RoleIDCode"), codes(ours, "RoleIDCode")) == (["110152"], ["110153"])
    point = pacs.get("NetworkAccessPointID"), pacs.get("NetworkAccessPointTypeCode")
    assert point == ("pacs.example", "1")  # a machine's name


def test_a_refused_association_is_a_security_alert_about_the_node():
    given = {"event": "association_refused", "outcome": "refused", "study_uid": None}
    made = message(**given, actor="EVIL", detail="calling_ae_title")
    assert codes(made, "EventIdentification/EventID") == ["110113"]
    assert codes(made, "EventIdentification/EventTypeCode") == ["110126"]
    assert made.find("EventIdentification").get("EventOutcomeIndicator") == "4"
    (node,) = made.findall("ParticipantObjectIdentification")
    assert codes(node, "ParticipantObjectIDTypeCode") == ["110182"]
    (alert,) = node.findall("ParticipantObjectDetail")
    assert alert.get("type") == "Alert Description"
    assert base64.b64decode(alert.get("value")) == b"calling_ae_title"


@pytest.mark.parametrize(
    ("event", "kind"), [("application_start", "110120"), ("application_stop", "110121")]
)
def test_a_start_and_a_stop_name_the_application_and_who_launched_it(event, kind):
    made = message(event=event, study_uid=None, job_id=None, actor="uid 10001", detail="node")
    assert codes(made, "EventIdentification/EventID") == ["110100"]
    assert codes(made, "EventIdentification/EventTypeCode") == [kind]
    launcher, ours = made.findall("ActiveParticipant")
    assert codes(launcher, "RoleIDCode")[0] == "110151"
    assert codes(ours, "RoleIDCode") == ["110150"]


def test_a_query_of_an_archive_names_its_classes_and_nothing_of_the_patient():
    root = "1.2.840.10008.5.1.4.1.2.2.1"
    made = message(event="archive_query", detail=f"1 of {root}")
    assert codes(made, "EventIdentification/EventID") == ["110112"]
    asked, study = made.findall("ParticipantObjectIdentification")
    assert study.get("ParticipantObjectID") == VIEW["study_uid"]
    assert asked.get("ParticipantObjectID") == root
    assert codes(asked, "ParticipantObjectIDTypeCode") == ["110181"]
