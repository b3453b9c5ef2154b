from __future__ import annotations

from dataclasses import replace

from report.rounding import present, rounded
from report.tables import (
    binnings_table,
    lesions_table,
    met_rads_table,
    regions_table,
    totals_table,
)

DASH = "–"  # noqa: RUF001


def test_rounding_goes_to_the_nearest_and_keeps_nothing_that_is_not_finite():
    assert rounded(1.2346, 3) == 1.235
    assert rounded(float("inf"), 1) is None
    assert str(rounded(-0.0001, 2)) == "0.0"
    assert present(1048.4, 0) == "1048"
    assert present(2.0, 2) == "2.00"
    assert present(None, 2) == DASH


def test_totals_say_value_and_unit(measurement):
    rows = totals_table(measurement).rows
    assert rows[0] == ("Total diffusion volume (TDV)", "10.0", "mL")
    assert rows[1] == ("ln TDV", "2.30", "")
    assert rows[2] == ("ADC of the disease, median", "980", "µm²/s")
    assert ("Body in the images", "partial", "") in rows
    assert ("Left out: organs", "4.0", "mL") in rows
    assert rows[-1] == ("ADC high (above 1400 µm²/s)", "3.0", "mL")


def test_region_that_is_not_covered_is_a_dash_and_not_zero(measurement):
    rows = {row[0]: row[1:] for row in regions_table(measurement).rows}
    assert rows["Lumbar spine"] == ("100", "2", "10.0", "5.0", "980", "750", "1300")
    assert rows["Ribs"] == ("50", "0", "0.0", "0.0", DASH, DASH, DASH)
    assert rows["Skull"] == (DASH,) * 7


def test_the_groups_of_met_rads_have_the_same_columns(measurement):
    rows = {row[0]: row[1:] for row in met_rads_table(measurement).rows}
    assert rows["Lumbosacral spine"] == ("50", "2", "10.0", "5.0", "980", "750", "1300")
    assert rows["Skull"] == (DASH,) * 7


def test_published_bins_carry_their_name(measurement):
    rows = binnings_table(measurement).rows
    title = "Metastatic diffusion volume, castration-resistant"
    assert rows[0] == (title, "400 to 900", "2.0")
    assert rows[-1] == (title, "outside", "0.5")


def test_lesions_can_be_limited_and_say_so(measurement):
    table = lesions_table(measurement, limit=1)
    assert table.rows == (("L01", "Lumbar spine", "9.70", "31", "980", "750", "1300", "yes"),)
    assert table.title == "Lesions, the first 1 of 2 (ADC in µm²/s)"
    assert lesions_table(measurement).title == "Lesions (ADC in µm²/s)"


def test_lesion_in_a_region_without_a_title_keeps_its_name(measurement):
    lesion = replace(measurement.lesions[0], region="somewhere")
    rows = lesions_table(replace(measurement, lesions=(lesion,))).rows
    assert rows[0][1] == "somewhere"


def test_text_is_aligned_in_columns(measurement):
    lines = totals_table(measurement).as_text().splitlines()
    assert lines[0] == "Totals"
    assert lines[1].startswith("Quantity")
    assert set(lines[2]) == {"-"}
    assert len({line.index(value) + len(value) for line, value in
                ((lines[3], "10.0"), (lines[5], "980"))}) == 1  # fmt: skip


def test_markdown_has_one_rule_and_one_line_a_row(measurement):
    lines = regions_table(measurement).as_markdown().splitlines()
    assert lines[1] == "| --- " + "| ---: " * 7 + "|"
    assert len(lines) == 2 + 4
    assert all(line.count("|") == 9 for line in lines)
