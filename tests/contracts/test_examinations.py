"""What every database has to know of a patient's other studies: keys only."""

from dataclasses import replace

import pytest

from jobs.errors import LeaseLost
from jobs.examination import ExaminationRecord

FIRST = ExaminationRecord("1.1", "a" * 64, "b" * 64, "c" * 64, "2026-01-01T10:15:00")


@pytest.fixture
def measured(store, arrivals):
    """Let a study be measured and delivered; return its job."""

    def measure(record, digest, *, delivered=True):
        store.record_instances(arrivals(record.study_uid, 1, len(digest)))
        store.open_revision(record.study_uid, digest)
        job = store.claim("w", 30)
        store.keep_examination(job, record)
        if delivered:
            store.deliver(job)
        return job

    return measure


def test_a_patients_other_studies_come_oldest_first(store, measured):
    later = replace(FIRST, study_uid="1.2", taken_at="2026-03-01")
    other = replace(FIRST, study_uid="1.3", patient_key="f" * 64)
    jobs = {r.study_uid: measured(r, r.study_uid).id for r in (later, FIRST, other)}
    now = replace(FIRST, study_uid="1.9", taken_at="2026-06-01")
    found = store.other_results(now)
    assert [(one.examination, one.job_id) for one in found] == [
        (FIRST, jobs["1.1"]),
        (later, jobs["1.2"]),
    ]


def test_what_was_not_delivered_has_no_results(store, measured):
    measured(FIRST, "d", delivered=False)
    assert store.other_results(replace(FIRST, study_uid="1.9")) == ()


def test_of_a_study_the_newest_delivered_revision_counts(store, measured):
    measured(FIRST, "d")
    second = measured(replace(FIRST, taken_at="2026-01-02"), "dd")
    (found,) = store.other_results(replace(FIRST, study_uid="1.9"))
    assert found.job_id == second.id
    assert found.examination.taken_at == "2026-01-02"


def test_a_study_is_not_its_own_prior_and_nobody_has_none(store, measured):
    measured(FIRST, "d")
    assert store.other_results(FIRST) == ()
    unknown = replace(FIRST, study_uid="1.2", patient_key="")
    measured(unknown, "e")
    assert store.other_results(replace(unknown, study_uid="1.9")) == ()


def test_only_who_holds_the_job_says_whose_it_is(store, measured, clock):
    job = measured(FIRST, "d", delivered=False)
    clock.forward(31)
    assert store.claim("other", 30) is not None
    with pytest.raises(LeaseLost):
        store.keep_examination(job, FIRST)


def test_keys_stay_out_of_a_repr():
    assert "aaaa" not in repr(FIRST)
