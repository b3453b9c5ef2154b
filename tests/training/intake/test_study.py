"""A user's DICOM study becomes the very input that serving would make of it."""

import dataclasses
import json
import shutil
from contextlib import nullcontext

import numpy as np
import pytest

from dicom_objects.reading.diffusion import read_study
from dicom_objects.scanner.study import write_study
from dicom_objects.writing.plan import ObjectPlan
from dicom_objects.writing.segmentation import encode_segmentation
from dicom_objects.writing.segments import segments_of
from dicom_objects.writing.slices import read_slices
from imaging.adc import fit_adc
from imaging.disease import DiseaseRule
from imaging.model import Channel, ModelSpec
from imaging.nifti import write_image
from imaging.normalisation import MEASURE_ANYWAY
from imaging.provenance import BurdenMethod, Provenance
from imaging.resampling import resample
from imaging.stations import assemble
from phantom.acquisition import Protocol, acquire
from phantom.patient import make_patient
from tests.workers.measured import RUN
from tests.workers.served import Fraction, write_model
from training.cases import labels_on_grid, read_case
from training.cohort import Recipe
from training.errors import TrainingError
from training.inputs import anatomy_input
from training.intake.class_map import ClassMap
from training.intake.exams import find_exams
from training.intake.prepare import find_sources, prepare_sources
from training.intake.splits import read_splits
from training.intake.study import network_input, studies_in, study_case, whole_body
from training.tasks import TASKS
from workers.anatomy import find_anatomy
from workers.inference.torchscript import TorchScriptModel
from workers.pipeline import Pipeline

PROTOCOL = Protocol(
    b_values=(0.0, 900.0), n_stations=2, in_plane_mm=5.0, slice_mm=12.0, matrix=(80, 104)
)
SPEC = ModelSpec(
    name="anatomy",
    version="1",
    channels=(
        Channel("adc_um2_s", "fixed", 1000.0, 3.5),
        Channel("s0", "percentile", 1.0, 4.0),
    ),
    spacing_mm=(12.0, 7.0, 7.0),
    orientation="SPL",
    slab_slices=16,
    slab_overlap=4,
    divisor=(4, 4, 4),
    classes=TASKS["anatomy"].classes,
    sha256="",
)
RECIPE = Recipe(SPEC)
PROVENANCE = Provenance(
    software_version="0",
    git_commit="0" * 40,
    models=(),
    settings_digest="0" * 64,
    device_uid="2.25.1",
    run_id="1",
    started_at="2026-03-01T12:00:00+00:00",
    finished_at="2026-03-01T12:00:00+00:00",
    burden=BurdenMethod("rule", None, 0.6, "normalised_signal"),
)


class Asked:
    """A model that keeps what serving gives it."""

    spec = SPEC
    given = None

    def predict(self, model_input, on_progress):
        self.given = model_input
        on_progress(1.0)
        answer = np.zeros((len(SPEC.classes), *model_input.array.shape[1:]), np.float16)
        answer[0] = 1
        return answer


@pytest.fixture(scope="module")
def acquisition():
    return acquire(make_patient(5), PROTOCOL)


