"""The one-page report: what stands on it, and the file that it becomes."""

from __future__ import annotations

import io
import json
import sys
from dataclasses import replace

import numpy as np
import pikepdf
import pypdf
import pytest

from imaging.geometry import Geometry
from imaging.quality import QualityNote
from imaging.response import (
    Change,
    Comparison,
    LesionCounts,
    LesionTrack,
    PriorComparison,
    RegionChange,
    TimePoint,
)
from imaging.response_limits import Limit
from report import fragments, pdf
from report.content import ReportImages
from report.documents import measurements_document, measurements_json
from report.lesion_choice import choose_lesions
from report.page import Page, page_figures, report_html
from report.page_image import page_images
from report.patient import NAME_NOT_PRINTABLE, PatientText
from report.pdf import ReportLibraryMissing, UnknownAddress, report_pdf

PATIENT = PatientText(
    names=("Müller-Łukasz, Анна",),
    patient_id="PID-0815",
    birth_date="19550203",
    sex="F",
    accession_number="ACC-77",
    study_date="20260301",
    scanner="SIEMENS Aera",
    field_strength_t=1.5,
)


@pytest.fixture
def page(content, images):
    document = measurements_document(content)
    figures = page_figures(content, images)
    return Page(document, figures, "2026-03-01T12:00:05+00:00", PATIENT)


@pytest.fixture
def made(page):
    return report_pdf(page)


def words(made):
    return " ".join(
        " ".join(p.extract_text() for p in pypdf.PdfReader(io.BytesIO(made)).pages).split()
    )


def test_the_order_is_that_of_a_reading(page):
    html = report_html(page)
    marks = ["RESEARCH USE ONLY", "Patient ID", "Total diffusion volume", "<figure>",
             "Volume of disease by ADC", "Over time",
             'class="regions"', 'class="lesions"', 'class="notes"', 'class="method"',
             'class="reader"']  # fmt: skip
    places = [html.index(mark) for mark in marks]
    assert places == sorted(places)


def test_it_is_one_page_with_the_numbers_of_the_document(made, page):
    said = words(made)
    assert len(pypdf.PdfReader(io.BytesIO(made)).pages) == 1
    totals = page.document["totals"]
    for number in (f"{totals['tdv_ml']:.1f}", f"{totals['adc_um2_s']['median']:.0f}"):
        assert number in said
    for text in ("Müller-Łukasz, Анна", "PID-0815", "1955-02-03, female", "ACC-77", "2026-03-01",
                 "SIEMENS Aera, 1.5 T", "signal step of 3 %", "no earlier study", "PARTIAL BODY",
                 "not covered: Skull", "run run-1", "burden by the rule"):  # fmt: skip
        assert text in said, text
    assert said.count("RESEARCH USE ONLY") >= 2


def test_the_page_made_from_the_file_is_the_page_made_at_once(page, content):
    read_back = json.loads(measurements_json(content))
    assert report_html(replace(page, document=read_back)) == report_html(page)


def test_the_same_run_gives_the_same_bytes(page, made, monkeypatch):
    monkeypatch.setattr("time.time", lambda: 2e9)
    assert report_pdf(page) == made
    other = {**page.document, "fit": "another"}
    assert report_pdf(replace(page, document=other)) != made


def test_it_is_what_an_archive_asks_for(made):
    """PDF/A-3u, as far as it can be read from the file without a validator (ISO 19005-3)."""
    with pikepdf.open(io.BytesIO(made)) as file:
        assert file.check_pdf_syntax() == []
        assert not file.is_encrypted
        with file.open_metadata() as metadata:
            assert metadata.pdfa_status == "3U"
            assert metadata["xmp:CreateDate"].startswith("2026-03-01T12:00:05")
        [intent] = file.Root.OutputIntents
        assert intent.S == "/GTS_PDFA1"
        assert len(intent.DestOutputProfile.read_bytes()) > 400
        assert "/Names" not in file.Root or "/JavaScript" not in file.Root.Names
        assert len(file.trailer.ID) == 2
        for part in file.objects:
            if not isinstance(part, pikepdf.Dictionary | pikepdf.Stream):
                continue
            assert part.get("/S") not in ("/JavaScript", "/Launch", "/URI")
            if part.get("/Type") == "/FontDescriptor":
                assert {"/FontFile2", "/FontFile3"} & set(part.keys())
            if part.get("/Type") == "/Font":
                assert "/ToUnicode" in part or part.Subtype != "/Type0"
            if part.get("/Filter") is not None:
                assert "/LZWDecode" not in str(part.Filter)


