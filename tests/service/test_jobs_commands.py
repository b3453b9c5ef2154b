import json

import pytest
from typer.testing import CliRunner

from jobs.job import Failure, JobState, Priority
from jobs.result import DeliveryStatus, ResultFile
from service.cli.app import app


@pytest.fixture
def call(tmp_path):
    """Run a command of `osteon jobs` on the database that the fixture `store` has open."""

    def called(*arguments):
        url = f"store.url=sqlite:///{tmp_path / 'store.sqlite'}"
        return CliRunner().invoke(app, ["--set", url, "jobs", *arguments])

    return called


def test_a_named_study_is_measured_again(call, store, delivered):
    result = call("reprocess", delivered.study_uid, "--json")
    assert result.exit_code == 0
    [told] = json.loads(result.stdout)
    assert (told["study_uid"], told["revision"]) == (delivered.study_uid, 2)
    assert store.job(told["job_id"]).priority == Priority.REPROCESS
    (row,) = store.audit()
    assert (row.event, row.study_uid, row.job_id) == (
        "reprocess",
        delivered.study_uid,
        told["job_id"],
    )


def test_all_means_those_whose_last_results_were_delivered(call, store, delivered, rejected):
    result = call("reprocess", "--all")
    assert result.exit_code == 0
    assert delivered.study_uid in result.stdout
    assert rejected.study_uid not in result.stdout
    assert call("reprocess", "--all").stdout == ""  # it waits already
    assert len(store.jobs(JobState.QUEUED)) == 1


def test_what_cannot_be_measured_again_is_an_error_with_its_code(call, delivered):
    assert "UNKNOWN_STUDY" in call("reprocess", "1.2.3").stderr
    call("reprocess", delivered.study_uid)
    waiting = call("reprocess", delivered.study_uid)
    assert waiting.exit_code == 1
    assert "ILLEGAL_MOVE" in waiting.stderr


def test_studies_are_named_or_all(call):
    assert call("reprocess").exit_code == 2
    assert call("reprocess", "1.2.3", "--all").exit_code == 2


def test_a_job_held_for_its_patients_identity_is_let_go_on(call, store, open_job):
    job = open_job(7)
    store.hold(job, Failure("IDENTITY_CONFLICT", "whose?"))
    result = call("release", job.id, "--json")
    assert result.exit_code == 0
    assert [told["job_id"] for told in json.loads(result.stdout)] == [job.id]
    assert store.job(job.id).state is JobState.QUEUED
    assert "ILLEGAL_MOVE" in call("release", job.id).stderr
    assert [(row.event, row.job_id) for row in store.audit()] == [("release", job.id)]


def test_how_far_results_are_at_each_destination_is_told(call, store, open_job):
    job = open_job(8)
    files = [
        ResultFile("seg", f"s{n}", "application/dicom", "s", "1" * 64, "1.2", f"2.25.{n}", "2.25.9")
        for n in (1, 2)
    ]
    store.keep_results(job, files)
    store.expect_delivery(job, "pacs")
    store.mark_sent(job, "2.25.1", "pacs", 0)
    store.mark_proven(job, "pacs", ["2.25.1"], DeliveryStatus.SENT_ONLY)
    store.mark_refused(job, "2.25.2", "pacs", 0xA900)
    store.hold(job, Failure("PEER_REFUSED", "refused"))
    lines = call("show", job.id).stdout.splitlines()
    assert lines == [
        f"{job.id}  held, PEER_REFUSED",
        "pacs  s1  sent only",
        "pacs  s2  refused  PEER_REFUSED",
    ]
    told = json.loads(call("show", job.id, "--json").stdout)
    assert (told["state"], [way["tries"] for way in told["deliveries"]]) == ("held", [1, 1])
    assert "UNKNOWN_JOB" in call("show", "0" * 32).stderr