@pytest.fixture(scope="module")
def images(acquisition, tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "DOE^JOHN"
    write_study(acquisition, folder / "images", distractors=False)
    return folder


@pytest.fixture(scope="module")
def labelled(images, acquisition):
    """The study with a SEG object for each station beside it."""
    study = read_study([p for p in images.rglob("*") if p.is_file()])
    truth = acquisition.truth
    for station, source in zip(study.stations, study.sources, strict=True):
        grid = station.volume.geometry
        labels = resample(truth.labels, truth.geometry, grid, order=0)
        slices = read_slices(source.images_by_b[max(source.images_by_b)], grid)
        segments = segments_of(labels, np.zeros(grid.shape, np.uint16), ())
        plan = ObjectPlan(station.name, 9001, "seed")
        seg = encode_segmentation(plan, slices, segments, PROVENANCE)
        seg.save_as(images / f"{station.name}.dcm")
    return images


@pytest.fixture(scope="module")
def case(labelled):
    (study,) = studies_in(labelled.parent)
    return study_case(study, RECIPE, ClassMap())


def test_training_and_serving_make_the_same_input_to_the_bit(labelled, case):
    files = sorted(p for p in labelled.rglob("*") if p.is_file())
    volume = assemble(read_study(files).stations).volume
    served = Asked()
    find_anatomy(fit_adc(volume), volume.geometry, served, lambda _: None)
    trained = anatomy_input(volume, SPEC)
    assert trained.array.tobytes() == served.given.array.tobytes()
    assert np.array_equal(trained.geometry.affine, served.given.geometry.affine)
    # What is cached is that array in half precision, nothing else.
    assert case.image.tobytes() == served.given.array.astype(np.float16).tobytes()
    assert np.array_equal(case.affine, served.given.geometry.affine)
    assert served.given.array[1].max() > 0.5


class CaughtError(Exception):
    """The input that a network was given, in place of an answer."""

    def __init__(self, given):
        self.given = given


class Catching:
    """A disease network that answers with what it was given."""

    def __init__(self, spec):
        self.spec = spec

    def predict(self, model_input, on_progress):
        del on_progress
        raise CaughtError(model_input)


class Deaf:
    """A recorder that nobody asks."""

    def stage(self, _):
        return nullcontext()

    def saw(self, _):
        pass

    fraction = saw


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::torch.jit.TracerWarning")
def test_the_disease_network_is_trained_on_what_the_pipeline_gives_it(labelled, tmp_path):
    """The whole path of a study, up to the disease network, against `prepare --data`.

    The anatomy model's answer is the same in bfloat16, so that no rounding hides a difference.
    """
    anatomy = write_model(tmp_path / "anatomy", Fraction(scale=0.25))
    quantities = ("normalised_high_b", "adc_um2_s", "bone_probability")
    channels = tuple(Channel(q, "fixed", 1000.0 if "adc" in q else 1.0, 4.0) for q in quantities)
    spec = dataclasses.replace(
        SPEC, name="disease", channels=channels, classes=TASKS["disease"].classes
    )
    pipeline = Pipeline(
        TorchScriptModel(anatomy),
        DiseaseRule(),
        Catching(spec),
        normalisation=MEASURE_ANYWAY,
    )
    files = sorted(p for p in labelled.rglob("*") if p.is_file())
    with pytest.raises(CaughtError) as caught:
        pipeline.run(files, tmp_path, RUN, Deaf())
    served = caught.value.given
    recipe = Recipe(spec, "disease", anatomy)
    (study,) = studies_in(labelled.parent)
    trained = network_input(whole_body(study), recipe)
    assert trained.array.tobytes() == served.array.tobytes()
    assert np.array_equal(trained.geometry.affine, served.geometry.affine)
    assert study_case(study, recipe, ClassMap()).image.tobytes() == (
        served.array.astype(np.float16).tobytes()
    )
    assert all(len(np.unique(channel)) > 100 for channel in served.array)


def test_the_segments_of_all_stations_are_labels_on_the_models_grid(case, acquisition):
    truth = acquisition.truth
    expected = labels_on_grid(truth.labels, truth.geometry, case.model_input.geometry)
    foreground = (expected > 0) | (case.labels > 0)
    # Labels went through the coarse slices of the stations once; most voxels stay.
    assert (case.labels == expected)[foreground].mean() > 0.8
    assert set(np.unique(expected)) <= set(np.unique(case.labels)) | {0}


def test_neither_name_nor_id_is_kept(labelled, tmp_path):
    heard = []
    sources = find_sources(labelled.parent, RECIPE, ClassMap())
    assert prepare_sources(sources, tmp_path, 1, 1, heard.append) == []
    assert len(heard) == 1
    written = "".join(p.name for p in tmp_path.iterdir()) + (tmp_path / "splits.json").read_text()
    assert "DOE" not in written
    assert "PHANTOM" not in written
    (name,) = heard
    assert read_splits(tmp_path).patient_of == {name: sources[0].patient}
    assert read_case(tmp_path / f"{name}.npz").labels.any()
    # What is there is left alone.
    again = find_sources(labelled.parent, RECIPE, ClassMap())
    assert prepare_sources(again, tmp_path, 1, 1, heard.append) == []
    assert len(heard) == 1


def test_a_label_map_beside_the_images_is_as_good(images, acquisition, tmp_path, case):
    folder = tmp_path / "study"
    shutil.copytree(images / "images", folder / "images")
    truth = acquisition.truth
    write_image(truth.labels + np.uint8(100), truth.geometry, folder / "labels.nii.gz")
    names = {str(100 + n): name for n, name in enumerate(SPEC.classes)} | {"100": "ignore"}
    (study,) = studies_in(tmp_path)
    found = study_case(study, RECIPE, ClassMap(names))
    expected = labels_on_grid(truth.labels, truth.geometry, found.model_input.geometry)
    assert (found.labels == expected).mean() > 0.999
    assert np.array_equal(found.image, case.image)


def test_a_study_is_an_exam_with_its_labels_on_the_grid_of_its_images(labelled, acquisition, case):
    (source,) = find_exams(labelled.parent, ClassMap())
    exam = source.make()
    assert (exam.name, exam.patient) == (case.name, source.patient)
    truth = acquisition.truth
    expected = resample(truth.labels, truth.geometry, exam.images.geometry, order=0)
    foreground = (expected > 0) | (exam.known.structures > 0)
    assert (exam.known.structures == expected)[foreground].mean() > 0.8
    assert exam.images.high_b is not None
    assert not exam.known.disease.any()  # no SEG of these names a lesion
    assert exam.known.gadc_um2_s is None


def test_a_study_without_labels_or_with_unknown_ones_is_refused_with_a_reason(images, tmp_path):
    folder = tmp_path / "data" / "a"
    shutil.copytree(images / "images", folder)
    sources = find_sources(tmp_path / "data", RECIPE, ClassMap())
    (refused,) = prepare_sources(sources, tmp_path / "out", 1, 1, lambda _: None)
    assert refused.code == "NO_LABELS"
    assert json.loads((tmp_path / "out/splits.json").read_text())["patients"] == {}


def test_a_folder_without_studies_is_refused(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(TrainingError, match="no DICOM study") as caught:
        studies_in(tmp_path)
    assert caught.value.code == "NO_STUDIES"
