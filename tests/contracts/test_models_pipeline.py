"""One study through the whole path twice: the shipped model in the worker, and on a Triton."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from dicom_objects.scanner.study import write_study
from phantom.acquisition import Protocol, acquire
from phantom.patient import make_patient
from tests.model_server import PROJECT, ModelServer
from tests.workers.conftest import BUILD
from workers.child import load_pipeline
from workers.configuration import Assignment, WorkerConfiguration
from workers.encoding import Run
from workers.recording import QuietRecorder
from workers.summary import summarise

SHIPPED = PROJECT / "model_repository"
PROTOCOL = Protocol(
    b_values=(0.0, 900.0), n_stations=4, in_plane_mm=5.0, slice_mm=7.0, matrix=(80, 104)
)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The repository as it ships; nothing in it is changed for Triton."""
    with ModelServer(SHIPPED, tmp_path_factory.mktemp("triton") / "log") as server:
        yield server


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """One station of a person with disease: enough for every stage, and quick."""
    folder = tmp_path_factory.mktemp("study")
    files = write_study(acquire(make_patient(1000), PROTOCOL), folder, distractors=False)
    return [file for file in files if "_st3_" in str(file)]


def run(configuration, study, folder):
    """What a job's child does with a configuration, which crosses to it as JSON."""
    crossed = Assignment.from_json(Assignment("a" * 32, 1, configuration).to_json()).configuration
    folder.mkdir()
    told = QuietRecorder()
    at = Run("run-1", datetime(2026, 1, 1, tzinfo=UTC), "0" * 64, BUILD)
    return load_pipeline(crossed).run(study, folder, at, told)


def test_embedded_and_production_mode_give_the_same_numbers_and_files(server, study, tmp_path):
    embedded = WorkerConfiguration(
        store_url="sqlite://",
        spool_dir=tmp_path,
        results_dir=tmp_path,
        anatomy_model=SHIPPED / "anatomy",
        build=BUILD,
        normalisation={"without_canal": "percentile"},
        threads=1,
    )
    production = replace(embedded, model_server=server.endpoint(deadline_s=300.0))
    one = run(embedded, study, tmp_path / "embedded")
    other = run(production, study, tmp_path / "production")
    numbers = summarise(one.findings)
    assert numbers["tdv_ml"] > 50
    assert summarise(other.findings) == numbers
    assert (one.findings.labels == other.findings.labels).all()
    assert [f.path for f in one.files] == [f.path for f in other.files]
    assert document(tmp_path / "embedded") == document(tmp_path / "production")
    objects = [file.path for file in one.files if file.path.endswith(".dcm")]
    assert objects
    for path in objects:
        ours, theirs = tmp_path / "embedded" / path, tmp_path / "production" / path
        assert ours.read_bytes() == theirs.read_bytes(), path


def document(folder):
    """Return measurements.json without the times that a run took."""
    fields = json.loads((folder / "measurements.json").read_text(encoding="utf-8"))
    for name in ("started_at", "finished_at"):
        del fields["provenance"][name]
    return {name: value for name, value in fields.items() if name != "stages"}
