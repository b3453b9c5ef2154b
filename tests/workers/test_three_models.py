"""One study through all three models: burden from one, the list of focal lesions from another."""

import csv
import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pydicom
import pytest
import torch
from jsonschema import Draft202012Validator

from dicom_objects.scanner.study import write_study
from imaging.anatomy import STRUCTURES
from imaging.disease import DiseaseRule
from imaging.nifti import read_image
from imaging.normalisation import NormalisationRule
from jobs.job import Stage
from phantom.acquisition import Protocol, acquire, body_grid
from phantom.body import paint_body
from phantom.patient import PatientOptions, make_patient
from phantom.t1 import T1Protocol, acquire_t1
from tests.workers.conftest import BUILD
from tests.workers.served import write_model
from workers.encoding import Run
from workers.inference.torchscript import TorchScriptModel
from workers.pipeline import Pipeline
from workers.recording import QuietRecorder
from workers.summary import summarise

ROOT = Path(__file__).parents[2]
PROTOCOL = Protocol(
    b_values=(50.0, 900.0), n_stations=2, in_plane_mm=5.0, slice_mm=8.0, matrix=(80, 104)
)


class BonesEverywhere(torch.nn.Module):
    """Pelvis where there is any ADC, liver where it is fast."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.classes = classes

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        pelvis = (x[:, 0:1] > 0.2).float() * 0.9
        return torch.cat([1 - pelvis, *[torch.zeros_like(pelvis)] * 5, pelvis], 1)


class Bright(torch.nn.Module):
    """Disease where the first channel is bright."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found = torch.sigmoid((x[:, 0:1] - 0.9) * 20)
        return torch.cat([1 - found, found], 1)


