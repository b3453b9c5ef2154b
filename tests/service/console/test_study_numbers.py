"""A number of a measured study is the same on the page, in JSON, CSV, structured report and PDF."""

import io
import json
import re
import zipfile
from decimal import Decimal

import numpy as np
import pydicom
import pytest
from PIL import Image

from service.api.app import create_app
from tests.browser import told_numbers
from tests.service.console.html_tree import read
from tests.service.console.measured_visits import CANARIES, measure_visits
from tests.service.web import TestClient

READERS = {
    "measurements.json": lambda path: told_numbers.from_json(path.read_text(encoding="utf-8")),
    "lesions.csv": lambda path: told_numbers.from_csv(path.read_text(encoding="utf-8")),
    "sr.dcm": told_numbers.from_sr,
    "report.pdf": told_numbers.from_pdf,
}
VISITS = ("baseline", "follow_up")


@pytest.fixture(scope="module")
def visits(tmp_path_factory):
    made = measure_visits(tmp_path_factory.mktemp("visits"))
    yield made
    made.store.close()


@pytest.fixture(scope="module")
def client(visits):
    with TestClient(create_app(visits.site)) as opened:
        yield opened


def page_of(client, job):
    answer = client.get(f"/studies/{job.study_uid}/runs/{job.id}")
    assert answer.status_code == 200
    return answer.text


def texts_of(html):
    """Return the text of every element with a `data-testid`."""
    named = (one for one in read(html).all() if "data-testid" in one.attributes)
    return {one.attributes["data-testid"]: one.text for one in named}


def elements_of(html, tag):
    """Return the attributes of every element of a kind."""
    return [one.attributes for one in read(html).all(tag)]


def file_of(visits, job, name):
    [result] = [r for r in visits.store.results(job.id) if r.name == name]
    return visits.site.results_dir / result.path


def agrees(shown, number):
    """Whether what is shown is the number, rounded to as many decimals as are shown.

    Pages show what the document holds, which was rounded once before: an ADC to a tenth of what
    is shown, so that 1565.48 in the structured report is 1565.5 there and 1566 here.
    """
    if number is None:
        return shown == "\N{EN DASH}"
    unit = Decimal(1).scaleb(Decimal(shown).as_tuple().exponent)
    return abs(Decimal(shown) - Decimal(str(number))) <= unit / 2 + unit / 20


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("which", VISITS)
def test_the_page_says_what_every_result_says(visits, client, which, name):
    job = getattr(visits, which)
    shown = texts_of(page_of(client, job))
    told = READERS[name](file_of(visits, job, name))
    compared = {testid for testid in told if testid in shown}
    for testid in compared:
        assert agrees(shown[testid], told[testid]), testid
    assert compared >= {"tdv-ml", "gadc-um2-s", "n-lesions"}
    for level in ("region-", "lesion-"):
        assert any(testid.startswith(level) for testid in compared)


@pytest.mark.parametrize("which", VISITS)
def test_every_number_of_the_document_is_on_the_page(visits, client, which):
    job = getattr(visits, which)
    shown = texts_of(page_of(client, job))
    told = told_numbers.from_json(file_of(visits, job, "measurements.json").read_text())
    assert set(told) <= set(shown)
    assert told["tdv-ml"] > 0


def test_the_changes_of_the_page_are_those_of_the_report(visits, client):
    job = visits.follow_up
    shown = texts_of(page_of(client, job))
    printed = told_numbers.pdf_text(file_of(visits, job, "report.pdf"))
    document = json.loads(file_of(visits, job, "measurements.json").read_text())
    (prior,) = document["priors"]
    percent = prior["delta"]["tdv_ml"]["percent"]
    assert shown["tdv-ml-change"].startswith(f"{percent:+.0f} %")
    for testid in ("tdv-ml-change", "gadc-um2-s-change", "n-lesions-change"):
        assert shown[testid] in printed, testid
    for region in ("pelvis", "lumbar_spine"):
        assert shown[f"region-{region}-volume-change"] in printed


def test_the_earlier_study_is_beside_it_and_one_step_away(visits, client):
    html = page_of(client, visits.follow_up)
    assert f"/studies/{visits.baseline.study_uid}/runs/{visits.baseline.id}" in html
    assert "earlier study" in html  # the outline of the histogram


