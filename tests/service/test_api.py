import re
import socket
from dataclasses import replace

import pytest

from dicom_objects.reading.records import SeriesRecord, VolumeRecord
from jobs.errors import StoreUnavailable
from jobs.job import Failure, JobState
from jobs.study import input_digest
from service.api import health
from service.api.app import create_app
from service.settings import load_settings
from service.wiring import make_api
from tests.service.sites import site_of
from tests.service.web import TestClient
from tests.workers.served import Fraction, write_model
from workers.summary import series_summary


@pytest.fixture
def site(store, tmp_path):
    return site_of(store, tmp_path, model_dirs=(tmp_path / "model", tmp_path / "disease"))


@pytest.fixture
def client(site):
    with TestClient(create_app(site), raise_server_exceptions=False) as opened:
        yield opened


def assert_problem(answer, status, code):
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json()
    assert (document["status"], document["code"]) == (status, code)
    assert set(document) >= {"type", "title", "detail"}


def test_studies_and_jobs_are_listed(client, delivered, rejected):
    studies = client.get("/api/v1/studies").json()["items"]
    assert {study["uid"] for study in studies} == {"2.25.100", "2.25.200"}
    jobs = client.get("/api/v1/jobs").json()["items"]
    assert [job["id"] for job in jobs] == [rejected.id, delivered.id]
    found = client.get("/api/v1/jobs?state=delivered").json()["items"]
    assert [job["id"] for job in found] == [delivered.id]
    study = client.get("/api/v1/studies/2.25.100").json()
    assert [job["id"] for job in study["jobs"]] == [delivered.id]


def test_a_job_shows_numbers_times_results_and_failure(client, delivered, rejected):
    job = client.get(f"/api/v1/jobs/{delivered.id}").json()
    assert (job["state"], job["summary"]["tdv_ml"]) == ("delivered", 12.34)
    assert job["stage_seconds"] == {"read": 1.5}
    assert [r["name"] for r in job["results"]] == [
        "mip_coronal.png",
        "measurements.json",
        "seg_1.dcm",
    ]
    failure = client.get(f"/api/v1/jobs/{rejected.id}").json()["failure"]
    assert (failure["code"], failure["stage"]) == ("NO_USABLE", "read")
    assert job["summary"]["burden"]["model"]["sha256"] == "ef" * 32


def test_a_job_shows_what_every_series_is_and_why(client, store, open_job):
    job = open_job(3)
    record = SeriesRecord(
        series_uid="2.25.7",
        series_number=12,
        description="",
        role="b0+trace",
        b_values=(1.25, 929.75),
        b_source="United Imaging (0065,xx09)",
        n_instances=5,
        geometry="20 x 64 x 64, 4.2 x 3.5 x 3.5 mm, z -9 to 71 mm",
        used=True,
        code=None,
        reason="used.",
        content="dwi-trace",
        volumes=(VolumeRecord(1.25, "b0", 1), VolumeRecord(929.75, "vendor-trace", 2)),
        notes=("A remark.",),
    )
    store.keep_summary(job, series_summary([record]))
    (told,) = client.get(f"/api/v1/jobs/{job.id}").json()["summary"]["series"]
    assert told["volumes"][1] == {"b": 929.75, "kind": "vendor-trace", "count": 2}
    page = client.get(f"/jobs/{job.id}").text
    assert "1 x b 1.25, 2 x b 929.75 trace" in page
    assert "20 x 64 x 64, 4.2 x 3.5 x 3.5 mm" in page
    assert "A remark. b from United Imaging (0065,xx09)." in page


def test_a_job_that_newer_images_replaced_says_so(client, store, delivered, rejected):
    study_uid = delivered.study_uid
    late = replace(
        store.instances(study_uid)[0], sop_instance_uid="2.25.109", path="aa/late", sha256="b" * 64
    )
    assert client.get(f"/api/v1/jobs/{delivered.id}").json()["superseded_by"] is None
    store.record_instances([late])
    store.open_revision(study_uid, input_digest(store.instances(study_uid)))
    assert client.get(f"/api/v1/jobs/{delivered.id}").json()["superseded_by"] == 2
    told = {
        (job["study_uid"], job["revision"]): job["superseded_by"]
        for job in client.get("/api/v1/jobs").json()["items"]
    }
    assert told == {(study_uid, 1): 2, (study_uid, 2): None, (rejected.study_uid, 1): None}
    jobs = client.get(f"/api/v1/studies/{study_uid}").json()["jobs"]
    assert [(job["revision"], job["superseded_by"]) for job in jobs] == [(2, None), (1, 2)]


