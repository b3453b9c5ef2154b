"""What every database has to keep of a job's results: the same body over SQLite and PostgreSQL."""

from dataclasses import replace

import pytest

from jobs.errors import ResultConflict
from jobs.result import ResultFile

SEG = ResultFile(
    kind="seg",
    name="station-1.dcm",
    media_type="application/dicom",
    path="ab/station-1.dcm",
    sha256="1" * 64,
    sop_class_uid="1.2.840.10008.5.1.4.1.1.66.4",
    sop_instance_uid="2.25.1",
    series_uid="2.25.2",
)
NUMBERS = ResultFile("measurements", "measurements.json", "application/json", "ab/m", "2" * 64)


@pytest.fixture
def job(store, arrivals):
    store.record_instances(arrivals("1.2"))
    store.open_revision("1.2", "d" * 64)
    return store.claim("w", 30)


def test_results_come_back_as_they_were_kept(store, job):
    store.keep_results(job, [SEG, NUMBERS])
    store.keep_results(job, [SEG, NUMBERS])
    assert store.results(job.id) == (SEG, NUMBERS)


def test_other_bytes_under_a_uid_are_refused(store, job):
    store.keep_results(job, [SEG])
    for other in (replace(SEG, sha256="3" * 64), replace(SEG, name="other.dcm")):
        with pytest.raises(ResultConflict, match=r"2\.25\.1"):
            store.keep_results(job, [NUMBERS, other])
    assert store.results(job.id) == (SEG,)  # nothing of the refused group was kept


def test_a_uid_of_another_job_is_refused(store, job, arrivals):
    store.keep_results(job, [SEG])
    store.record_instances(arrivals("1.3"))
    store.open_revision("1.3", "e" * 64)
    with pytest.raises(ResultConflict, match=job.id):
        store.keep_results(store.claim("w", 30), [SEG])


def test_another_object_under_a_name_is_refused(store, job):
    store.keep_results(job, [SEG])
    with pytest.raises(ResultConflict, match=r"station-1\.dcm"):
        store.keep_results(job, [replace(SEG, sop_instance_uid="2.25.9", sha256="3" * 64)])


def test_a_document_may_be_written_again(store, job):
    store.keep_results(job, [NUMBERS])
    again = replace(NUMBERS, sha256="4" * 64)
    store.keep_results(job, [again])
    assert store.results(job.id) == (again,)


def test_documents_of_two_jobs_do_not_meet(store, job, arrivals):
    store.keep_results(job, [NUMBERS])
    store.record_instances(arrivals("1.3"))
    store.open_revision("1.3", "e" * 64)
    other = store.claim("w", 30)
    store.keep_results(other, [NUMBERS])
    assert store.results(job.id) == store.results(other.id) == (NUMBERS,)


def test_a_summary_is_kept_and_replaced(store, job):
    assert store.summary(job.id) is None
    store.keep_summary(job, {"tdv_ml": 1.5})
    store.keep_summary(job, {"tdv_ml": 2.5, "series": [{"code": "NO_B_VALUE"}]})
    assert store.summary(job.id) == {"tdv_ml": 2.5, "series": [{"code": "NO_B_VALUE"}]}


def test_a_summary_with_a_number_that_is_none_is_refused(store, job):
    with pytest.raises(ValueError, match="JSON"):
        store.keep_summary(job, {"gadc_um2_s": float("nan")})
    assert store.summary(job.id) is None
