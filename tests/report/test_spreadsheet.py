from __future__ import annotations

import csv
import io
import json

from report.documents import measurements_json
from report.spreadsheet import COLUMNS, lesions_csv


def _rows(content):
    return list(csv.DictReader(io.StringIO(lesions_csv(content)), strict=True))


def test_one_row_for_the_body_one_a_region_one_a_lesion(content):
    rows = _rows(content)
    assert [(row["level"], row["name"]) for row in rows] == [
        ("total", "total"),
        ("region", "lumbar_spine"),
        ("region", "ribs"),
        ("region", "skull"),
        ("region", "whole_skeleton"),
        ("met_rads", "metrads_skull"),
        ("met_rads", "metrads_lumbosacral_spine"),
        ("lesion", "L01"),
        ("lesion", "L02"),
    ]
    assert {row["study_uid"] for row in rows} == {"1.2.840.1"}
    assert tuple(rows[0]) == COLUMNS


def test_numbers_read_back_are_those_of_the_document(content):
    document = json.loads(measurements_json(content))
    rows = _rows(content)
    regions = [*document["regions"], *document["met_rads"]]
    parts = [document["totals"], *regions, *document["lesions"]]
    volumes = ["tdv_ml", *["disease_volume_ml"] * 6, *["volume_ml"] * 2]
    for row, part, volume in zip(rows, parts, volumes, strict=True):
        assert row["disease_volume_ml"] == ("" if part[volume] is None else str(part[volume]))
        for unit in ("ml", "percent"):
            classes = [row[f"class_{name}_{unit}"] for name in ("low", "intermediate", "high")]
            assert classes == [str(v) for v in part[f"classes_{unit}"] or ("", "", "")]
        for name, value in (part["adc_um2_s"] or {}).items():
            unit = "" if name in {"skewness", "kurtosis"} else "_um2_s"
            assert float(row[f"adc_{name}{unit}"]) == value


def test_what_does_not_apply_or_is_missing_is_empty_and_not_zero(content):
    rows = {row["name"]: row for row in _rows(content)}
    assert rows["total"]["diameter_mm"] == ""
    assert rows["ribs"]["adc_median_um2_s"] == ""
    assert rows["ribs"]["disease_volume_ml"] == "0.0"
    assert rows["skull"]["coverage_fraction"] == ""
    assert (rows["skull"]["disease_volume_ml"], rows["skull"]["n_lesions"]) == ("", "")
    assert rows["total"]["coverage_status"] == "partial"
    assert rows["L01"]["n_lesions"] == ""
    assert rows["L01"]["diameter_mm"] == "31.3"
    assert (rows["L01"]["evaluable"], rows["L02"]["evaluable"]) == ("true", "false")


def test_every_column_with_a_quantity_names_its_unit():
    plain = {"study_uid", "run_id", "level", "name", "region", "n_lesions", "evaluable", "log_tdv",
             "coverage_status", "adc_skewness", "adc_kurtosis", "tracking_uid", "prior_study_uid",
             "prior_date", "track_state", "volume_call", "adc_call"}  # fmt: skip
    units = ("_ml", "_mm", "_um2_s", "_fraction", "_percent")
    assert [c for c in COLUMNS if c not in plain and not c.endswith(units)] == []


def test_text_is_the_same_every_time(content):
    assert lesions_csv(content) == lesions_csv(content)
    assert "\r" not in lesions_csv(content)
