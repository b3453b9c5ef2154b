"""The volumes of a run, read back by SimpleITK and set against the DICOM that they come from."""

import hashlib
import json
from dataclasses import replace

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk  # noqa: N813

from imaging.anatomy import STRUCTURES
from jobs.result import ResultFile
from tests.workers.measured import COARSE, RUN, findings_of
from workers.beside import written_beside
from workers.encoding import encode, uid_seed
from workers.volumes import KIND, TABLE_KIND, write_volumes

VOLUMES = [
    "high_b.nii.gz",
    "adc.nii.gz",
    "segmentation.nii.gz",
    "lesions.nii.gz",
    "focal_lesions.nii.gz",
    "probability_skeleton.nii.gz",
    "probability_organs.nii.gz",
    "probability_canal.nii.gz",
    "probability_disease.nii.gz",
]


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return tmp_path_factory.mktemp("study")


@pytest.fixture(scope="module")
def findings(source):
    return findings_of(source)


@pytest.fixture(scope="module")
def kept(findings, tmp_path_factory):
    folder = tmp_path_factory.mktemp("out")
    return encode(findings, RUN, folder, {}), folder


def array(folder, name):
    return sitk.GetArrayFromImage(sitk.ReadImage(str(folder / name)))


@pytest.fixture(scope="module")
def table(kept):
    _, folder = kept
    return json.loads((folder / "volumes.json").read_text(encoding="utf-8"))


def high_b_slices(source):
    for path in sorted(p for p in source.rglob("*") if p.is_file()):
        dataset = pydicom.dcmread(path)
        if dataset.get("DiffusionBValue") == 900.0:
            yield dataset


def test_they_are_results_of_the_run_that_no_pacs_gets(kept):
    files, folder = kept
    ours = [file for file in files if file.kind == KIND]
    assert [file.name for file in ours] == VOLUMES
    assert {file.media_type for file in ours} == {"application/gzip"}
    assert {file.sop_instance_uid for file in ours} == {None}
    for file in ours:
        assert hashlib.sha256((folder / file.path).read_bytes()).hexdigest() == file.sha256
    [listed] = [file for file in files if file.kind == TABLE_KIND]
    assert (listed.name, listed.media_type) == ("volumes.json", "application/json")


def test_each_pixel_of_the_series_lies_at_its_place_with_its_value(source, kept):
    """LPS of a pixel by PS3.3 C.7.6.2.1.1, from the header alone."""
    _, folder = kept
    read = sitk.ReadImage(str(folder / "high_b.nii.gz"))
    dice = np.random.default_rng(5)
    seen = 0
    for dataset in high_b_slices(source):
        position = np.array(dataset.ImagePositionPatient, float)
        along_row, along_column = np.array(dataset.ImageOrientationPatient, float).reshape(2, 3)
        between_rows, between_columns = map(float, dataset.PixelSpacing)
        for row, column in dice.integers(0, 32, (20, 2)):
            point = position + along_row * between_columns * column
            point = point + along_column * between_rows * row
            stored = int(dataset.pixel_array[row, column])
            slope, intercept = dataset.get("RescaleSlope", 1), dataset.get("RescaleIntercept", 0)
            value = stored * float(slope) + float(intercept)
            index = read.TransformPhysicalPointToIndex(point.tolist())
            assert read.GetPixel(*index) == pytest.approx(value, abs=0.5 + 1e-3)
            seen += 1
    assert seen == 8 * 20


def test_arrays_are_those_of_the_run(findings, kept):
    _, folder = kept
    adc, read = findings.fit.adc_um2_s, array(folder, "adc.nii.gz")
    assert np.array_equal(read == 0, np.isnan(adc))
    valid = np.isfinite(adc)
    np.testing.assert_allclose(read[valid], adc[valid], atol=0.5)
    assert np.array_equal(array(folder, "segmentation.nii.gz"), findings.labels)
    assert np.array_equal(array(folder, "lesions.nii.gz"), findings.lesion_labels)
    assert np.array_equal(array(folder, "focal_lesions.nii.gz"), findings.focal.labels)


