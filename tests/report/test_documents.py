from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator, ValidationError

from imaging.adc_bins import CRPC_MDV
from imaging.coverage import BodyCoverage
from imaging.measurement import ClassVolumes
from report.documents import measurements_document, measurements_json

SCHEMA = json.loads(
    (Path(__file__).parents[2] / "docs" / "measurements.schema.json").read_text(encoding="utf-8")
)
VALIDATOR = Draft202012Validator(SCHEMA)


def _without(document, *keys):
    """Forget one nested key; the document is the test's own."""
    *path, last = keys
    part = document
    for key in path:
        part = part[key]
    del part[last]
    return document


def test_schema_is_a_schema():
    Draft202012Validator.check_schema(SCHEMA)


def test_document_is_valid_as_it_is_read_back(content):
    VALIDATOR.validate(json.loads(measurements_json(content)))


def test_document_of_a_body_without_disease_is_valid(content):
    nothing = ClassVolumes(0.0, 0.0, 0.0)
    healthy = replace(
        content.measurement, tdv_ml=0.0, log_tdv=None, adc=None, classes=nothing, n_lesions=0,
        regions=(), lesions=(), met_rads=(), binnings=(),
    )  # fmt: skip
    document = json.loads(measurements_json(replace(content, measurement=healthy)))
    VALIDATOR.validate(document)
    assert document["totals"]["adc_um2_s"] is None
    assert document["totals"]["log_tdv"] is None


@pytest.mark.parametrize(
    "keys",
    [("study_uid",), ("totals", "tdv_ml"), ("regions", 0, "coverage"), ("lesions", 0, "region"),
     ("coverage_status",), ("met_rads",), ("totals", "binnings", 0, "source"),
     ("series", 0, "trace"),
     ("series", 1, "reason"), ("provenance", "models"),
     ("provenance", "burden"), ("provenance", "burden", "threshold"),
     ("totals", "adc_um2_s", "median")],
)  # fmt: skip
def test_schema_refuses_a_document_with_a_hole(content, keys):
    document = _without(json.loads(measurements_json(content)), *keys)
    with pytest.raises(ValidationError):
        VALIDATOR.validate(document)


def test_schema_refuses_what_it_does_not_describe(content):
    document = json.loads(measurements_json(content)) | {"patient_name": "X"}
    with pytest.raises(ValidationError):
        VALIDATOR.validate(document)


def _fields(schema, path=""):
    for name, part in schema.get("properties", {}).items():
        yield f"{path}/{name}", part
        yield from _fields(part, f"{path}/{name}")
        yield from _fields(part.get("items", {}), f"{path}/{name}[]")
    for name, part in schema.get("$defs", {}).items():
        yield from _fields(part, f"{path}/$defs/{name}")


def test_every_field_of_the_schema_is_described():
    fields = dict(_fields(SCHEMA))
    assert len(fields) > 60
    assert [path for path, part in fields.items() if not part.get("description")] == []


def test_numbers_are_those_of_the_measurement_rounded_as_documented(content):
    document = measurements_document(content)
    assert document["totals"] == {
        "tdv_ml": 10.0,
        "log_tdv": 2.3026,
        "adc_um2_s": {
            "mean": 1000.0, "sd": 200.1, "median": 980.2, "p5": 700.0, "p10": 750.0, "p25": 850.0,
            "p75": 1150.0, "p90": 1300.0, "p95": 1400.0, "minimum": 600.0, "maximum": 1800.0,
            "skewness": 0.1235, "kurtosis": 0.0,
        },
        "adc_histogram_ml": [*[0.0] * 17, 2.0, 0.0, 0.0, 5.0, *[0.0] * 12, 3.0, *[0.0] * 26],
        "classes_ml": [2.0, 5.0, 3.0],
        "classes_percent": [20.0, 50.0, 30.0],
        "binnings": [
            {
                "name": "crpc_mdv", "title": "Metastatic diffusion volume, castration-resistant",
                "source": CRPC_MDV.source, "edges_um2_s": [400.0, 900.0, 1400.0, 1800.0],
                "volumes_ml": [2.0, 5.0, 2.5], "outside_ml": 0.5,
            }
        ],
        "n_lesions": 2,
        "removed_organ_ml": 4.0,
        "removed_canal_ml": 0.0,
    }  # fmt: skip
    assert document["coverage"] == {
        "lumbar_spine": 1.0, "ribs": 0.5, "skull": None, "whole_skeleton": 0.5,
    }  # fmt: skip
    assert document["regions"][0]["burden"] == 0.05  # 10 mL of 200 mL
    assert document["regions"][2]["burden"] is None
    assert document["lesions"][0]["centroid_mm"] == [1.0, -2.0, 100.0]
    assert document["lesions"][1]["evaluable"] is False
    assert document["stages"] == {"read": 1.235, "fit": 0.5}


def test_a_partial_body_is_marked_and_what_is_not_covered_is_never_zero(content):
    document = measurements_document(content)
    assert document["coverage_status"] == "partial"
    assert (document["missing_regions"], document["cut_regions"]) == (["skull"], ["ribs"])
    lumbar, ribs, skull, _ = document["regions"]
    assert lumbar["disease_volume_ml"] == 10.0
    assert (ribs["disease_volume_ml"], ribs["n_lesions"]) == (0.0, 0)  # seen, and none found
    told = {k: v for k, v in skull.items() if k not in {"name", "title"}}
    assert set(told.values()) == {None}
    assert document["met_rads"][0]["disease_volume_ml"] is None
    assert document["met_rads"][1]["classes_percent"] == [20.0, 50.0, 30.0]
    whole = replace(content.measurement, coverage=BodyCoverage())
    complete = measurements_document(replace(content, measurement=whole))
    assert complete["coverage_status"] == "complete"


def test_every_field_of_a_series_record_is_told(content):
    (used, left) = measurements_document(content)["series"]
    assert used["trace"] == ((900.0, "vendor-trace"),)
    assert used["spacing_mm"] == (2.5, 2.5, 5.0)
    assert set(used) == set(content.series[0]) == set(left)


def test_minus_zero_is_written_as_zero(content):
    assert "-0.0" not in measurements_json(content)


def test_only_measured_series_are_inputs_but_all_are_told(content):
    document = measurements_document(content)
    assert document["series_uids_in"] == ["1.2.3"]
    assert [record["code"] for record in document["series"]] == [None, "NOT_DIFFUSION"]


def test_a_number_that_is_not_finite_is_null_and_not_nan(content):
    note = replace(content.quality[0], measured=float("nan"))
    text = measurements_json(replace(content, quality=(note,)))
    assert "NaN" not in text
    assert json.loads(text)["quality"][0]["measured"] is None


def test_bytes_are_the_same_every_time(content):
    text = measurements_json(content)
    assert text == measurements_json(replace(content))
    assert text.endswith("}\n")
    assert list(json.loads(text))[:4] == [
        "schema_version", "research_use_only", "run_id", "study_uid",
    ]  # fmt: skip