def test_frames_of_the_turn_are_those_of_the_pacs(visits, client):
    job = visits.baseline
    sent = pydicom.dcmread(file_of(visits, job, "mip_overlay.dcm")).pixel_array
    html = page_of(client, job)
    figure = next(f for f in elements_of(html, "figure") if f.get("class") == "turning")
    columns, height, width = int(figure["data-columns"]), *sent.shape[1:3]
    address = next(one["href"] for one in elements_of(html, "image") if "overlay" in one["class"])
    answer = client.get(address)
    assert answer.headers["content-type"] == "image/webp"
    sheet = np.asarray(Image.open(io.BytesIO(answer.content)).convert("RGB")).astype(int)
    for frame in (0, 17, 59):
        row, column = divmod(frame, columns)
        shown = sheet[row * height : (row + 1) * height, column * width : (column + 1) * width]
        assert np.abs(shown - sent[frame]).mean() < 6.0  # WebP is lossy
    other = sheet[:height, :width]
    assert np.abs(other - sent[30]).mean() > np.abs(other - sent[0]).mean()


def test_lesions_are_sorted_by_a_link_and_point_into_the_images(visits, client):
    job = visits.follow_up
    here = f"/studies/{job.study_uid}/runs/{job.id}"
    for order, key in (("volume", lambda v: -v), ("adc", lambda v: -v)):
        html = client.get(f"{here}?lesions={order}").text
        shown = texts_of(html)
        rows = [given["data-lesion"] for given in elements_of(html, "tr") if "data-lesion" in given]
        suffix = {"volume": "volume-ml", "adc": "adc-median-um2-s"}[order]
        values = [float(shown[f"lesion-{n}-{suffix}"]) for n in rows if f"lesion-{n}" in shown]
        assert values == sorted(values, key=key)
        links = {given.get("href") for given in elements_of(html, "a")}
        assert {f"{here}/slices?lesion={n}" for n in rows if f"lesion-{n}" in shown} <= links
    assert client.get(f"{here}?lesions=x").status_code == 422


def test_new_and_gone_lesions_are_marked(visits, client):
    job = visits.follow_up
    document = json.loads(file_of(visits, job, "measurements.json").read_text())
    (prior,) = document["priors"]
    shown = texts_of(page_of(client, job))
    new = {n for t in prior["tracks"] if t["state"] == "new" for n in t["current"]}
    marked = {testid.split("-")[1] for testid, text in shown.items()
              if re.fullmatch(r"lesion-L\d+-mark", testid) and text == "new"}  # fmt: skip
    assert marked == new
    gone = [t["tracking_id"] for t in prior["tracks"] if t["state"] == "resolved"]
    assert all(name in shown["lesions-gone"] for name in gone)


def test_nothing_of_the_patient_is_in_title_address_or_bundle(visits, client):
    for job in (visits.baseline, visits.follow_up):
        html = page_of(client, job)
        assert "ZEBRAFINCH" in texts_of(html)["who"]  # the name is there where it belongs
        assert "<script>alert" not in html
        title = read(html).one("head").one("title").text
        places = [v for tag in ("a", "img", "image", "form", "link", "script")
                  for given in elements_of(html, tag) for v in given.values()]  # fmt: skip
        for canary in CANARIES:
            assert canary not in title
            assert not any(canary in place for place in places if place)
        answer = client.get(f"/studies/{job.study_uid}/runs/{job.id}/support.zip")
        with zipfile.ZipFile(io.BytesIO(answer.content)) as bundle:
            files = {name: bundle.read(name).decode() for name in bundle.namelist()}
        everything = "\n".join([answer.headers["content-disposition"], *files, *files.values()])
        for canary in (*CANARIES, job.study_uid, "2025-01-15", "20250115"):
            assert canary not in everything
        assert json.loads(files["run.json"])["state"] == "delivered"
        assert [s["code"] for s in json.loads(files["series.json"]) if not s["used"]]
        assert json.loads(files["versions.json"])["measured_by"]["models"]
        assert "encode" in json.loads(files["stages.json"])
        assert len(json.loads(files["events.json"])) > 10
