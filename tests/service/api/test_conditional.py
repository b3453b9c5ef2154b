"""Documents and files have strong tags; who has them already is not sent them again."""

import hashlib

import pytest

from jobs.result import ResultFile


def tag_and_again(client, address):
    first = client.get(address)
    assert first.status_code == 200
    again = client.get(address, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    return first


@pytest.mark.parametrize(
    "address",
    [
        "/api/v1/jobs/{job}",
        "/api/v1/jobs/{job}/results",
        "/api/v1/jobs/{job}/results/measurements.json",
        "/api/v1/studies/{study}",
        "/api/v1/studies/{study}/results",
        "/api/v1/studies/{study}/timeline",
    ],
)
def test_a_copy_that_is_still_right_is_not_sent_again(client, delivered, address):
    answer = tag_and_again(client, address.format(job=delivered.id, study=delivered.study_uid))
    assert answer.headers["etag"] == f'"{hashlib.sha256(answer.content).hexdigest()}"'


def test_a_document_that_changed_has_another_tag(client, store, delivered):
    address = f"/api/v1/jobs/{delivered.id}"
    before = tag_and_again(client, address)
    store.measure_again(delivered.study_uid)
    after = client.get(address, headers={"If-None-Match": before.headers["etag"]})
    assert after.status_code == 200
    assert after.json()["superseded_by"] == 2
    assert after.headers["cache-control"] == "private, no-cache"


@pytest.mark.parametrize(
    ("given", "status"),
    [("*", 304), ('"x", {tag}', 304), ("W/{tag}", 304), ('"x"', 200), ("x", 200)],
)
def test_what_if_none_match_may_say(client, delivered, given, status):
    address = f"/api/v1/jobs/{delivered.id}"
    tag = client.get(address).headers["etag"]
    answer = client.get(address, headers={"If-None-Match": given.format(tag=tag)})
    assert answer.status_code == status


def test_results_are_kept_for_ever_but_for_what_names_the_patient(client, delivered):
    address = f"/api/v1/jobs/{delivered.id}/results"
    kept = {
        name: client.get(f"{address}/{name}").headers["cache-control"]
        for name in ("mip_coronal.png", "measurements.json", "seg_1.dcm")
    }
    for_ever = "private, max-age=31536000, immutable"
    assert kept == {
        "mip_coronal.png": for_ever,
        "measurements.json": for_ever,
        "seg_1.dcm": "no-store",
    }


def test_a_part_of_a_file_is_sent(client, delivered):
    address = f"/api/v1/jobs/{delivered.id}/results/seg_1.dcm"
    answer = client.get(address, headers={"Range": "bytes=5-8"})
    assert (answer.status_code, answer.content) == (206, b"synt")
    assert answer.headers["content-range"] == "bytes 5-8/14"


def test_the_newest_results_of_a_study_are_found_by_its_uid(client, store, delivered):
    run = client.get(f"/api/v1/studies/{delivered.study_uid}/results").json()
    assert (run["job"]["id"], run["summary"]["tdv_ml"]) == (delivered.id, 12.34)
    assert [client.get(one["href"]).status_code for one in run["files"]] == [200, 200, 200]
    store.measure_again(delivered.study_uid)  # revision 2 has none yet: those of 1 stay
    again = client.get(f"/api/v1/studies/{delivered.study_uid}/results").json()
    assert (again["job"]["id"], again["job"]["superseded_by"]) == (delivered.id, 2)


def test_a_study_without_results_says_so(client, rejected, refused):
    answer = client.get(f"/api/v1/studies/{rejected.study_uid}/results")
    refused(answer, 404, "NO_SUCH_RESULT")


def test_a_result_of_another_job_is_not_given(client, store, open_job, delivered, refused):
    job = open_job(2)
    store.keep_results(job, [ResultFile("x", "x.csv", "text/csv", "run/seg_1.dcm", "0" * 64)])
    refused(client.get(f"/api/v1/jobs/{delivered.id}/results/x.csv"), 404, "NO_SUCH_RESULT")
