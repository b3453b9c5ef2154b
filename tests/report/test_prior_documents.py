"""Comparisons in measurements.json and lesions.csv: the schema's, equal, and never an empty 0."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from imaging.measured_study import StudyOrigin
from imaging.quality import QualityNote
from imaging.response import (
    Change,
    Comparison,
    LesionCounts,
    LesionTrack,
    Mark,
    PriorComparison,
    RegionChange,
    RegistrationQuality,
    TimePoint,
)
from imaging.response_changes import unknown
from imaging.response_limits import USUAL_LIMITS
from report.documents import measurements_document, measurements_json
from report.prior_reading import comparison_of
from report.spreadsheet import lesions_csv

SCHEMA = json.loads(
    (Path(__file__).parents[2] / "docs" / "measurements.schema.json").read_text(encoding="utf-8")
)
TDV = Change(100.0, 40.0, USUAL_LIMITS.tdv, "down")
ADC = Change(1000.0, 1049.96, USUAL_LIMITS.gadc(same_scanner=True), "within")


@pytest.fixture
def followed(content):
    """The usual content, compared: its first region with findings, its second not covered."""
    seen, unseen, *_ = content.measurement.regions
    first = content.measurement.lesions[0]
    rows = (
        RegionChange(
            seen.name, seen.title, True, "", TDV, ADC, Change(2.0, 1.5, why="there is no limit"),
            (Mark(25.0, "%", "up"),), LesionCounts(persistent=1, shrunk=1, judged=1),
        ),
        RegionChange(
            unseen.name, unseen.title, False, "not in the images of the earlier study",
            *[unknown("not in the images of the earlier study")] * 3,
        ),
    )  # fmt: skip
    track = LesionTrack(
        "persistent", first.name, "2.25.9", first.region, (first.name,), ("L03",), TDV, ADC
    )
    gone = LesionTrack(
        "resolved", "L04", "2.25.8", seen.name, (), ("L04",), Change(1.0, 0.0), unknown("gone")
    )
    point = TimePoint(
        "1.9", "r", "2025-10-01", "MAKER, 1.5 T", 100.0, 1000.0, 7, (1.0, 2.0, 3.0), "complete"
    )
    prior = PriorComparison(
        point, ("previous", "nadir"), 90, True, TDV, ADC, (unseen.name,), rows, (), (track, gone),
        LesionCounts(persistent=1, resolved=1), RegistrationQuality(0.8123456, 12.34, True, 0.5),
        (QualityNote("FOLLOW_UP_PARTIAL", "warning", "one region", 1.0),),
    )  # fmt: skip
    now = replace(point, study_uid=content.study_uid, date="2026-01-01")
    lesions = (replace(first, tracking_uid="2.25.9"), *content.measurement.lesions[1:])
    return replace(
        content,
        measurement=replace(content.measurement, lesions=lesions),
        comparison=Comparison((point, now), (prior,)),
        origin=StudyOrigin(content.study_uid, "", "2026-01-01", "MAKER, 1.5 T", "ab" * 8),
    )


def test_the_document_is_the_schemas(followed):
    document = json.loads(measurements_json(followed))
    Draft202012Validator(SCHEMA).validate(document)
    Draft202012Validator(SCHEMA).validate(
        json.loads(measurements_json(replace(followed, comparison=Comparison((), ()))))
    )


def test_a_prior_says_what_changed_against_which_limit(followed):
    (prior,) = measurements_document(followed)["priors"]
    assert (prior["study_uid"], prior["roles"], prior["headline"]) == (
        "1.9",
        ["previous", "nadir"],
        True,
    )
    tdv = prior["delta"]["tdv_ml"]
    assert (tdv["before"], tdv["after"], tdv["percent"], tdv["call"]) == (
        100.0,
        40.0,
        -60.0,
        "down",
    )
    assert tdv["ln_ratio"] == -0.9163  # ln 0.4
    assert (tdv["limit"]["low_percent"], tdv["limit"]["high_percent"]) == (-47.1, 89.2)
    assert "0.23" in tdv["limit"]["source"]
    assert prior["delta"]["gadc_um2_s"]["percent"] == 5.0
    assert prior["registration"]["skeleton_dice"] == 0.8123
    assert [track["state"] for track in prior["tracks"]] == ["persistent", "resolved"]


def test_what_is_not_covered_is_null_and_never_zero(followed):
    (prior,) = measurements_document(followed)["priors"]
    unseen = prior["regions"][1]
    assert not unseen["compared"]
    assert (unseen["volume_ml"]["before"], unseen["volume_ml"]["percent"]) == (None, None)
    assert unseen["lesions"] is None


def test_no_comparison_is_an_empty_list(content):
    document = measurements_document(content)
    assert (document["priors"], document["trend"], document["examination"]) == ([], [], None)


def test_the_trend_ends_with_this_study(followed):
    trend = measurements_document(followed)["trend"]
    assert [point["study_uid"] for point in trend] == ["1.9", followed.study_uid]


def test_the_table_holds_the_changes_of_the_document(followed):
    rows = list(csv.DictReader(io.StringIO(lesions_csv(followed))))
    total = rows[0]
    assert (total["volume_change_percent"], total["volume_call"]) == ("-60.0", "down")
    assert (total["prior_study_uid"], total["prior_date"]) == ("1.9", "2025-10-01")
    first, *others = [row for row in rows if row["level"] == "lesion"]
    assert (first["track_state"], first["tracking_uid"]) == ("persistent", "2.25.9")
    assert all(row["track_state"] == "" for row in others)
    unseen = next(r for r in rows if r["level"] == "region" and r["volume_call"] == "not_called")
    assert unseen["volume_change_percent"] == ""


def test_what_was_written_is_read_back(followed):
    document = json.loads(measurements_json(followed))
    found = comparison_of(document)
    again = replace(followed, comparison=found)
    assert measurements_document(again)["trend"] == document["trend"]
    (prior,) = json.loads(measurements_json(again))["priors"]
    (written,) = document["priors"]
    # The gADC was 1049.96 and is read as 1050.0: the same percentage to one digit.
    assert prior["delta"]["gadc_um2_s"]["percent"] == written["delta"]["gadc_um2_s"]["percent"]
    assert prior["tracks"] == written["tracks"]
    assert prior["regions"] == written["regions"]
    assert found.headline is not None


def test_a_document_without_earlier_studies_has_no_comparison(content):
    assert comparison_of(measurements_document(content)) is None
    assert comparison_of({"priors": []}) is None
