"""nnU-Net's raw layout, written by hand and by us, read as cases; then trained on."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from imaging.adc import fit_adc
from imaging.diffusion import DiffusionVolume
from imaging.geometry import Geometry
from imaging.nifti import read_image, read_label_map, write_image
from imaging.preprocessing import preprocess
from training.cli import app
from training.cohort import Recipe
from training.errors import TrainingError
from training.experiment import save_experiment
from training.intake.class_map import ChannelSource, ClassMap
from training.intake.nnunet import nnunet_case, read_dataset
from training.intake.nnunet_export import write_dataset

GRID = Geometry.axial((20, 24, 28), (5.0, 2.5, 2.5), (-30.0, -20.0, -400.0))


def body(seed=0):
    """ADC, S0 and labels of a block in noise-free air."""
    rng = np.random.default_rng(seed)
    inside = np.zeros(GRID.shape, bool)
    inside[:, 4:20, 4:24] = True
    labels = np.zeros(GRID.shape, np.uint8)
    labels[4:12, 8:16, 6:12] = 1
    labels[8:16, 8:16, 14:20] = 2
    s0 = np.where(inside, 500 + 50 * rng.random(GRID.shape), 0).astype(np.float32)
    adc = np.where(inside, 1000.0 + 500 * (labels == 1), 0).astype(np.float32)
    return adc, s0, labels


def write_raw(folder, channels, names=("case_1", "case_2"), labels=None):
    """`channels` takes (ADC, S0) to the images of a case by channel name."""
    for sub in ("imagesTr", "labelsTr"):
        (folder / sub).mkdir(parents=True)
    for n, name in enumerate(names):
        adc, s0, found = body(n)
        images = channels(adc, s0)
        for k, image in enumerate(images.values()):
            write_image(image, GRID, folder / "imagesTr" / f"{name}_{k:04d}.nii.gz")
        write_image(found, GRID, folder / "labelsTr" / f"{name}.nii.gz")
    document = {
        "channel_names": {str(k): channel for k, channel in enumerate(images)},
        "labels": labels or {"background": 0, "liver": 1, "spleen": 2},
        "numTraining": len(names),
        "file_ending": ".nii.gz",
    }
    (folder / "dataset.json").write_text(json.dumps(document))
    return folder


def test_b_value_channels_are_fitted_as_serving_fits_them(experiment, tmp_path):
    def shells(adc, s0):
        return {"b50": s0 * np.exp(-50e-6 * adc), "b900": s0 * np.exp(-900e-6 * adc)}

    dataset = read_dataset(write_raw(tmp_path / "raw", shells))
    assert dataset.cases() == ["case_1", "case_2"]
    spec = experiment.model_spec()
    case = nnunet_case(dataset, "case_1", Recipe(spec), ClassMap())
    adc, s0, labels = body(0)
    images = {b: (s0 * np.exp(-b * 1e-6 * adc)).astype(np.float32) for b in (50.0, 900.0)}
    volume = DiffusionVolume(GRID, images)
    served = preprocess(fit_adc(volume), GRID, spec)
    assert np.array_equal(case.image, served.array.astype(np.float16))
    liver = case.labels == spec.classes.index("liver")
    assert liver.sum() == (labels == 1).sum()
    assert case.image[0][liver].astype(float).mean() == pytest.approx(1.5, abs=0.02)


def test_maps_of_adc_in_another_unit_are_scaled(experiment, tmp_path):
    folder = write_raw(tmp_path / "raw", lambda adc, s0: {"ADC": adc / 1000, "S0": s0})
    classes = ClassMap(
        channels={"ADC": ChannelSource("adc_um2_s", 1000.0), "1": ChannelSource("s0")}
    )
    recipe = Recipe(experiment.model_spec())
    case = nnunet_case(read_dataset(folder), "case_1", recipe, classes)
    assert np.float64(case.image[0].max()) == pytest.approx(1.5, abs=0.01)
    with pytest.raises(TrainingError, match="channels ADC, S0 are neither") as caught:
        nnunet_case(read_dataset(folder), "case_1", recipe, ClassMap())
    assert caught.value.code == "NNUNET"


def test_our_own_dataset_has_the_layout_and_comes_back(experiment, cases, tmp_path):
    assert write_dataset(experiment, cases[:2], cases[2:], tmp_path / "raw") == 3
    dataset = read_dataset(tmp_path / "raw")
    assert dataset.channels == ("adc_um2_s", "s0")
    assert dataset.labels[15] == "liver"
    document = json.loads((tmp_path / "raw/dataset.json").read_text())
    assert document["numTraining"] == 3
    assert document["labels"]["background"] == 0
    (split,) = json.loads((tmp_path / "raw/splits_final.json").read_text())
    assert split == {"train": ["toy-1", "toy-2"], "val": ["toy-3"]}
    image, geometry = read_image(tmp_path / "raw/imagesTr/toy-1_0000.nii.gz")
    assert geometry.matches(cases[0].model_input.geometry)
    np.testing.assert_allclose(image, cases[0].image[0].astype(float) * 1000, rtol=1e-5, atol=1e-2)
    labels, _ = read_label_map(tmp_path / "raw/labelsTr/toy-1.nii.gz")
    assert np.array_equal(labels, cases[0].labels)


def test_what_is_written_of_a_case_makes_the_same_case_again(experiment, tmp_path):
    recipe = Recipe(experiment.model_spec())
    raw = write_raw(tmp_path / "raw", lambda adc, s0: {"adc_um2_s": adc, "s0": s0})
    first = nnunet_case(read_dataset(raw), "case_1", recipe, ClassMap())
    write_dataset(experiment, [first], [], tmp_path / "again")
    back = nnunet_case(read_dataset(tmp_path / "again"), "case_1", recipe, ClassMap())
    assert back.labels.any()
    assert np.array_equal(back.labels, first.labels)
    assert np.allclose(back.affine, first.affine, atol=1e-4)
    np.testing.assert_allclose(back.image, first.image, atol=2e-3)


@pytest.mark.parametrize(
    "document",
    [
        "{",
        '{"labels": {"background": 0}, "file_ending": ".nii"}',
        '{"channel_names": {"0": "b0"}, "labels": {"all": [1, 2]}, "file_ending": ".nii"}',
    ],
)
def test_another_dataset_json_is_refused(tmp_path, document):
    (tmp_path / "dataset.json").write_text(document)
    with pytest.raises(TrainingError, match=r"no dataset\.json of nnU-Net v2") as caught:
        read_dataset(tmp_path)
    assert caught.value.code == "NNUNET"


@pytest.fixture
def config(experiment, tmp_path):
    path = tmp_path / "experiment.yaml"
    save_experiment(experiment, path)
    text = path.read_text().replace("train_seeds: 1-3", "train_seeds: ''")
    path.write_text(text.replace("validation_seeds: 900-901", "validation_seeds: ''"))
    return path


def test_from_a_users_dataset_to_a_fitted_run_and_back(config, tmp_path):
    run = CliRunner()
    raw = write_raw(tmp_path / "raw", lambda adc, s0: {"adc_um2_s": adc, "s0": s0})
    (raw / "imagesTr" / "case_3_0000.nii.gz").write_bytes(b"broken")
    (raw / "labelsTr" / "case_3.nii.gz").write_bytes(b"broken")
    given = ["-c", str(config)]
    prepared = run.invoke(app, ["prepare", *given, "--data", str(raw), "--workers", "1"])
    assert prepared.exit_code == 4, prepared.output
    assert "2 of 3 cases" in prepared.output
    assert "case_3: [IMAGE_FILE]" in prepared.output
    fitted = run.invoke(app, ["fit", str(tmp_path / "run"), *given, "--device", "cpu"])
    assert fitted.exit_code == 0, fitted.output
    splits = json.loads((tmp_path / "run/splits.json").read_text())
    assert sorted(splits["train"] + splits["validation"]) == ["case_1", "case_2"]
    written = run.invoke(app, ["export-cases", str(tmp_path / "again"), *given])
    assert written.exit_code == 0, written.output
    assert read_dataset(tmp_path / "again").cases() == ["case_1", "case_2"]
