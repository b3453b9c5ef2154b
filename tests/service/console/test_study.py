"""The Study screen of what waits, runs, was rejected or failed; comments; what a person can do."""

import hashlib
import io
import json
import subprocess
import sys
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from jobs.errors import EmptyComment
from jobs.job import Failure, JobState, Stage
from jobs.result import ResultFile
from jobs.study import input_digest
from report.sprite import sprite
from service.api.app import create_app
from service.console.turning import turning_bodies
from tests.service.console.conftest import BROWSER
from tests.service.console.html_tree import read
from tests.service.web import TestClient
from workers.advice import ADVICE

SERIES = {
    "series_uid": "2.25.201",
    "series_number": 7,
    "description": "ZEBRAFINCH knee",
    "n_instances": 3,
    "role": "not diffusion",
    "b_values": [],
    "used": False,
    "code": "NO_DIFFUSION",
    "reason": "no <b>b-value</b>.",
}
OUT_OF_MEMORY = Failure("OUT_OF_MEMORY", "the job needs more memory", Stage.ANATOMY)


def page(client, address):
    answer = client.get(address, headers=BROWSER)
    assert answer.status_code == 200
    return read(answer.text)


def address(job):
    return f"/studies/{job.study_uid}/runs/{job.id}"


def of(job):
    return f"/studies/{job.study_uid}"


@pytest.fixture
def keep(store, tmp_path):
    """Keep one DICOM object as the result of a job."""

    def kept(job, name="seg_1.dcm"):
        content = b"DICM synthetic"
        path = tmp_path / "results" / job.id / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        uids = ("1.2.840.10008.5.1.4.1.1.66.4", f"2.25.9{int(job.id[:6], 16)}", "2.25.901")
        where = f"{job.id}/{name}"
        result = ResultFile("seg", name, "application/dicom", where, digest, *uids)
        store.keep_results(job, [result])
        return result

    return kept


def test_a_study_that_arrives_says_how_much_is_there(client, arrive):
    uid = arrive(1)
    shown = page(client, f"/studies/{uid}")
    assert shown.one(testid="state").text == "arriving"
    assert shown.one(testid="arrived").text == "1"
    part = client.get(f"/studies/{uid}/progress").text
    assert "Images are arriving" in part
    assert "<html" not in part


def test_a_run_shows_its_stages_and_is_redrawn_by_its_stream(client, store, begin):
    job = begin(1)
    store.leave_stage(job, Stage.READ, 1.5)
    store.enter_stage(job, Stage.ANATOMY)
    store.progress(job, 0.5)
    shown = page(client, of(job))
    assert "1.5 s" in shown.one(testid="stage-read").text
    now = shown.one(testid="stage-anatomy")
    assert now.attributes["aria-current"] == "step"
    assert "50 %" in now.text
    live = shown.one(testid="progress").attributes
    assert live["sse-connect"] == f"/api/v1/jobs/{job.id}/events/stream"
    assert live["hx-get"] == f"{of(job)}/progress"
    part = read(client.get(live["hx-get"]).text)
    assert "50 %" in part.one(testid="stage-anatomy").text
    store.fail(job, OUT_OF_MEMORY)
    ended = read(client.get(live["hx-get"]).text)
    assert next(ended.all("p")).attributes["hx-get"] == of(job)  # the rest of the page follows


def test_a_rejected_study_says_why_for_every_series(client, store, begin):
    job = begin(2, "Doe^Jane")
    store.keep_summary(job, {"series": [SERIES]})
    store.reject(job, Failure("NO_DIFFUSION", "No diffusion images were sent", Stage.READ))
    shown = page(client, of(job))
    assert shown.one(testid="failure-message").text == "No diffusion images were sent"
    assert shown.one(testid="failure-code").text == "NO_DIFFUSION"
    assert shown.one(testid="failure-stage").text == "read"
    assert shown.one(testid="failure-advice").text == ADVICE["NO_DIFFUSION"]
    assert shown.one(testid="trace-id").text == job.id
    row = shown.one("table", testid="series").text
    assert "no <b>b-value</b>. NO_DIFFUSION" in row
    assert not list(shown.all(testid="retry"))  # the same images would be rejected again
    assert list(shown.all(testid="process-again"))


