"""C-FIND against a peer of pynetdicom that answers as a test tells it to."""

import time
from contextlib import contextmanager
from io import BytesIO

import pytest
from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset
from pynetdicom import AE, evt

from dicom_node.answers import Answer
from dicom_node.archive import Place, images_of, series_of, studies_of, study_of
from dicom_node.errors import InvalidUid, PeerRefused, PeerUnavailable, QueryRefused
from dicom_node.network import Timeouts
from dicom_node.peer import Peer
from dicom_node.query import (
    PATIENT_ROOT_FIND,
    STUDY_ROOT_FIND,
    Level,
    QueryLimits,
    can_be_asked,
    find,
)

IMPLICIT = "1.2.840.10008.1.2"
SLOW = Timeouts(connect_s=60, negotiate_s=60)  # a test machine may be busy


def study(uid, patient="P1", **values):
    answer = Dataset()
    answer.QueryRetrieveLevel = "STUDY"
    answer.StudyInstanceUID = uid
    answer.PatientID = patient
    for keyword, value in values.items():
        setattr(answer, keyword, value)
    return answer


@contextmanager
def archive(answers, roots=(STUDY_ROOT_FIND,), syntaxes=(IMPLICIT,)):
    """A peer that gives these (status, data set) pairs; yields it and what it was asked."""
    asked = []

    def answer(event):
        asked.append((str(event.request.AffectedSOPClassUID), event.identifier))
        for status, data_set in answers:
            if event.is_cancelled:
                yield 0xFE00, None
                return
            yield status, data_set

    entity = AE("ARCHIVE")
    for root in roots:
        entity.add_supported_context(root, list(syntaxes))
    server = entity.start_server(
        ("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_FIND, answer)]
    )
    try:
        yield Peer("ARCHIVE", "127.0.0.1", server.server_address[1], timeouts=SLOW), asked
    finally:
        server.shutdown()


def test_studies_of_a_patient_are_typed():
    told = study(
        "1.2.3",
        StudyDate="20250102",
        ModalitiesInStudy=["MR", "SR"],
        NumberOfStudyRelatedInstances="60",
        NumberOfStudyRelatedSeries="4",
    )
    with archive([(0xFF00, told)]) as (peer, asked):
        (found,) = studies_of(peer, "P1")
    assert (found.study_uid, found.date, found.modalities) == ("1.2.3", "20250102", ("MR", "SR"))
    assert (found.n_instances, found.n_series) == (60, 4)
    (root, question), *_ = asked
    assert root == STUDY_ROOT_FIND
    assert (question.QueryRetrieveLevel, question.PatientID) == ("STUDY", "P1")
    assert question.NumberOfStudyRelatedInstances is None  # asked for, not matched


def test_what_an_archive_says_of_a_patient_is_in_no_representation():
    told = study("1.2.3", PatientName="CANARY^A", PatientBirthDate="19010203")
    with archive([(0xFF00, told)]) as (peer, _):
        (found,) = studies_of(peer, "P1")
    assert found.name == "CANARY^A"
    assert "CANARY" not in repr(found)
    assert "1901" not in repr(found)


def test_an_archive_that_ignores_the_patient_id_gives_nobody_elses_studies():
    with archive([(0xFF00, study("1.2.3", "P2")), (0xFF00, study("1.2.4"))]) as (peer, _):
        assert [found.study_uid for found in studies_of(peer, "P1")] == ["1.2.4"]
        assert study_of(peer, "1.2.9") is None


def test_a_study_without_a_valid_uid_is_left_out():
    with archive([(0xFF00, study("1.2.3"))], syntaxes=[IMPLICIT]) as (peer, _):
        assert len(studies_of(peer, "P1")) == 1
    evil = study("1.2.3")
    evil["StudyInstanceUID"]._value = "../../etc"
    with archive([(0xFF00, evil)]) as (peer, _):
        assert studies_of(peer, "P1") == ()


def test_series_and_images_are_asked_below_their_study():
    series = Dataset()
    series.SeriesInstanceUID = "1.2.3.1"
    series.Modality = "MR"
    series.NumberOfSeriesRelatedInstances = "30"
    with archive([(0xFF00, series)]) as (peer, asked):
        (found,) = series_of(peer, Place("1.2.3", patient_id="P1"))
    assert (found.series_uid, found.modality, found.n_instances) == ("1.2.3.1", "MR", 30)
    question = asked[0][1]
    assert question.StudyInstanceUID == "1.2.3"
    assert "PatientID" not in question  # no key of this level under Study Root
    image = Dataset()
    image.SOPInstanceUID = "1.2.3.1.1"
    with archive([(0xFF00, image)]) as (peer, asked):
        (held,) = images_of(peer, Place("1.2.3", "1.2.3.1"))
    assert (held.sop_instance_uid, held.sop_class_uid) == ("1.2.3.1.1", None)
    assert asked[0][1].SeriesInstanceUID == "1.2.3.1"


def test_patient_root_is_asked_where_study_root_is_not_offered():
    series = Dataset()
    series.SeriesInstanceUID = "1.2.3.1"
    with archive([(0xFF00, series)], roots=[PATIENT_ROOT_FIND]) as (peer, asked):
        assert len(series_of(peer, Place("1.2.3", patient_id="P1"))) == 1
        assert (asked[0][0], asked[0][1].PatientID) == (PATIENT_ROOT_FIND, "P1")
        with pytest.raises(QueryRefused, match="Patient ID"):
            series_of(peer, Place("1.2.3"))


@pytest.mark.parametrize(
    ("character_set", "name"),
    [
        ("ISO_IR 100", "Müller^Jörg"),
        ("ISO_IR 192", "Łukasz^Żółć"),
        ("ISO_IR 144", "Иванов^Иван"),
        (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎"),
    ],
)
def test_names_come_in_the_character_set_of_the_answer(character_set, name):
    told = study("1.2.3", SpecificCharacterSet=character_set, PatientName=name)
    with archive([(0xFF00, told)]) as (peer, _):
        assert studies_of(peer, "P1")[0].name == name


def test_a_question_beyond_ascii_says_its_character_set():
    with archive([]) as (peer, asked):
        studies_of(peer, "PÄ1")
        studies_of(peer, "P1")
    assert asked[0][1].SpecificCharacterSet == "ISO_IR 192"
    assert asked[0][1].PatientID == "PÄ1"
    assert "SpecificCharacterSet" not in asked[1][1]


@pytest.mark.filterwarnings("ignore:Unknown encoding")  # pydicom's own, of every reading
def test_an_unknown_character_set_is_read_as_the_usual_one():
    character_set = b"\x08\x00\x05\x00CS\x08\x00NONSENSE"
    name = b"\x10\x00\x10\x00PN\x06\x00M\xfcller"
    answer = Answer(read_dataset(BytesIO(character_set + name), False, True))
    assert answer.text("PatientName") == "Müller"


def test_an_archive_with_too_many_answers_is_told_to_stop():
    given = []

    def endless():
        while True:
            given.append(1)
            yield 0xFF00, study(f"1.2.{len(given)}")

    with archive(endless()) as (peer, _):
        found = find(
            peer, Level.STUDY, {"PatientID": "P1"}, ["StudyInstanceUID"], QueryLimits(answers=20)
        )
        assert len(found) == 20
        assert not found.complete
        time.sleep(0.2)
        before = len(given)
        time.sleep(0.2)
        assert len(given) == before


def test_exactly_as_many_answers_as_the_limit_are_all():
    some = [(0xFF00, study(f"1.2.{n}")) for n in range(1, 4)]
    with archive(some) as (peer, _):
        found = find(peer, Level.STUDY, {"PatientID": "P1"}, [], QueryLimits(answers=3))
    assert (len(found), found.complete) == (3, True)


def test_an_archive_that_never_comes_to_an_end_is_left():
    def slow():
        while True:
            time.sleep(0.05)
            yield 0xFF00, study("1.2.3")

    with (
        archive(slow()) as (peer, _),
        pytest.raises(PeerUnavailable, match="in time"),
    ):
        find(peer, Level.STUDY, {"PatientID": "P1"}, [], QueryLimits(seconds=0.3))


@pytest.mark.parametrize(
    ("status", "error"),
    [(0xA700, PeerUnavailable), (0xA900, QueryRefused), (0xC001, QueryRefused)],
)
def test_failures_of_the_archive_are_told_by_their_status(status, error):
    with archive([(status, None)]) as (peer, _), pytest.raises(error, match=f"0x{status:04X}"):
        studies_of(peer, "P1")


def test_a_peer_without_query_refuses():
    with (
        archive([], roots=["1.2.840.10008.1.1"]) as (peer, _),
        pytest.raises(PeerRefused) as refused,
    ):
        studies_of(peer, "P1")
    assert refused.value.code == "PEER_REFUSED"


def test_nothing_is_asked_by_a_uid_that_is_none():
    with archive([]) as (peer, asked):
        with pytest.raises(InvalidUid):
            study_of(peer, "1.2.3*")
        assert asked == []


def test_values_that_would_match_others_are_not_asked():
    assert can_be_asked("P-4711 /A")
    for value in ("", " ", "P*", "P?", "P1\\P2", "P1\n"):
        assert not can_be_asked(value)