def test_results_are_downloaded_as_they_were_kept(client, delivered):
    href = client.get(f"/api/v1/jobs/{delivered.id}/results").json()[2]["href"]
    answer = client.get(href)
    assert answer.content == b"DICM synthetic"
    assert answer.headers["content-type"] == "application/dicom"
    assert "attachment" in answer.headers["content-disposition"]


@pytest.mark.parametrize("name", ["store.sqlite", "..%2F..%2Fstore.sqlite", "%2Fetc%2Fpasswd"])
def test_a_name_that_is_no_result_never_reaches_a_file(client, delivered, name):
    assert client.get(f"/api/v1/jobs/{delivered.id}/results/{name}").status_code in (404, 422)


def test_a_result_that_became_a_link_or_is_gone_is_not_sent(client, delivered, tmp_path):
    path = tmp_path / "results/run/seg_1.dcm"
    path.unlink()
    url = f"/api/v1/jobs/{delivered.id}/results/seg_1.dcm"
    assert_problem(client.get(url), 404, "NO_SUCH_RESULT")
    path.symlink_to("/etc/hostname")
    assert_problem(client.get(url), 404, "NO_SUCH_RESULT")


def test_what_does_not_exist_is_a_problem_document(client):
    assert_problem(client.get(f"/api/v1/jobs/{'0' * 32}"), 404, "UNKNOWN_JOB")
    assert_problem(client.get("/api/v1/studies/1.2.3"), 404, "UNKNOWN_STUDY")
    assert_problem(client.get("/nowhere"), 404, "NOT_FOUND")
    assert_problem(client.put("/api/v1/jobs"), 405, "METHOD_NOT_ALLOWED")


def test_a_request_that_is_not_valid_is_answered_without_what_was_sent(client):
    answer = client.get("/api/v1/jobs?state=DOE^JANE")
    assert_problem(answer, 422, "NOT_VALID")
    assert "DOE" not in answer.text


def test_a_failed_job_is_queued_again_and_any_other_is_refused(client, store, open_job, delivered):
    job = open_job(3)
    store.fail(job, Failure("INTERNAL", "a defect"))
    answer = client.post(f"/api/v1/jobs/{job.id}/retry")
    assert (answer.status_code, answer.json()["state"]) == (202, "queued")
    assert store.job(job.id).state is JobState.QUEUED
    assert_problem(client.post(f"/api/v1/jobs/{delivered.id}/retry"), 409, "ILLEGAL_MOVE")


def test_another_sites_page_changes_nothing(client, store, open_job):
    job = open_job(3)
    store.fail(job, Failure("INTERNAL", "a defect"))
    url = f"/api/v1/jobs/{job.id}/retry"
    answer = client.post(url, headers={"Sec-Fetch-Site": "cross-site"})
    assert_problem(answer, 403, "CROSS_SITE")
    assert store.job(job.id).state is JobState.FAILED


def test_another_host_name_is_turned_away(client):
    assert client.get("/", headers={"Host": "evil.example"}).status_code == 400


def test_events_are_listed_and_streamed_from_where_one_stopped(client, delivered):
    events = client.get(f"/api/v1/jobs/{delivered.id}/events").json()["items"]
    assert [e["kind"] for e in events][:3] == ["opened", "claimed", "stage_started"]
    later = client.get(f"/api/v1/jobs/{delivered.id}/events?after={events[2]['id']}").json()
    assert later["items"] == events[3:]
    stream = client.get(
        f"/api/v1/jobs/{delivered.id}/events/stream",
        headers={"Last-Event-ID": str(events[2]["id"])},
    )
    assert stream.headers["content-type"].startswith("text/event-stream")
    ids = [int(found) for found in re.findall(r"^id: (\d+)$", stream.text, re.MULTILINE)]
    assert ids == [event["id"] for event in events[3:]]
    assert stream.text.endswith("event: job.done\ndata: {}\n\n")


