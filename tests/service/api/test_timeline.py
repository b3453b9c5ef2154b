"""A patient's studies over time, found by one of them and by no name."""

import pytest

from jobs.examination import ExaminationRecord

JANE = {"patient_key": "a" * 64, "birth_key": "b" * 64, "sex_key": "c" * 64}


@pytest.fixture
def measured(store, open_job):
    """Measure a study of a day; `delivered` says whether its job came to its end."""

    def measure(number, day, tdv_ml, *, delivered=True, **whose):
        job = open_job(number)
        record = ExaminationRecord(job.study_uid, taken_at=f"2026-0{day}-01", **JANE | whose)
        store.keep_examination(job, record)
        store.keep_summary(job, {"tdv_ml": tdv_ml, "gadc_um2_s": 900.0, "n_lesions": 2})
        if delivered:
            store.deliver(job)
        return job

    return measure


def test_the_studies_of_the_patient_come_oldest_first(client, measured):
    now = measured(1, 5, 40.0)
    first = measured(2, 1, 80.0)
    measured(3, 3, 7.0, patient_key="f" * 64)
    other_person = measured(4, 2, 9.0, birth_key="d" * 64)
    measured(5, 6, 20.0, delivered=False)
    told = client.get(f"/api/v1/studies/{now.study_uid}/timeline").json()
    assert [(p["study_uid"], p["taken_at"], p["tdv_ml"]) for p in told["points"]] == [
        (first.study_uid, "2026-01-01", 80.0),
        (now.study_uid, "2026-05-01", 40.0),
    ]
    assert told["points"][0]["job_id"] == first.id
    assert told["left_out"] == 1
    assert other_person.study_uid not in str(told)
    assert "a" * 64 not in str(told)


def test_a_prior_that_is_measured_again_stays_with_the_numbers_that_it_has(client, store, measured):
    now, first = measured(1, 5, 40.0), measured(2, 1, 80.0)
    store.measure_again(first.study_uid)
    told = client.get(f"/api/v1/studies/{now.study_uid}/timeline").json()
    assert [p["job_id"] for p in told["points"]] == [first.id, now.id]


def test_of_whom_nothing_is_known_there_is_no_timeline(client, delivered):
    told = client.get(f"/api/v1/studies/{delivered.study_uid}/timeline").json()
    assert told == {"study_uid": delivered.study_uid, "points": [], "left_out": 0}
