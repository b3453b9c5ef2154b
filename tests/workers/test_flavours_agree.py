"""Whoever's scanner sent it, one phantom gives the same numbers: the whole path, every flavour."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pydicom
import pytest

from dicom_objects.scanner import derived, study
from dicom_objects.scanner.study import Flavour, write_study
from imaging.adc import SCANNERS_MAP
from imaging.disease import DiseaseRule
from imaging.labelling import label_anatomy
from phantom.acquisition import Protocol, acquire
from phantom.patient import make_patient
from tests.workers.conftest import BUILD
from workers import pipeline
from workers.anatomy import declared_structures
from workers.encoding import Run
from workers.inference.torchscript import TorchScriptModel
from workers.recording import QuietRecorder

# A person with 290 mL of disease in two stations: enough voxels that one is far below 0.5 %.
PATIENT = 1000
PROTOCOL = Protocol(
    b_values=(0.0, 900.0), n_stations=2, in_plane_mm=5.0, slice_mm=7.0, matrix=(80, 104)
)
SERVED = Path(__file__).parents[2] / "model_repository" / "anatomy"
HALF_A_PERCENT = 0.005


class AskedOnce:
    """The served network, asked for the first flavour only: it takes longer than all the rest.

    Later flavours must show it the same picture on the same grid; then its answer is the same.
    """

    def __init__(self):
        self.model = TorchScriptModel(SERVED, 2)
        self.spec = self.model.spec
        self.first = None

    def predict(self, model_input, on_progress):
        if self.first is None:
            self.first = model_input, self.model.predict(model_input, on_progress)
        asked, answer = self.first
        assert model_input.geometry.matches(asked.geometry, tolerance_mm=1e-3)
        # Channels are ADC in 1000 µm²/s and S0 relative to the body's; without signal the ADC is
        # that of rounding.
        body = asked.array[1] > 0.1
        difference = np.abs(model_input.array - asked.array)[:, body]
        assert difference.mean() < 0.005
        assert np.percentile(difference, 99) < 0.03
        return answer


@pytest.fixture(scope="module", autouse=True)
def _quick():
    """Paint the pictures around once, and write no results: their own tests are elsewhere."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("localizer", "t2_stack"):
            painted = getattr(study, name)(make_patient(PATIENT))
            patch.setattr(study, name, lambda _, painted=painted: painted)
        patch.setattr(pipeline, "encode", lambda *_: ())
        yield


@pytest.fixture(scope="module")
def asked():
    return AskedOnce()


@pytest.fixture(scope="module")
def measured(asked, tmp_path_factory):
    """What is measured on one flavour; each flavour runs once."""
    acquisition = acquire(make_patient(PATIENT), PROTOCOL)
    path = pipeline.Pipeline(asked, DiseaseRule())
    done = {}

    def measure(flavour):
        if flavour not in done:
            folder = tmp_path_factory.mktemp(flavour.value)
            files = write_study(acquisition, folder / "study", flavour=flavour)
            out = folder / "results"
            out.mkdir()
            run = Run(f"run-{flavour}", datetime(2026, 1, 1, tzinfo=UTC), "0" * 64, BUILD)
            outcome = path.run(files, out, run, QuietRecorder())
            done[flavour] = outcome.findings.measurement
        return done[flavour]

    measure(Flavour.STANDARD)
    return measure


@pytest.mark.parametrize("flavour", list(Flavour))
def test_tdv_and_gadc_are_those_of_the_standard_flavour(flavour, measured):
    reference, found = measured(Flavour.STANDARD), measured(flavour)
    assert reference.tdv_ml > 100
    # Each lies within half of the tolerance, so any two agree within it.
    assert found.tdv_ml == pytest.approx(reference.tdv_ml, rel=HALF_A_PERCENT / 2)
    assert found.adc.median == pytest.approx(reference.adc.median, rel=HALF_A_PERCENT / 2)


def test_the_scanners_adc_map_stands_for_the_fit(measured, asked, tmp_path, monkeypatch):
    """With b 900 and the map alone: the phantom's map is the fit of the same two b-values.

    Where a scanner blanks its map nothing is measured; this one blanks almost nothing. The
    network's answer is held equal, since it would see the map's zeros around the body.
    """
    monkeypatch.setattr(derived, "_ADC_NOISE_FLOOR", 1e-4)
    expected = measured(Flavour.STANDARD)
    files = write_study(acquire(make_patient(PATIENT), PROTOCOL), tmp_path / "study")
    sent = [f for f in files if not weighted_by_zero(f)]
    (tmp_path / "out").mkdir()
    run = Run("run-map", datetime(2026, 1, 1, tzinfo=UTC), "0" * 64, BUILD)
    model_input, answer = asked.first
    structures = declared_structures(asked.spec)
    monkeypatch.setattr(
        pipeline,
        "find_anatomy",
        lambda _fit, grid, *_: label_anatomy(answer, model_input.geometry, structures, grid),
    )
    path = pipeline.Pipeline(asked, DiseaseRule())
    found = path.run(sent, tmp_path / "out", run, QuietRecorder()).findings
    assert found.fit.method == SCANNERS_MAP
    assert found.fit.b_values == (900.0,)
    assert "VENDOR_ADC" in [note.code for note in found.quality]
    assert "UNUSUAL_B" not in [note.code for note in found.quality]
    assert found.measurement.tdv_ml == pytest.approx(expected.tdv_ml, rel=HALF_A_PERCENT)
    assert found.measurement.adc.median == pytest.approx(expected.adc.median, rel=HALF_A_PERCENT)


def weighted_by_zero(path):
    return pydicom.dcmread(path, stop_before_pixels=True).get("DiffusionBValue") == 0