def test_the_store_being_away_is_503_with_a_time_to_come_back(client, store, monkeypatch):
    def away(*_args, **_more):
        message = "the database does not answer"
        raise StoreUnavailable(message)

    monkeypatch.setattr(store, "jobs", away)
    answer = client.get("/api/v1/jobs")
    assert_problem(answer, 503, "STORE_UNAVAILABLE")
    assert answer.headers["retry-after"] == "5"


def test_a_defect_is_500_and_says_nothing_of_its_text(client, store, monkeypatch):
    def broken(*_args, **_more):
        message = "DOE^JANE"
        raise ZeroDivisionError(message)

    monkeypatch.setattr(store, "jobs", broken)
    answer = client.get("/api/v1/jobs")
    assert_problem(answer, 500, "INTERNAL")
    assert "DOE" not in answer.text


def checks_of(client, site=None):
    if site is not None:
        client.app.state.site = site
    return {check["name"]: check for check in client.get("/readyz").json()["checks"]}


def test_livez_and_readyz(client, monkeypatch):
    assert client.get("/livez").json() == {"status": "ok"}
    assert client.get("/readyz").status_code == 503
    checks = checks_of(client)
    assert list(checks) == ["store", "broker", "model", "model_server", "disk", "dicom_node"]
    assert checks["store"] == {"name": "store", "ok": True, "reason": "the database answers"}
    assert not checks["dicom_node"]["ok"]
    assert "GiB free for images" in checks["disk"]["reason"]
    monkeypatch.setattr(health, "CHECKS", {"store": health.CHECKS["store"]})
    assert client.get("/readyz").status_code == 200


def test_a_database_that_is_away_is_named_by_its_code_only(client, store, monkeypatch):
    def away():
        message = "postgresql+pg8000://osteon:secret@db.example.org/osteon"
        raise StoreUnavailable(message)

    monkeypatch.setattr(store, "counts", away)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert checks_of(client)["store"]["reason"] == "the database cannot be used (STORE_UNAVAILABLE)"
    assert "example.org" not in answer.text
    assert "secret" not in answer.text


def test_redis_is_asked_where_it_rings(client, site):
    assert "poll the database" in checks_of(client)["broker"]["reason"]
    answers = replace(site, broker_answers=lambda: True)
    assert checks_of(client, answers)["broker"]["ok"]
    silent = checks_of(client, replace(site, broker_answers=lambda: False))["broker"]
    assert not silent["ok"]
    assert "Redis does not answer" in silent["reason"]


def test_readiness_asks_a_redis_that_is_away(monkeypatch, store, tmp_path):
    monkeypatch.setenv("OSTEON_QUEUE__BACKEND", "celery")
    monkeypatch.setenv("OSTEON_QUEUE__BROKER_URL", "redis://osteon:{password}@127.0.0.1:1/0")
    monkeypatch.setenv("OSTEON_QUEUE__PASSWORD", "hush")
    monkeypatch.setenv("OSTEON_DATA_DIR", str(tmp_path))
    app = make_api(load_settings(), store)
    with TestClient(app, base_url="http://localhost") as client:
        answer = client.get("/readyz")
    broker = next(check for check in answer.json()["checks"] if check["name"] == "broker")
    assert not broker["ok"]
    assert "hush" not in answer.text


def test_a_disk_below_the_nodes_floor_is_not_ready(client, site):
    full = checks_of(client, replace(site, spool_floor_bytes=2**62))["disk"]
    assert not full["ok"]
    assert full["reason"] == f"less than {2**32:g} GiB is free for images"


def test_a_model_server_that_is_away_is_named(client, site):
    def named(address):
        return checks_of(client, replace(site, model_server=address))["model_server"]["ok"]

    assert named("")
    assert not named("127.0.0.1:1")
    assert not named("without a port")
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert named(f"127.0.0.1:{server.getsockname()[1]}")