def test_only_fonts_of_the_package_are_in_it(made):
    with pikepdf.open(io.BytesIO(made)) as file:
        fonts = {
            str(part.BaseFont).partition("+")[2]
            for part in file.objects
            if isinstance(part, pikepdf.Dictionary) and part.get("/Type") == "/Font"
        }
    assert fonts == {"Osteon-Semi-Condensed", "Osteon-Bold-Semi-Condensed"}


@pytest.mark.parametrize(
    "address",
    ["http://127.0.0.1:9/x.png", "file:///etc/hostname", "data:image/png;base64,AA", "other.png"],
)
def test_nothing_outside_the_page_is_fetched(page, monkeypatch, address):
    html = report_html(page).replace("pictures/plain.png", address)
    monkeypatch.setattr(pdf, "report_html", lambda *_: html)
    with pytest.raises(UnknownAddress, match="nothing was fetched"):
        report_pdf(page)


@pytest.mark.parametrize("name", ["<img src=x onerror=alert(1)>", "A & B <script>1</script>"])
def test_what_a_header_says_is_text_and_never_markup(page, name):
    html = report_html(replace(page, patient=replace(PATIENT, names=(name,))))
    assert name not in html
    assert "&lt;" in html


def test_a_name_is_printed_whole_or_not_at_all(page):
    def said(*names):
        return report_html(replace(page, patient=replace(PATIENT, names=names)))

    assert "Yamada, Tarou" in said("Yamada, Tarou", "山田, 太郎")
    assert "Wang" in said("王, 小東", "Wang")
    alone = said("王, 小東")
    assert NAME_NOT_PRINTABLE in alone
    assert "王" not in alone


def test_a_page_for_pixels_says_nothing_of_the_patient(page):
    said = words(report_pdf(replace(page, patient=None)))
    for text in ("Müller", "Анна", "PID-0815", "1955", "ACC-77", "Aera"):
        assert text not in said
    assert "see the header of this image" in said


def test_no_repr_shows_the_patient(page):
    for text in ("Müller", "PID-0815", "1955", "ACC-77", "Aera"):
        assert text not in repr(page)
        assert text not in repr(PATIENT)


def test_pixels_of_the_page_are_white_paper_with_the_red_line(made):
    [pixels] = page_images(made)
    assert pixels.shape == (1754, 1241, 3)
    assert (pixels[-5] == 255).all()
    red = np.abs(pixels.astype(int) - (0xB0, 0x00, 0x20)).max(axis=-1) < 12
    assert red[:120].sum() > 10_000
    assert red[-100:].any()


def test_the_most_that_can_be_said_fits_on_one_page(content, comparison):
    """Every region, all lesions new, more notes than are shown, limits with long sources, a tall
    and narrow body: its projections become smaller."""
    measurement = content.measurement
    long = QualityNote(
        "SIGNAL_STEP", "warning", "A sentence about the input that is long. " * 4, 0.1
    )
    regions = tuple(
        replace(measurement.regions[0], name=name)
        for name in ("skull", "cervical_spine", "thoracic_spine", "lumbar_spine", "sacrum",
                     "pelvis", "ribs", "sternum", "clavicles", "scapulae", "humerus_left",
                     "humerus_right", "femur_left", "femur_right", "whole_skeleton")
    )  # fmt: skip
    lesions = tuple(replace(measurement.lesions[0], name=f"L{k:02d}") for k in range(40))
    full = replace(
        content,
        measurement=replace(measurement, regions=regions, lesions=lesions, n_lesions=40),
        quality=(long,) * 9,
    )
    geometry = Geometry.axial((60, 20, 24), (16.0, 16.0, 16.0), (0.0, 0.0, 0.0))
    body = np.zeros(geometry.shape, np.float32)
    body[:, 4:16, 4:20] = 10.0
    tall = ReportImages(geometry, body, body * 90, body > 20)
    one = comparison.against[0]
    limit = Limit(-47.0, 89.0, "a sentence about a publication and what was assumed of it, " * 3)
    judged = replace(one.tdv, limit=limit)
    new = tuple(replace(one.tracks[1], current=(lesion.name,), volume=judged) for lesion in lesions)
    compared = replace(comparison, against=(replace(one, tdv=judged, gadc=judged, tracks=new),))
    page = Page(
        measurements_document(full), page_figures(full, tall), "2026-03-01", PATIENT, compared
    )
    made = report_pdf(page)
    assert len(pypdf.PdfReader(io.BytesIO(made)).pages) == 1
    assert " more in measurements.json" in words(made)
    assert "30 smaller ones, 30 of them new in lesions.csv" in words(made)


