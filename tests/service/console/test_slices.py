"""The page of slices without a browser; `tests/browser/test_slices.py` looks at the pixels."""

import html
import json
import re
from dataclasses import replace

import pytest

from imaging.anatomy import STRUCTURES
from report.adc_classes import CLASSES
from tests.service.measured import deliver, made_results


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return made_results(tmp_path_factory.mktemp("run"))


@pytest.fixture
def kept(store, open_job, tmp_path, made):
    job = open_job()
    return job, deliver(store, job, tmp_path / "results", made)


def address(job):
    return f"/studies/{job.study_uid}/runs/{job.id}/slices"


def page(client, job, query=""):
    answer = client.get(address(job) + query)
    assert answer.status_code == 200
    return answer.text


def test_it_has_a_control_for_every_image_label_and_probability(client, kept):
    job, _ = kept
    text = page(client, job)
    for name in ("image-high-b", "image-adc", "image-computed", "computed-b", "window-low"):
        assert f'data-testid="{name}"' in text
    for structure in STRUCTURES[1:]:
        assert f'data-testid="label-{structure.name}"' in text
    ticked = re.findall(r'value="(\d+)"[^>]*checked data-testid="label-(\w+)"', text)
    assert [name for _, name in ticked] == [one.name for one in CLASSES]
    assert [int(value) for value, _ in ticked] == [21, 22, 23]  # after the 20 structures
    assert re.search(r'value="24"[^>]*data-testid="label-focal"', text)
    offered = re.findall(r'<option value="(probability_\w+\.nii\.gz)">(\w+)</option>', text)
    assert [name for _, name in offered] == ["skeleton", "organs", "canal", "disease"]
    assert "below 900 µm²/s" in text


def test_lesions_can_be_jumped_to_and_have_their_place_in_the_document(client, kept, made):
    job, _ = kept
    text = page(client, job, "?lesion=L02")
    _, _, folder = made
    document = json.loads((folder / "measurements.json").read_text(encoding="utf-8"))
    listed = dict(re.findall(r'data-lesion="(\w+)" data-mm="([^"]+)"', text))
    for lesion in (*document["lesions"], *document["focal"]["lesions"]):
        assert [float(v) for v in listed[lesion["name"]].split()] == lesion["centroid_mm"]
    assert 'data-lesion="L02"' in text
    assert re.search(r'href="\?lesion=L02"[^>]*aria-current="true"', text)
    assert "no-such-lesion" not in text
    assert "no-such-lesion" in page(client, job, "?lesion=L99")
    assert client.get(address(job) + "?lesion=<script>").status_code == 422


def test_everything_that_it_refers_to_is_there(client, kept):
    job, _ = kept
    text = page(client, job, "?lesion=L01")
    links = [html.unescape(a) for a in re.findall(r'(?:src|href)="(/[^"]*)"', text)]
    ours = [a for a in links if "/results" in a or "/static/" in a]
    assert len(ours) > 15
    for link in ours:
        answer = client.get(link)
        assert answer.status_code == 200, link
    files = re.search(r'data-files="([^"]+)"', text)[1]
    for row in client.get(f"{files}/volumes.json").json()["volumes"]:
        assert client.get(f"{files}/{row['file']}").content[:2] == b"\x1f\x8b"


def test_the_viewer_is_loaded_here_and_nowhere_else(client, kept):
    job, _ = kept
    text = page(client, job)
    assert re.search(r'<script type="module" src="/static/\w+/slices\.js"></script>', text)
    assert "niivue" not in client.get("/").text
    script = client.get(re.search(r'src="(/static/\w+)/slices\.js"', text)[1] + "/slices.js").text
    imported = re.findall(r'from "(\./[^"]+)"', script)
    assert imported == ["./vendor/niivue/index.js", "./volumes.js"]
    assert not re.search(r"\beval\(|new Function|https?://", script)


def test_it_keeps_to_the_content_policy(client, kept):
    job, _ = kept
    answer = client.get(address(job))
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"<style|\sstyle=|<script(?![^>]*\ssrc=)|\son\w+=", answer.text)
    assert "RESEARCH USE ONLY" in answer.text


def test_without_a_script_it_shows_still_images_and_downloads(client, kept):
    job, _ = kept
    text = page(client, job)
    assert "needs JavaScript and WebGL 2" in text
    assert re.search(r'<section id="slices"[^>]*hidden', text)
    assert not re.search(r'<section id="stills"[^>]*hidden', text)
    assert text.count('data-testid="still"') == 2
    assert f'href="/api/v1/jobs/{job.id}/results.zip"' in text


def test_a_run_that_kept_no_volumes_says_so_and_offers_the_rest(
    client, store, open_job, tmp_path, made
):
    job = open_job()
    findings, files, folder = made
    left = tuple(file for file in files if not file.kind.startswith("volume"))
    deliver(store, job, tmp_path / "results", (findings, left, folder))
    text = page(client, job)
    assert 'data-testid="no-volumes"' in text
    assert "results.volumes" in text
    assert "slices.js" not in text
    assert 'data-testid="still"' in text
    assert 'data-testid="places"' in text


def test_a_run_whose_table_is_gone_is_like_one_without_volumes(client, kept, tmp_path):
    job, files = kept
    [table] = [file for file in files if file.name == "volumes.json"]
    (tmp_path / "results" / table.path).unlink()
    assert 'data-testid="no-volumes"' in page(client, job)


def test_a_run_that_measured_nothing_has_a_page(client, rejected):
    text = page(client, rejected)
    assert 'data-testid="no-volumes"' in text
    assert "No lesion was found" in text


def test_a_run_of_another_study_is_not_shown(client, kept):
    job, _ = kept
    other = replace(job, study_uid="2.25.999")
    answer = client.get(address(other))
    assert answer.status_code == 404
