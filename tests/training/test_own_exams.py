"""A site's own exams, from its files to the tables, with networks that look at ADC and signal."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from imaging.burden import DISEASE_CLASSES
from imaging.model import Channel
from imaging.nifti import read_image
from tests.training.intake.test_nnunet import body, write_raw
from training import own_exams
from training.assessment.files import read_cases, read_declared
from training.cases import write_case
from training.cli import app
from training.declaration import write_declaration
from training.errors import TrainingError
from training.evaluation import Models, ServedModel
from training.experiment import save_experiment
from training.intake.class_map import ClassMap
from training.intake.exams import find_exams
from training.intake.splits import Splits, write_splits
from training.own_exams import OwnData, evaluate_own, find_held_out

LABELS = {"background": 0, "liver": 1, "disease": 2}


def shells(adc, s0):
    return {"b50": s0 * np.exp(-50e-6 * adc), "b900": s0 * np.exp(-900e-6 * adc)}


@pytest.fixture
def raw(tmp_path):
    """Livers of high ADC; a block beside them that is labelled disease."""
    return write_raw(tmp_path / "raw", shells, ("p1_1", "p1_2", "p2_1"), LABELS)


@pytest.fixture
def models(experiment, tmp_path, monkeypatch):
    """Liver is where ADC exceeds 1.25e-3 mm²/s; disease everywhere below row 8 of the grid."""
    spec = experiment.model_spec()
    channels = (Channel("normalised_high_b", "fixed", 1.0, 6.0),)
    specs = {
        "anatomy": spec,
        "disease": dataclasses.replace(
            spec, name="disease", classes=DISEASE_CLASSES, channels=channels
        ),
    }

    def liver(image):
        answer = torch.zeros(1, len(spec.classes), *image.shape[2:])
        here = image[:, 0] > 1.25
        answer[:, spec.classes.index("liver")][here] = 1
        answer[:, spec.classes.index("spleen"), :2] = 0.9  # the site labels no spleen
        return answer

    def half(image):
        disease = torch.full_like(image[:, :1], 0.8)
        return torch.cat([1 - disease, disease], 1)

    served = {
        "anatomy": ServedModel(specs["anatomy"], liver, bf16=False),
        "disease": ServedModel(specs["disease"], half, bf16=False),
    }
    for name, its in specs.items():
        (tmp_path / name).mkdir()
        declared = dataclasses.replace(its, sha256="ab" * 32)
        write_declaration(declared, tmp_path / name / "osteon.json", {})
    monkeypatch.setattr(own_exams, "load_model", lambda folder: served[folder.name])
    return tmp_path


def test_an_exam_keeps_its_labels_on_its_own_grid(raw):
    first, *_ = find_exams(raw, ClassMap())
    exam = first.make()
    _, _, labels = body(0)
    _, grid = read_image(raw / "imagesTr" / "p1_1_0000.nii.gz")
    assert exam.images.geometry.matches(grid)
    assert np.array_equal(exam.known.structures == 15, labels == 1)
    assert np.array_equal(exam.known.disease, labels == 2)
    assert exam.known.tdv_ml == pytest.approx((labels == 2).sum() * 5 * 2.5 * 2.5 / 1000)
    assert exam.known.gadc_um2_s == pytest.approx(1000.0, abs=1)
    assert exam.images.high_b is not None


def test_the_anatomy_of_a_site_that_labels_livers_only(raw, models):
    out = models / "out"
    done = CliRunner().invoke(
        app, ["evaluate-data", str(models / "anatomy"), "--data", str(raw), "-o", str(out)]
    )
    assert done.exit_code == 0, done.output
    found = read_cases(out)
    assert [c.case for c in found] == ["p1_1", "p1_2", "p2_1"]
    assert [sorted(c.structures) for c in found] == [["liver"]] * 3
    assert found[0].structures["liver"].dice > 0.95
    assert "never labelled, so not scored: organs, spleen" in done.output
    assert "by the word of whoever evaluated it, n = 3; none was trained on." in done.output
    assert "### Lesions" in done.output
    # What is there is not measured again.
    (folder,) = out.glob("own-*")
    before = {p.name: p.stat().st_mtime_ns for p in folder.iterdir()}
    evaluate_own(Models(models / "anatomy"), find_exams(raw, ClassMap()), None, out, 1, print)
    assert {p.name: p.stat().st_mtime_ns for p in folder.iterdir()} == before


def test_disease_beside_the_sites_labels(raw, models):
    done = CliRunner().invoke(
        app, ["evaluate-data", str(models / "disease"), "--data", str(raw), "-o", str(models / "d")]
    )
    assert done.exit_code == 0, done.output
    exam = read_cases(models / "d")[0]
    _, _, labels = body(0)
    voxel_ml = 5 * 2.5 * 2.5 / 1000
    assert exam.true_tdv_ml == pytest.approx((labels == 2).sum() * voxel_ml)
    # All of the body is called disease, but what the anatomy network calls an organ is none.
    assert exam.disease.recall == 1.0
    assert exam.tdv_ml > 2 * exam.true_tdv_ml
    assert exam.lesions.lesions[0].detected
    assert "disease network" in exam.lesion_source


def test_without_b_values_and_without_lesions_disease_is_left_out(models):
    raw = write_raw(models / "fitted", lambda adc, s0: {"adc_um2_s": adc, "s0": s0})
    arguments = ["evaluate-data", str(models / "anatomy"), "--data", str(raw)]
    done = CliRunner().invoke(app, [*arguments, "-o", str(models / "out")])
    assert done.exit_code == 0, done.output
    assert "disease" in done.output.split("not scored:")[1]
    assert "### Lesions" not in done.output
    assert "log-TDV" not in done.output
    assert "| liver: dice |" not in done.output
    document = json.loads((models / "out" / "evaluation.json").read_text())
    assert document["lesions"] == {}
    assert document["lesion_source"] == ""


@pytest.fixture
def config(experiment, cases, tmp_path):
    """An experiment whose folder holds the prepared cases of the site's three exams."""
    folder = tmp_path / "prepared"
    folder.mkdir()
    names = {"p1_1": "one", "p1_2": "one", "p2_1": "two"}
    for case, name in zip(cases, names, strict=True):
        write_case(dataclasses.replace(case, name=name), folder / f"{name}.npz")
    write_splits(Splits(names, frozenset(["two"])), folder)
    cohort = dataclasses.replace(
        experiment.cohort, folder=str(folder), train_seeds="", validation_seeds=""
    )
    path = tmp_path / "e.yaml"
    save_experiment(dataclasses.replace(experiment, cohort=cohort), path)
    return path