class BrightAndDark(torch.nn.Module):
    """A lesion where b 1000 is bright and T1 is dark."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found = torch.sigmoid((x[:, 1:2] - x[:, 0:1] - 0.6) * 20)
        return torch.cat([1 - found, found], 1)


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    names = [s.name for s in STRUCTURES[:7]]
    grid = {"spacing_mm": [8.0, 5.0, 5.0], "slab_slices": 64}
    write_model(folder / "anatomy", BonesEverywhere(7), classes=names, **grid)
    signal = {"normalisation": "fixed", "scale": 1.0, "clip": 2.0, "quantity": "normalised_high_b"}
    write_model(
        folder / "disease", Bright(), name="disease", classes=["background", "disease"],
        channels=[signal, {**signal, "quantity": "bone_probability"}], **grid,
    )  # fmt: skip
    unit = {"normalisation": "percentiles", "scale": 1.0, "clip": 1.0}
    write_model(
        folder / "focal", BrightAndDark(), name="focal", classes=["background", "lesion"],
        channels=[{**unit, "quantity": "t1"}, {**unit, "quantity": "b1000"}],
        thresholds={"lesion": 0.4}, **grid,
    )  # fmt: skip
    return {name: TorchScriptModel(folder / name, 1) for name in ("anatomy", "disease", "focal")}


@pytest.fixture(scope="module")
def scanned():
    """A person with lesions; the pictures around are not painted."""
    person = make_patient(3118, PatientOptions(diseased=True, lesion_count=6))
    body = paint_body(person, body_grid(person, PROTOCOL))
    return person, body, acquire(person, PROTOCOL, body)


@pytest.fixture(scope="module")
def files(scanned, tmp_path_factory):
    person, body, scan = scanned
    t1 = acquire_t1(person, body, T1Protocol(6.0, 5.0))
    return write_study(scan, tmp_path_factory.mktemp("study"), distractors=False, t1=t1)


@pytest.fixture(scope="module")
def measured(models, tmp_path_factory):
    def run(files):
        pipeline = Pipeline(
            **models,
            rule=DiseaseRule(),
            normalisation=NormalisationRule(without_canal="percentile"),
        )
        out = tmp_path_factory.mktemp("results")
        at = Run("run-1", datetime(2026, 1, 1, tzinfo=UTC), "0" * 64, BUILD)
        recorder = QuietRecorder()
        return pipeline.run(files, out, at, recorder), out, recorder

    return run


@pytest.fixture(scope="module")
def outcome(measured, files):
    return measured(files)


@pytest.fixture(scope="module")
def without_t1(measured, files):
    return measured([f for f in files if "_t1_" not in str(f)])


def test_both_definitions_are_measured_and_labelled(outcome):
    done, out, recorder = outcome
    document = json.loads((out / "measurements.json").read_text(encoding="utf-8"))
    schema = json.loads((ROOT / "docs/measurements.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator(schema).validate(document)
    assert [m["name"] for m in document["provenance"]["models"]] == ["anatomy", "disease", "focal"]
    assert document["provenance"]["burden"]["definition"] == "burden"
    focal = document["focal"]
    assert (focal["definition"], focal["threshold"]) == ("focal", 0.4)
    assert focal["n_lesions"] == len(focal["lesions"]) > 0
    assert {le["name"][0] for le in focal["lesions"]} == {"F"}
    assert {le["name"][0] for le in document["lesions"]} == {"L"}
    assert Stage.FOCAL in recorder.seconds
    assert not [n.code for n in done.findings.quality if n.code.startswith("FOCAL")]


def test_the_spreadsheet_keeps_them_apart(outcome):
    _, out, _ = outcome
    with (out / "lesions.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    levels = {row["level"]: row for row in rows}
    assert levels["focal_lesion"]["name"].startswith("F")
    assert levels["lesion"]["name"].startswith("L")
    total = float(levels["total"]["disease_volume_ml"])
    parts = [float(r["disease_volume_ml"]) for r in rows if r["level"] == "lesion"]
    assert sum(parts) == pytest.approx(total, abs=0.001 * len(parts))


def test_the_pacs_gets_them_apart(outcome):
    done, out, _ = outcome
    kinds = [f.kind for f in done.files]
    assert "seg" in kinds
    assert "focal_seg" in kinds
    seg = next(f for f in done.files if f.kind == "focal_seg")
    labels = {i.SegmentLabel for i in pydicom.dcmread(out / seg.path).SegmentSequence}
    assert all(label.startswith("Focal lesion") for label in labels)


def test_the_jobs_summary_has_the_list(outcome):
    summary = summarise(outcome[0].findings)
    assert summary["focal"]["n_lesions"] == len(summary["focal"]["lesions"])
    assert summary["focal"]["model"]["name"] == "focal"
    assert summary["focal"]["lesions"][0]["region"] == "Pelvis"
    json.dumps(summary)


def test_the_jobs_summary_says_the_numbers_of_the_document(outcome):
    done, out, _ = outcome
    summary = summarise(done.findings)
    totals = json.loads((out / "measurements.json").read_text(encoding="utf-8"))["totals"]
    assert (summary["tdv_ml"], summary["log_tdv"]) == (totals["tdv_ml"], totals["log_tdv"])
    adc = totals["adc_um2_s"]
    assert (summary["gadc_um2_s"], summary["adc_mean_um2_s"]) == (adc["median"], adc["mean"])


def test_true_lesions_are_on_the_list(outcome, scanned):
    """The rule of these models is crude; still what is bright and dark is a lesion."""
    truth = scanned[2].truth
    found = outcome[0].findings.focal.labels > 0
    assert found.shape == truth.lesion_labels.shape
    large = [n for n, le in enumerate(truth.lesions, start=1) if le.volume_ml >= 1.0]
    hit = [n for n in large if found[truth.lesion_labels == n].any()]
    assert large
    assert len(hit) >= len(large) / 2


def test_without_t1_the_burden_is_the_same_and_a_note_says_why_no_list(outcome, without_t1):
    done, out, _ = without_t1
    document = json.loads((out / "measurements.json").read_text(encoding="utf-8"))
    assert document["focal"] is None
    assert "FOCAL_NO_T1" in [n["code"] for n in document["quality"]]
    assert done.findings.measurement == outcome[0].findings.measurement
    assert np.array_equal(done.findings.lesion_labels, outcome[0].findings.lesion_labels)
    assert "focal_seg" not in [f.kind for f in done.files]


def test_what_each_network_answered_is_kept_to_look_at(outcome, without_t1):
    maps = ["probability_skeleton.nii.gz", "probability_disease.nii.gz"]
    for (done, out, _), expected in (
        (outcome, [*maps, "probability_focal.nii.gz"]),
        (without_t1, maps),
    ):
        assert [f.name for f in done.files if f.name.startswith("probability")] == expected
        table = json.loads((out / "volumes.json").read_text(encoding="utf-8"))
        rows = {r["of"]: r for r in table["volumes"] if r["quantity"] == "probability"}
        assert rows["disease"]["threshold"] == done.findings.burden.threshold
        assert rows["skeleton"]["model"]["sha256"] == done.findings.models[0].sha256
        drawn = read_image(out / "probability_disease.nii.gz")[0]
        assert 0.5 < drawn.max() <= 1.0


def test_t1_of_another_frame_of_reference_is_left_out(measured, files, tmp_path):
    changed = []
    for path in files:
        dataset = pydicom.dcmread(path)
        if "_t1_" in str(path):
            dataset.FrameOfReferenceUID = "2.25.4711"
        changed.append(tmp_path / f"{len(changed)}.dcm")
        dataset.save_as(changed[-1])
    done, _, _ = measured(changed)
    assert done.findings.focal is None
    codes = {r.code for r in done.findings.study.series if r.content == "t1"}
    assert codes == {"T1_FRAME_OF_REFERENCE"}
    assert done.findings.measurement.tdv_ml > 0