def test_every_model_must_be_there_to_be_ready(client, site):
    anatomy, _ = site.model_dirs
    write_model(anatomy, Fraction())
    model = checks_of(client)["model"]
    assert not model["ok"]
    assert "the model disease cannot be served" in model["reason"]
    text = client.get("/metrics").text
    assert "osteon_model_ready 0.0" in text
    assert 'model="anatomy"' in text


def test_metrics_have_our_prefix_and_no_identifier(client, delivered, rejected):
    text = client.get("/metrics").text
    assert 'osteon_jobs_in_state{state="delivered"} 1.0' in text
    assert 'osteon_jobs_in_state{state="rejected"} 1.0' in text
    assert rejected.id not in text
    assert 'osteon_stage_duration_seconds_sum{stage="read"} 1.5' in text
    assert "osteon_disk_free_bytes" in text
    assert "osteon_model_ready 0.0" in text
    assert "2.25." not in text
    assert delivered.id not in text
    names = {line.split("{")[0].split()[0] for line in text.splitlines() if line[0] != "#"}
    assert all(name.startswith(("osteon_", "process_", "http_server_")) for name in names)


def test_the_pages_show_state_numbers_reason_and_that_it_is_research(client, delivered, rejected):
    page = client.get("/").text
    assert "RESEARCH USE ONLY" in page
    for shown in ("12.3", "partial body", "802", "delivered", "nothing to measure", "NO_USABLE"):
        assert shown in page
    job = client.get(f"/jobs/{rejected.id}").text
    assert "RESEARCH USE ONLY" in job
    assert "NO_DIFFUSION" in job
    assert "no &lt;b&gt;b-value&lt;/b&gt;." in job
    shown = client.get(f"/jobs/{delivered.id}").text
    assert f"/api/v1/jobs/{delivered.id}/results/mip_coronal.png" in shown


def test_the_page_of_an_empty_service_says_where_to_send(client):
    page = client.get("/").text
    assert "Nothing has arrived yet" in page
    assert "OSTEON" in page


def test_a_held_job_can_be_tried_again_from_its_page(client, store, open_job):
    job = open_job(3)
    store.hold(job, Failure("PEER_REFUSED", "the PACS refused it"))
    assert "Try again" in client.get(f"/jobs/{job.id}").text
    page = f"/studies/{job.study_uid}/runs/{job.id}"
    assert client.get(f"/jobs/{job.id}", follow_redirects=False).headers["location"] == page
    answer = client.post(f"{page}/retry", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, page)
    assert store.job(job.id).state is JobState.QUEUED


def test_pages_load_nothing_from_elsewhere_and_run_no_inline_script(client, delivered):
    for url in ("/", f"/jobs/{delivered.id}", "/static/console.css", "/api/v1/jobs", "/nowhere"):
        answer = client.get(url)
        policy = answer.headers["content-security-policy"].split("; ")
        assert {"default-src 'none'", "script-src 'self'", "style-src 'self'"} <= set(policy)
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "http://" not in answer.text
        assert "https://" not in answer.text
        assert re.findall(r"<script(?! src=\"/static/)", answer.text) == []
        assert re.findall(r"<style|\sstyle=|\son[a-z]+=", answer.text) == []


def test_openapi_is_where_it_is_said_to_be_and_the_stock_pages_are_off(client):
    document = client.get("/api/v1/openapi.json").json()
    assert "/api/v1/jobs/{job_id}/events/stream" in document["paths"]
    assert client.get("/redoc").status_code == 404


def test_a_study_is_measured_again_and_workers_are_told(client, site, delivered):
    told = []
    client.app.state.site = replace(site, submit=told.append)
    answer = client.post(f"/api/v1/studies/{delivered.study_uid}/reprocess")
    assert answer.status_code == 202
    assert (answer.json()["revision"], answer.json()["state"]) == (2, "queued")
    assert told == [answer.json()["id"]]
    again = client.post(f"/api/v1/studies/{delivered.study_uid}/reprocess")
    assert_problem(again, 409, "ILLEGAL_MOVE")
    assert_problem(client.post("/api/v1/studies/1.2.3/reprocess"), 404, "UNKNOWN_STUDY")
    assert client.get(f"/api/v1/jobs/{delivered.id}").json()["superseded_by"] == 2