def test_probabilities_lie_on_the_networks_grid(kept):
    _, folder = kept
    read = sitk.ReadImage(str(folder / "probability_disease.nii.gz"))
    assert read.GetSize() == COARSE.shape[::-1]
    np.testing.assert_allclose(read.GetSpacing(), COARSE.spacing_mm[::-1])
    np.testing.assert_allclose(
        read.TransformIndexToPhysicalPoint((3, 2, 1)), COARSE.to_patient_mm((1, 2, 3)), atol=1e-3
    )
    assert (array(folder, "probability_disease.nii.gz").max()) == pytest.approx(1.0)


def test_the_table_says_what_each_file_holds(table, findings, kept):
    _, folder = kept
    assert [row["file"] for row in table["volumes"]] == VOLUMES
    rows = {row["file"]: row for row in table["volumes"]}
    assert rows["high_b.nii.gz"]["b_s_mm2"] == 900.0
    assert (rows["adc.nii.gz"]["unit"], rows["adc.nii.gz"]["invalid"]) == ("um2/s", 0)
    names = {label["value"]: label["name"] for label in rows["segmentation.nii.gz"]["labels"]}
    assert names == {s.label: s.name for s in STRUCTURES[1:]}
    lesions = {label["value"]: label["name"] for label in rows["lesions.nii.gz"]["labels"]}
    assert lesions == {one.label: one.name for one in findings.measurement.lesions}
    assert [label["name"] for label in rows["focal_lesions.nii.gz"]["labels"]] == ["F01"]
    assert rows["probability_disease.nii.gz"]["threshold"] == findings.burden.threshold
    assert rows["probability_skeleton.nii.gz"]["threshold"] is None
    for name, row in rows.items():
        read = sitk.ReadImage(str(folder / name))
        affine = np.array(row["grid"]["index_to_lps_mm"])
        corner = [n - 1 for n in row["grid"]["shape"]]
        point = read.TransformIndexToPhysicalPoint([int(n) for n in corner[::-1]])
        np.testing.assert_allclose(affine @ [*corner, 1], [*point, 1], atol=1e-3)


def test_the_table_holds_nothing_of_the_patient(kept, findings):
    _, folder = kept
    said = (folder / "volumes.json").read_text(encoding="utf-8")
    header = pydicom.dcmread(findings.study.sources[0].images_by_b[900.0][0].path)
    assert str(header.PatientID) not in said
    assert str(header.PatientName) not in said


def test_the_same_run_gives_the_same_bytes(findings, kept, tmp_path):
    files, _ = kept
    again = tuple(write_volumes(findings, tmp_path))
    assert again == tuple(f for f in files if f.kind in (KIND, TABLE_KIND))


def test_a_site_without_them_gets_the_same_objects(findings, kept, tmp_path):
    files, _ = kept
    without = replace(RUN, build=replace(RUN.build, volumes=False))
    assert uid_seed(findings, without) == uid_seed(findings, RUN)
    made = encode(findings, without, tmp_path, {})
    assert {file.kind for file in made}.isdisjoint({KIND, TABLE_KIND})
    assert list(tmp_path.glob("*.nii*")) == []
    objects = [file for file in files if file.sop_instance_uid]
    assert [file for file in made if file.sop_instance_uid] == objects
    assert all(isinstance(file, ResultFile) for file in made)


def test_what_goes_wrong_with_them_is_not_lost(findings, tmp_path):
    broken = replace(findings, labels=findings.labels[1:])
    with (
        pytest.raises(Exception, match="shape"),
        written_beside(lambda: write_volumes(broken, tmp_path)) as (volumes,),
    ):
        volumes()


def test_files_are_written_in_turn_and_given_to_those_who_ask():
    turns = []
    with written_beside(
        lambda: turns.append("a") or ["first"], lambda: turns.append("b") or ()
    ) as (a, b):
        assert b() == ()
        assert a() == ("first",)
    assert turns == ["a", "b"]
