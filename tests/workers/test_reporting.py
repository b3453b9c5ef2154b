"""The report of a run: its objects, what a site leaves out, a machine that cannot make it."""

import io
import json
import sys
from dataclasses import replace
from datetime import UTC, datetime

import pydicom
import pypdf
import pytest

from dicom_objects.reading.diffusion import read_study
from dicom_objects.scanner.study import Identity, write_study
from report import pdf as report_pdf_module
from tests.dicom_objects.conftest import make_acquisition, make_content
from tests.workers.conftest import BUILD
from workers.encoding import Findings, Run, encode, uid_seed
from workers.reporting import report_notes

MARKED = Identity(
    patient_name="ZEBRAFINCH^CANARY", patient_id="ZF-77-ID", accession_number="ZFACCESSION"
)
RUN = Run("run-1", datetime(2026, 3, 1, 12, tzinfo=UTC), "ab" * 32, BUILD)
REPORT_KINDS = {"report", "mip_series", "mip_overlay", "pdf", "sc"}


@pytest.fixture(scope="module")
def findings(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    files = write_study(make_acquisition(2), folder, MARKED, distractors=False)
    made = make_content(read_study(files))
    return Findings(
        study=made.study,
        assembly=made.assembly,
        fit=made.fit,
        labels=made.labels,
        lesion_labels=made.lesion_labels,
        measurement=made.measurement,
        quality=made.quality,
        models=(),
        burden=made.provenance.burden,
        normalisation="spinal cord",
        started_at=datetime(2026, 3, 1, 12, tzinfo=UTC),
    )


@pytest.fixture(scope="module")
def encoded(findings, tmp_path_factory):
    folder = tmp_path_factory.mktemp("out")
    return encode(findings, RUN, folder, {}), folder


def kinds(files):
    return [file.kind for file in files if file.kind in REPORT_KINDS]


def test_a_run_leaves_the_report_and_its_objects(encoded):
    files, folder = encoded
    assert kinds(files) == ["report", "mip_series", "mip_overlay", "pdf", "sc"]
    report = next(file for file in files if file.kind == "report")
    assert (report.name, report.media_type) == ("report.pdf", "application/pdf")
    assert report.sop_instance_uid is None  # a file of this machine; the object is another
    sent = next(file for file in files if file.kind == "pdf")
    wrapped = pydicom.dcmread(folder / sent.path)
    length = wrapped.EncapsulatedDocumentLength
    assert wrapped.EncapsulatedDocument[:length] == (folder / "report.pdf").read_bytes()


def test_the_pdf_says_the_numbers_of_the_document_and_whose_they_are(encoded):
    _, folder = encoded
    [page] = pypdf.PdfReader(io.BytesIO((folder / "report.pdf").read_bytes())).pages
    said = " ".join(page.extract_text().split())
    document = json.loads((folder / "measurements.json").read_text(encoding="utf-8"))
    totals = document["totals"]
    for text in (f"{totals['tdv_ml']:.1f}", f"{totals['adc_um2_s']['median']:.0f}",
                 "ZEBRAFINCH, CANARY", "ZF-77-ID", "ZFACCESSION",
                 "2026-03-01 12:00 UTC"):  # fmt: skip
        assert text in said, text
    for region in document["regions"]:
        if region["disease_volume_ml"]:
            assert f"{region['disease_volume_ml']:.1f}" in said


def test_the_same_run_gives_the_same_bytes(encoded, findings, tmp_path):
    files, _ = encoded
    again = encode(findings, RUN, tmp_path, {"read": 1.0})
    digests = {file.name: file.sha256 for file in again if file.kind in REPORT_KINDS}
    assert digests == {file.name: file.sha256 for file in files if file.kind in REPORT_KINDS}


@pytest.mark.parametrize(
    ("change", "left"),
    [
        ({"pdf": False}, ["report", "mip_series", "mip_overlay", "sc"]),
        ({"secondary_capture": False}, ["report", "mip_series", "mip_overlay", "pdf"]),
        ({"mip": False}, ["report", "pdf", "sc"]),
    ],
)
def test_a_site_leaves_out_what_its_pacs_does_not_take(findings, tmp_path, change, left):
    files = encode(findings, replace(RUN, build=replace(BUILD, **change)), tmp_path, {})
    assert kinds(files) == left


def test_without_the_library_a_study_is_delivered_and_a_note_says_why(
    findings, tmp_path, monkeypatch, caplog
):
    monkeypatch.setitem(sys.modules, "weasyprint", None)  # importing it fails
    report_pdf_module._weasyprint.cache_clear()
    try:
        [note] = report_notes()
        noted = replace(findings, quality=(*findings.quality, note))
        files = encode(noted, RUN, tmp_path, {})
    finally:
        monkeypatch.undo()
        report_pdf_module._weasyprint.cache_clear()
    assert note.code == "REPORT_LIBRARY"
    assert "libpango-1.0-0" in note.text
    assert "REPORT_LIBRARY" in caplog.text
    assert kinds(files) == ["mip_series", "mip_overlay"]
    assert {"sr", "adc", "measurements"} <= {file.kind for file in files}
    assert uid_seed(noted, RUN) != uid_seed(findings, RUN)
    document = json.loads((tmp_path / "measurements.json").read_text(encoding="utf-8"))
    assert "REPORT_LIBRARY" in [one["code"] for one in document["quality"]]
    assert report_notes() == ()


def test_what_identifies_the_patient_is_in_the_report_and_in_no_log(findings, tmp_path, caplog):
    with caplog.at_level("DEBUG"):
        encode(findings, RUN, tmp_path, {})
    for canary in ("ZEBRAFINCH", "ZF-77-ID", "ZFACCESSION"):
        assert canary not in caplog.text.upper()
        for name in ("measurements.json", "lesions.csv"):
            assert canary not in (tmp_path / name).read_text(encoding="utf-8")
