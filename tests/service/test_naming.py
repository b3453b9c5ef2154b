"""Who is shown the name of a patient."""

import pytest

from jobs.labels import StudyLabel
from service.access.caller import Caller, Role
from service.naming import Naming, initials

LABEL = StudyLabel("1.2", "Doe, Jane Ann=ドウ", "ID-1", "ACC-1", "20260102", "SIEMENS Vida")
VIEWER, OPERATOR, ADMIN = (Caller("c", role) for role in Role)


def test_everybody_who_may_look_is_shown_names_by_default():
    named = Naming().of(LABEL, VIEWER)
    assert named.patient_name == "Doe, Jane Ann"
    assert (named.patient_id, named.accession_number) == ("ID-1", "ACC-1")
    assert (named.study_date, named.scanner) == ("2026-01-02", "SIEMENS Vida")
    assert not named.masked


@pytest.mark.parametrize(
    ("names_from", "seen_by"),
    [
        ("viewer", {VIEWER, OPERATOR, ADMIN}),
        ("operator", {OPERATOR, ADMIN}),
        ("admin", {ADMIN}),
        ("nobody", set()),
    ],
)
def test_names_are_shown_from_a_role_on(names_from, seen_by):
    naming = Naming(names_from)
    for caller in (VIEWER, OPERATOR, ADMIN):
        assert naming.shows(caller) is (caller in seen_by)
        assert naming.of(LABEL, caller).masked is (caller not in seen_by)
    assert not naming.shows(None)


def test_others_are_shown_initials_or_nothing_and_no_numbers():
    masked = Naming("admin", "initials").of(LABEL, VIEWER)
    assert masked.patient_name == "D. J. A."
    assert (masked.patient_id, masked.accession_number) == ("", "")
    assert masked.study_date == "2026-01-02"
    assert Naming("admin", "hidden").of(LABEL, VIEWER).patient_name == ""


def test_initials_of_names_as_they_come():
    assert initials("Doe, Jane") == "D. J."
    assert initials("doe^jane") == "D. J."
    assert initials("山田, 太郎") == "山. 太."
    assert initials("") == ""
    assert initials(" , ") == ""


def test_a_study_without_a_label_has_no_name():
    assert Naming().of(None, ADMIN).patient_name == ""
    assert Naming().of(StudyLabel("1.2"), ADMIN).study_date == ""


def test_what_is_shown_is_in_no_repr():
    assert "Doe" not in repr(Naming().of(LABEL, ADMIN))