def test_a_failed_run_is_tried_again_by_its_button(client, store, begin):
    job = begin(3)
    store.fail(job, Failure("INTERNAL", "a defect of Osteon (KeyError)", Stage.FIT))
    shown = page(client, address(job))
    form = next(f for f in shown.all("form") if f.attributes["action"] == f"{address(job)}/retry")
    assert form.attributes["method"] == "post"
    answer = client.post(form.attributes["action"], follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, address(job))
    assert store.job(job.id).state is JobState.QUEUED


def test_a_bundle_for_support_names_nobody(client, store, begin):
    job = begin(4, "ZEBRAFINCH^Anna")
    store.keep_summary(job, {"series": [SERIES]})
    store.add_comment(job.id, "reader", "ZEBRAFINCH was here before")
    store.fail(job, replace(OUT_OF_MEMORY, message=f"study {job.study_uid} is too large"))
    answer = client.get(f"{address(job)}/support.zip")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as bundle:
        files = {name: bundle.read(name).decode() for name in bundle.namelist()}
    everything = "\n".join([str(answer.headers), *files, *files.values()])
    for secret in ("ZEBRAFINCH", "Anna", "ID-4", "ACC-4", job.study_uid, "2.25.201"):
        assert secret not in everything
    run = json.loads(files["run.json"])
    assert run["failure"]["code"] == "OUT_OF_MEMORY"
    assert run["failure"]["what_to_do"] == ADVICE["OUT_OF_MEMORY"]
    (series,) = json.loads(files["series.json"])
    assert (series["code"], series["series_number"]) == ("NO_DIFFUSION", 7)
    assert [event["kind"] for event in json.loads(files["events.json"])][-1] == "failed"
    assert client.get(f"{address(job)}/support.zip").content == answer.content


def test_what_a_reader_writes_is_kept_shown_and_escaped(client, store, deliver):
    job = deliver(5)
    text = "Rib 7 <img src=x onerror=alert(1)>\nsee T2"
    answer = client.post(
        f"{address(job)}/comments", data={"text": text, "assessment": "RAC 2"},
        follow_redirects=False,
    )  # fmt: skip
    assert (answer.status_code, answer.headers["location"]) == (303, f"{address(job)}#comments")
    html = client.get(address(job), headers=BROWSER).text
    assert "<img src=x" not in html
    said = read(html).one(testid="comment").text
    for part in ("local", "RAC 2", "Rib 7 <img src=x onerror=alert(1)> see T2"):
        assert part in said
    [kept] = store.comments(job.study_uid)
    assert (kept.text, kept.assessment, kept.author) == (text, "RAC 2", "local")
    assert "Rib 7" not in repr(kept)
    with pytest.raises(EmptyComment):
        store.add_comment(job.id, "reader", " \x00 ")
    empty = client.post(f"{address(job)}/comments", data={"text": " "})
    assert (empty.status_code, empty.json()["code"]) == (422, "EMPTY_COMMENT")


def test_runs_stand_beside_each_other_and_the_older_says_so(client, deliver):
    job = deliver(6)
    answer = client.post(f"{of(job)}/reprocess", follow_redirects=False)
    newest = answer.headers["location"]
    assert newest != address(job)
    old = page(client, address(job))
    assert newest in old.one(testid="superseded").one("a").attributes["href"]
    assert not list(old.all(testid="process-again"))
    assert old.one(testid="revision").text.startswith("1 of 2")
    rows = [
        " ".join(c.text for c in r.all("td")) for r in old.one("table", testid="runs").all("tr")
    ]
    assert "measured again" in rows[1]
    assert "the study arrived" in rows[2]
    assert page(client, of(job)).one(testid="revision").text.startswith("2 of 2")


