"""What a person may decide about a job: end it, or have its results sent once more."""

import hashlib
from dataclasses import replace

import pytest

from jobs.job import Failure, JobState
from jobs.prior import WantedPrior
from jobs.result import DeliveryStatus, ResultFile


@pytest.fixture
def sent(store, open_job, tmp_path):
    """A job whose two objects two destinations have."""
    job = open_job(5)
    folder = tmp_path / "results" / "sent"
    folder.mkdir(parents=True)
    files = []
    for number, name in enumerate(("seg.dcm", "sr.dcm")):
        (folder / name).write_bytes(name.encode())
        digest = hashlib.sha256(name.encode()).hexdigest()
        uids = ("1.2.840.10008.5.1.4.1.1.66.4", f"2.25.50{number}", "2.25.59")
        files.append(ResultFile("seg", name, "application/dicom", f"sent/{name}", digest, *uids))
    store.keep_results(job, files)
    for destination in ("PACS", "ARCHIVE"):
        store.expect_delivery(job, destination)
        for file in files:
            store.mark_sent(job, file.sop_instance_uid, destination, 0)
    store.deliver(job)
    return job


def statuses(store, job):
    return {(d.destination, d.name): d.status for d in store.deliveries(job.id)}


def test_results_are_sent_again_to_whom_one_names(client, store, sent, told):
    answer = client.post(f"/api/v1/jobs/{sent.id}/resend", json={"destinations": ["ARCHIVE"]})
    assert (answer.status_code, answer.json()["state"]) == (202, "queued")
    assert told == [sent.id]
    assert statuses(store, sent) == {
        ("PACS", "seg.dcm"): DeliveryStatus.SENT,
        ("PACS", "sr.dcm"): DeliveryStatus.SENT,
        ("ARCHIVE", "seg.dcm"): DeliveryStatus.QUEUED,
        ("ARCHIVE", "sr.dcm"): DeliveryStatus.QUEUED,
    }
    assert store.events(sent.id)[-1].data == {"destinations": ["ARCHIVE"]}
    assert [r.sop_instance_uid for r in store.results(sent.id)] == ["2.25.500", "2.25.501"]


@pytest.mark.parametrize("body", [None, {}, {"destinations": None}])
def test_results_are_sent_again_to_all(client, store, sent, body):
    answer = client.post(f"/api/v1/studies/{sent.study_uid}/resend", json=body)
    assert answer.status_code == 202
    assert set(statuses(store, sent).values()) == {DeliveryStatus.QUEUED}


def test_while_it_waits_or_runs_nothing_is_sent_again(client, store, sent, refused):
    address = f"/api/v1/jobs/{sent.id}/resend"
    assert client.post(address).status_code == 202
    refused(client.post(address), 409, "ILLEGAL_MOVE")
    running = store.claim("w", 60)
    assert running.id == sent.id
    refused(client.post(address), 409, "ILLEGAL_MOVE")
    store.deliver(running)
    assert client.post(address).status_code == 202


def test_what_a_newer_revision_replaced_is_not_sent_again(client, store, sent, refused):
    store.measure_again(sent.study_uid)
    refused(client.post(f"/api/v1/jobs/{sent.id}/resend"), 409, "ILLEGAL_MOVE")
    refused(client.post(f"/api/v1/studies/{sent.study_uid}/resend"), 409, "ILLEGAL_MOVE")


def test_a_job_without_objects_has_nothing_to_send(client, delivered, refused):
    refused(client.post(f"/api/v1/jobs/{delivered.id}/resend"), 409, "ILLEGAL_MOVE")


def test_destinations_are_those_of_the_settings(client, store, site, sent, refused):
    address = f"/api/v1/jobs/{sent.id}/resend"
    for names in (["ELSEWHERE"], [], ["PACS", "ELSEWHERE"]):
        answer = client.post(address, json={"destinations": names})
        refused(answer, 422, "UNKNOWN_DESTINATION")
    client.app.state.site = replace(site, destinations=())
    refused(client.post(address), 409, "NO_DESTINATION")
    assert store.job(sent.id).state is JobState.DELIVERED


@pytest.mark.parametrize("damage", ["changed", "gone"])
def test_only_the_bytes_that_were_kept_are_sent(client, store, tmp_path, sent, refused, damage):
    path = tmp_path / "results/sent/sr.dcm"
    path.write_bytes(b"other") if damage == "changed" else path.unlink()
    refused(client.post(f"/api/v1/jobs/{sent.id}/resend"), 409, "RESULT_CHANGED")
    assert store.job(sent.id).state is JobState.DELIVERED


def test_a_job_that_waits_is_ended(client, store, delivered, refused):
    again = store.measure_again(delivered.study_uid)
    answer = client.post(f"/api/v1/jobs/{again.id}/cancel")
    assert (answer.status_code, answer.json()["state"]) == (200, "rejected")
    assert answer.json()["failure"]["code"] == "CANCELLED"
    refused(client.post(f"/api/v1/jobs/{again.id}/cancel"), 409, "ILLEGAL_MOVE")
    assert store.claim("w", 60) is None


def test_a_job_that_runs_or_is_done_is_not_ended(client, open_job, delivered, refused):
    refused(client.post(f"/api/v1/jobs/{open_job(2).id}/cancel"), 409, "ILLEGAL_MOVE")
    refused(client.post(f"/api/v1/jobs/{delivered.id}/cancel"), 409, "ILLEGAL_MOVE")


def test_what_was_delivered_stays_valid_while_it_is_sent_again(client, sent, refused):
    client.post(f"/api/v1/jobs/{sent.id}/resend")
    refused(client.post(f"/api/v1/jobs/{sent.id}/cancel"), 409, "ILLEGAL_MOVE")


def test_workers_are_told_of_a_job_that_is_tried_again(client, store, open_job, told):
    job = open_job(2)
    store.hold(job, Failure("PEER_REFUSED", "the PACS refused it"))
    assert client.post(f"/api/v1/jobs/{job.id}/retry").status_code == 202
    assert told == [job.id]


def test_a_job_held_for_its_patients_identity_is_released(client, store, open_job, told, refused):
    job = open_job(3)
    store.hold(job, Failure("IDENTITY_CONFLICT", "whose?"))
    answer = client.post(f"/api/v1/jobs/{job.id}/release")
    assert (answer.status_code, answer.json()["state"]) == (202, "queued")
    assert told == [job.id]
    refused(client.post(f"/api/v1/jobs/{job.id}/release"), 409, "ILLEGAL_MOVE")


def test_earlier_studies_from_the_archive_are_listed(client, store, open_job, refused):
    job = open_job(3)
    address = f"/api/v1/studies/{job.study_uid}/priors"
    assert client.get(address).json() == {
        "asked": False, "code": None, "left_out": 0, "only_prior": False, "priors": [],
    }  # fmt: skip
    store.begin_prior_search(job, 60)
    store.end_prior_search(job, wanted=[WantedPrior("1.2.9", "20250102")], left_out=1)
    told = client.get(address).json()
    assert (told["asked"], told["code"], told["left_out"]) == (True, "FOUND", 1)
    assert told["priors"] == [
        {"study_uid": "1.2.9", "taken_on": "20250102", "state": "wanted", "code": None,
         "job_state": None},
    ]  # fmt: skip
    refused(client.get("/api/v1/studies/1.2.3.99/priors"), 404, "UNKNOWN_STUDY")