def test_only_what_is_held_out_is_measured(raw, config):
    sources, population = find_held_out(OwnData(raw, None, config))
    assert [s.name for s in sources] == ["p2_1"]
    assert population == "Exams of one site, one split by patient"
    text = config.read_text().replace("fold: ''", "fold: 1/2")
    seen = []
    for number in (1, 2):
        config.write_text(text.replace("1/2", f"{number}/2"))
        sources, population = find_held_out(OwnData(raw, None, config))
        assert population == f"Exams of one site, fold {number}/2"
        seen.append({s.name for s in sources})
    assert sorted(seen, key=len) == [{"p2_1"}, {"p1_1", "p1_2"}]


def test_nothing_held_out_is_said(config, models):
    other = write_raw(models / "other", shells, ("p9_1",), LABELS)
    with pytest.raises(TrainingError, match="none of the 1 exams") as caught:
        find_held_out(OwnData(other, None, config))
    assert caught.value.code == "NO_CASES"


def test_an_exam_that_cannot_be_read_is_named_and_the_others_are_measured(raw, models):
    (raw / "imagesTr" / "p1_2_0001.nii.gz").write_bytes(b"broken")
    arguments = ["evaluate-data", str(models / "anatomy"), "--data", str(raw)]
    done = CliRunner().invoke(app, [*arguments, "-o", str(models / "out")])
    assert done.exit_code == 4, done.output
    assert "p1_2: [IMAGE_FILE]" in done.output
    assert [c.case for c in read_cases(models / "out")] == ["p1_1", "p2_1"]


def test_folds_are_pooled_and_no_exam_counts_twice(raw, config, models):
    run = CliRunner()
    command = ["evaluate-data", str(models / "anatomy"), "--data", str(raw)]
    text = config.read_text()
    for number in (1, 2):
        config.write_text(text.replace("fold: ''", f"fold: {number}/2"))
        made = run.invoke(
            app,
            [*command, "-c", str(config), "-o", str(models / f"fold-{number}")],
        )
        assert made.exit_code == 0, made.output
    folders = [str(models / "fold-1"), str(models / "fold-2")]
    pooled = run.invoke(app, ["pool", *folders, "-o", str(models / "all")])
    assert pooled.exit_code == 0, pooled.output
    assert "Exams of one site, fold 1/2; Exams of one site, fold 2/2, n = 3" in pooled.output
    assert sorted(c.case for c in read_cases(models / "all")) == ["p1_1", "p1_2", "p2_1"]
    assert read_declared(models / "all")["model_sha256"] == "ab" * 32
    twice = run.invoke(app, ["pool", folders[0], folders[0], "-o", str(models / "twice")])
    assert isinstance(twice.exception, TrainingError)
    assert twice.exception.code == "COMPARISON"