def test_more_images_make_a_run_for_their_own_reason(client, store, arrive, deliver):
    job = deliver(7)
    arrive(7)
    assert page(client, address(job)).one(testid="more-arrives")
    store.open_revision(job.study_uid, input_digest(store.instances(job.study_uid)))
    rows = page(client, address(job)).one("table", testid="runs").text
    assert "more images arrived" in rows


def test_a_run_of_another_study_is_not_found(client, deliver):
    job, other = deliver(8), deliver(9)
    for path in ("", "/support.zip"):
        answer = client.get(f"/studies/{other.study_uid}/runs/{job.id}{path}")
        assert (answer.status_code, answer.json()["code"]) == (404, "UNKNOWN_JOB")
    assert client.post(f"/studies/{other.study_uid}/runs/{job.id}/comments").status_code == 404


def test_files_say_what_they_are_how_large_and_where_they_went(site, store, begin, keep):
    with TestClient(create_app(replace(site, destinations=("PACS",)))) as client:
        _files_and_sending_again(client, store, begin(1), keep)


def _files_and_sending_again(client, store, job, keep):
    result = keep(job)
    store.expect_delivery(job, "PACS")
    store.mark_sent(job, result.sop_instance_uid, "PACS", 0)
    store.deliver(job)
    shown = page(client, of(job))
    row = shown.one("table", testid="files").text
    for part in ("seg_1.dcm", "segmentation (DICOM SEG)", "14 B", result.sha256[:16], "PACS: sent"):
        assert part in row
    assert "PACS : 1 sent" in shown.one(testid="deliveries").text
    answer = client.post(f"{address(job)}/send", follow_redirects=False)
    assert answer.status_code == 303
    assert store.job(job.id).state is JobState.QUEUED
    assert {d.status for d in store.deliveries(job.id)} == {"queued"}


def test_numbers_that_were_changed_on_disk_are_not_shown(client, store, begin, tmp_path):
    job = begin(2)
    (tmp_path / "results").mkdir()
    (tmp_path / "results/measurements.json").write_text('{"schema_version": "2.4"}')
    digest = hashlib.sha256(b"{}").hexdigest()
    where = ("measurements", "measurements.json", "application/json", "measurements.json", digest)
    store.keep_results(job, [ResultFile(*where)])
    store.deliver(job)
    assert "it was changed" in page(client, of(job)).one(testid="document-gone").text


def test_the_earlier_study_turns_beside_this_one_at_one_scale(site, store, begin, tmp_path):
    job = begin(3)
    (tmp_path / "results").mkdir()
    results = []
    for name, shape in (("turn", (60, 40, 20)), ("turn_prior", (60, 44, 18))):
        for which in ("plain", "overlay"):
            content = sprite(np.full(shape, 200, np.uint8))
            file = f"{name}_{which}.webp"
            (tmp_path / "results" / file).write_bytes(content)
            digest = hashlib.sha256(content).hexdigest()
            results.append(ResultFile("turn", file, "image/webp", file, digest))
    store.keep_results(job, results)
    turning = turning_bodies(site, job.id, results, "2025-01-15")
    now, before = turning.bodies
    assert (now.width, now.height, before.width, before.height) == (20, 40, 18, 44)
    assert before.x > now.width  # in one drawing, so at one scale
    assert turning.height == turning.top + 44
    assert "2025-01-15, same window" in before.caption
    assert before.overlay == f"/api/v1/jobs/{job.id}/results/turn_prior_overlay.webp"
    (tmp_path / "results/turn_prior_plain.webp").unlink()
    assert len(turning_bodies(site, job.id, results, "").bodies) == 1
    assert turning_bodies(site, job.id, (), "") is None


def test_the_console_needs_no_library_that_makes_results():
    """The image of the web server has none of these."""
    heavy = ("weasyprint", "torch", "SimpleITK", "scipy", "highdicom", "pypdfium2", "tritonclient")
    code = f"import sys, service.api.app; print([m for m in {heavy} if m in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