class NoPango:
    """Ends the import of WeasyPrint as cffi does where a library of the system is missing."""

    @staticmethod
    def find_spec(name, *_):
        if name == "weasyprint":
            message = "cannot load library 'libpango-1.0-0'"
            raise OSError(message)


def test_without_the_systems_library_one_sentence_says_what_to_install(page, monkeypatch):
    monkeypatch.delitem(sys.modules, "weasyprint", raising=False)
    monkeypatch.setattr(sys, "meta_path", [NoPango, *sys.meta_path])
    pdf._weasyprint.cache_clear()
    try:
        with pytest.raises(ReportLibraryMissing, match=r"libpango-1\.0-0") as caught:
            report_pdf(page)
    finally:
        pdf._weasyprint.cache_clear()
    assert caught.value.code == "REPORT_LIBRARY"
    assert str(caught.value).count(". ") == 0


def test_a_region_outside_the_images_has_dashes_and_no_zero(content):
    table = str(fragments.regions(measurements_document(content)))
    row = next(line for line in table.splitlines() if 'data-region="skull"' in line)
    assert row.count(">–</td>") == 7  # noqa: RUF001
    assert ">0" not in row


@pytest.fixture
def comparison():
    """Against one earlier study: TDV up beyond its limit, gADC not judged, L02 is new."""
    before = TimePoint(
        "1.2.840.0",
        "run-0",
        "2026-01-02",
        "",
        5.0,
        None,
        1,
        (5.0, 0.0, 0.0),
        "complete",
        (0.0, 5.0),
    )
    now = TimePoint(
        "1.2.840.1", "run-1", "2026-03-01", "", 10.0, 980.0, 2, (2.0, 5.0, 3.0), "complete"
    )
    tdv = Change(5.0, 10.0, Limit(-47.1, 89.2, "the pairs of this site"), "up")
    unjudged = Change(None, 980.0, why="no disease before")
    region = RegionChange("lumbar_spine", "Lumbar spine", True, "", tdv, unjudged, unjudged)
    gone = RegionChange("ribs", "Ribs", False, "not covered before", unjudged, unjudged, unjudged)
    tracks = (
        LesionTrack(
            "persistent", "L01", "2.25.1", "lumbar_spine", ("L01",), ("L01",), tdv, unjudged
        ),
        LesionTrack("new", "L02", "2.25.2", "lumbar_spine", ("L02",), (), unjudged, unjudged),
    )
    counts = LesionCounts(persistent=1, new=1, resolved=3)
    prior = PriorComparison(
        before, ("previous",), 58, True, tdv, unjudged, (), (region, gone), (), tracks, counts
    )
    return Comparison((before, now), (prior,))


def test_changes_stand_with_their_limits_and_no_conclusion(page, images, content, comparison):
    earlier = replace(images, high_b=images.high_b * 0.9)
    figures = page_figures(content, replace(images, prior=earlier))
    assert [figure.name for figure in figures][-1] == "pictures/prior.png"
    assert figures[1].width_px == figures[2].width_px  # one scale
    made = report_pdf(replace(page, comparison=comparison, figures=figures))
    said = words(made)
    for text in ("2026-01-02, 58 days before", "+100 %, beyond the limit, up (-47 to +89 %)",
                 "not judged: no disease before", "1 new, 3 no longer seen, 1 persistent",
                 "limit of TDV (-47 to +89 %): the pairs of this site", "+100 % ▲",
                 "not covered before", "Earlier study, same scale and window",
                 "Over time"):  # fmt: skip
        assert text in said, text
    assert "no earlier study" not in said
    assert len(pypdf.PdfReader(io.BytesIO(made)).pages) == 1
    for conclusion in ("respon", "progress", "stable"):
        assert conclusion not in said.lower()


def test_all_new_lesions_are_listed_beside_the_largest(content, comparison):
    lesion = content.measurement.lesions[0]
    many = tuple(
        replace(lesion, name=f"L{k:02d}", volume_ml=20.0 - k, evaluable=True) for k in range(1, 13)
    )
    document = measurements_document(
        replace(content, measurement=replace(content.measurement, lesions=many))
    )
    track = comparison.against[0].tracks[1]
    new = tuple(replace(track, current=(f"L{k:02d}",)) for k in (2, 7, 12))
    compared = replace(comparison, against=(replace(comparison.against[0], tracks=new),))
    chosen = choose_lesions(document, compared)
    assert [one.row.name for one in chosen.lesions] == [
        "L01", "L02", "L03", "L04", "L05", "L07", "L12",
    ]  # fmt: skip
    assert [one.since for one in chosen.lesions] == ["", "new", "", "", "", "new", "new"]
    assert chosen.rest == "5 smaller ones in lesions.csv"
