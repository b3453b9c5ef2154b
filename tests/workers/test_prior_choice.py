"""Which studies of an archive are taken for this patient's earlier ones."""

from dataclasses import replace

import pytest

from dicom_node.archive import HeldStudy
from dicom_objects.reading.patient import Patient
from workers.prior_choice import PriorRules, choose, is_someone_else, words_of

PATIENT = Patient(
    "1.9", "P1", "SITE", "Müller-Lüdenscheidt^Erika", "19500102", "F", "20260601", "101500"
)
HELD = HeldStudy(
    study_uid="1.1",
    patient_id="P1",
    issuer="",
    name="MUELLER^Erika",
    birth_date="19500102",
    sex="F",
    date="20260101",
    time="090000",
    description="MR Ganzkörper",
    modalities=("MR", "SR"),
    n_series=4,
    n_instances=60,
)


def chosen(*changes, **rules):
    held = [replace(HELD, study_uid=f"1.{n}", **change) for n, change in enumerate(changes, 1)]
    return [study.study_uid for study in choose(held, PATIENT, PriorRules(**rules)).wanted]


def test_the_newest_earlier_ones_are_wanted_newest_first():
    dates = [{"date": date} for date in ("20250101", "20260301", "20240101", "20260501")]
    assert chosen(*dates, newest=3) == ["1.4", "1.2", "1.1"]


def test_later_ones_and_undated_ones_are_none():
    assert chosen({"date": "20260602"}, {"date": ""}, {"date": "2026"}, {"date": "20269999"}) == []


def test_of_the_same_day_the_time_decides():
    assert chosen({"date": "20260601", "time": "101459"}) == ["1.1"]
    assert chosen({"date": "20260601", "time": "101500"}) == []
    assert chosen({"date": "20260601", "time": ""}) == ["1.1"]


def test_the_window_of_time_has_an_edge():
    edge = [{"date": "20260522"}, {"date": "20260521"}]
    assert chosen(*edge, within_days=10) == ["1.1"]


def test_only_mr_counts_unless_the_archive_does_not_say():
    kinds = [{"modalities": kind} for kind in (("CT",), (), ("SR", "MR"))]
    assert sorted(chosen(*kinds)) == ["1.2", "1.3"]


def test_the_description_is_searched_whatever_its_case():
    texts = [{"description": "MR GANZKÖRPER dwi"}, {"description": "MR Knie"}]
    assert chosen(*texts, description="ganzkörper|whole") == ["1.1"]


def test_the_study_itself_is_not_its_own_earlier_one():
    held = [replace(HELD, study_uid="1.9", birth_date="19990101")]
    choice = choose(held, PATIENT, PriorRules())
    assert (choice.wanted, choice.left_out, choice.agreed) == ((), 0, 0)


@pytest.mark.parametrize(
    ("change", "other"),
    [
        ({}, False),
        ({"birth_date": "19500201"}, True),
        ({"birth_date": ""}, False),
        ({"sex": "M"}, True),
        ({"sex": "O"}, False),
        ({"sex": ""}, False),
        ({"name": "Schmidt^Erika"}, False),  # she married
        ({"name": "ERIKA MULLER"}, False),
        ({"name": "Schmidt^Hans"}, True),
        ({"name": ""}, False),
        ({"name": "Schmidt^Hans=山田^太郎"}, True),
    ],
)
def test_who_is_someone_else(change, other):
    assert is_someone_else(replace(HELD, **change), PATIENT) is other


def test_words_of_a_name_have_no_accents():
    assert words_of("Müller-Lüdenscheidt^Erika^^Dr.") == {"muller", "ludenscheidt", "erika", "dr"}
    assert words_of("Łódź^Ana=山田") == {"łodz", "ana", "山田"}


def test_another_person_under_the_id_is_left_out_and_told():
    other = {"birth_date": "19900101"}
    choice = choose(
        [replace(HELD, study_uid="1.1", **other), replace(HELD, study_uid="1.2")],
        PATIENT,
        PriorRules(),
    )
    assert [study.study_uid for study in choice.wanted] == ["1.2"]
    assert (choice.left_out, choice.agreed, choice.conflict) == (1, 1, False)


def test_an_id_that_is_only_anothers_is_a_conflict_whatever_the_modality():
    held = [replace(HELD, birth_date="19900101", modalities=("CT",), date="20300101")]
    assert choose(held, PATIENT, PriorRules()).conflict


def test_the_id_of_another_institution_is_another_id():
    held = [replace(HELD, issuer="ELSEWHERE", birth_date="19900101")]
    choice = choose(held, PATIENT, PriorRules())
    assert (choice.wanted, choice.conflict) == ((), False)
