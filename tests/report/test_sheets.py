"""One drawing on two sheets: pixels and SVG."""

from __future__ import annotations

import itertools
from xml.etree import ElementTree as ET

import pytest

from report.charts import HistogramData, TrendPoint, histogram_panel, trend_panel
from report.sheet import INK, Box, Ink
from report.svg import SvgSheet

SVG = "{http://www.w3.org/2000/svg}"
DATA = HistogramData((0.0, 0.0, 4.0, 2.0, 1.0), (120.0, 180.0), 130.0)


def drawn(sheet):
    return ET.fromstring(str(sheet.markup()))  # noqa: S314 - our own text


def rectangles(root):
    return [
        tuple(float(r.get(name)) for name in ("x", "y", "width", "height"))
        for r in root.iter(f"{SVG}rect")
    ]


def test_bars_have_the_height_of_their_volume_and_the_colour_of_their_class():
    sheet = SvgSheet(300, 150, "histogram")
    histogram_panel(sheet, Box(0, 0, 300, 150), DATA)
    root = drawn(sheet)
    # 250 units for 5 bins; 100 units for 4 mL, the top of the axis
    assert rectangles(root) == [
        (138.0, 20.0, 45.0, 100.0),
        (188.0, 70.0, 45.0, 50.0),
        (238.0, 95.0, 45.0, 25.0),
    ]
    fills = [r.get("fill") for r in root.iter(f"{SVG}rect")]
    assert fills == ["#F0E442", "#F0E442", "#009E73"]  # centres 125, 175 and 225
    dashed = [line for line in root.iter(f"{SVG}line") if line.get("stroke-dasharray")]
    assert [float(line.get("x1")) for line in dashed] == [158.0, 218.0]  # 120 and 180 of 250


def test_the_prior_is_an_outline_of_its_own_height_on_the_same_axis():
    sheet = SvgSheet(300, 150, "histogram")
    data = HistogramData((0.0, 1.0), (900.0, 1400.0), None, prior_ml=(0.0, 4.0))
    histogram_panel(sheet, Box(0, 0, 300, 150), data)
    root = drawn(sheet)
    assert rectangles(root)[0][3] == 25.0  # 1 of 4 mL
    tops = [line for line in root.iter(f"{SVG}line") if line.get("stroke") == "#7A8591"]
    assert ("20", "20") in [(line.get("y1"), line.get("y2")) for line in tops]
    assert "earlier study" in "".join(root.itertext())


def test_a_study_without_gadc_leaves_a_gap_in_the_trend():
    sheet = SvgSheet(300, 150, "trend")
    points = [
        TrendPoint("2026-01-01", 50.0, 900.0),
        TrendPoint("2026-02-01", 0.0, None),
        TrendPoint("2026-03-01", 100.0, 1000.0),
    ]
    trend_panel(sheet, Box(0, 0, 300, 150), points)
    root = drawn(sheet)
    assert len(rectangles(root)) == 5  # three volumes, two ADCs
    joins = [line for line in root.iter(f"{SVG}line") if line.get("stroke") == INK]
    assert len(joins) == 2  # of the volumes only
    assert "2026-02-01" in "".join(root.itertext())


def test_dates_of_many_studies_do_not_run_into_each_other():
    sheet = SvgSheet(300, 150, "trend")
    points = [TrendPoint(f"2026-{month:02d}-01", 50.0, 900.0) for month in range(1, 12)]
    trend_panel(sheet, Box(0, 0, 300, 150), points)
    dates = [t for t in drawn(sheet).iter(f"{SVG}text") if (t.text or "").startswith("2026-")]
    assert [t.text for t in dates] == ["2026-11-01", "2026-08-01", "2026-05-01", "2026-02-01"]
    places = [float(t.get("x")) for t in dates]
    assert min(a - b for a, b in itertools.pairwise(places)) > 48


def test_words_are_escaped_and_nothing_is_inline_style():
    sheet = SvgSheet(100, 20, 'a "title" & <more>')
    sheet.text(0, 10, "<script>alert(1)</script> & µ", Ink(10))
    text = str(sheet.markup())
    assert "<script>" not in text
    assert "style=" not in text
    assert drawn(sheet).get("aria-label") == 'a "title" & <more>'
    assert "".join(drawn(sheet).find(f"{SVG}text").itertext()) == "<script>alert(1)</script> & µ"


@pytest.mark.parametrize("bold", [False, True])
def test_a_line_is_shortened_until_it_fits(bold):
    sheet = SvgSheet(100, 20, "words")
    ink = Ink(10, bold=bold)
    short = sheet.fitted("Thoracic spine and ribs", ink, 60)
    assert short.endswith("…")
    assert sheet.width_of(short, ink) <= 60 < sheet.width_of("Thoracic spine and ribs", ink)
