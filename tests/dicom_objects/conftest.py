"""A tiny acquisition: three stations of 8 slices of 32x32, three b-values, known ADC."""

from types import SimpleNamespace

import numpy as np
import pytest

from dicom_objects.reading.diffusion import read_study
from dicom_objects.scanner import study as scanner
from dicom_objects.writing.results import ResultContent, encode_results
from imaging.adc import fit_adc
from imaging.anatomy import STRUCTURES
from imaging.diffusion import DiffusionVolume, Station
from imaging.disease import DiseaseMask
from imaging.geometry import Geometry
from imaging.measurement import MeasurementSettings, measure
from imaging.provenance import BurdenMethod, ModelIdentity, Provenance
from imaging.quality import QualityNote
from imaging.stations import assemble
from phantom.patient import BodyModelName

B_VALUES = (50.0, 600.0, 900.0)
SPACING_MM = (5.0, 3.0, 3.0)
SLICES = 8
STEP = 6  # slices from one station to the next: 2 overlap


def make_station(position, b_values=B_VALUES):
    rng = np.random.default_rng(position)
    shape = (SLICES, 32, 32)
    geometry = Geometry.axial(shape, SPACING_MM, (-46.5, -46.5, position * STEP * 5.0))
    s0 = 200.0 + 800.0 * rng.random(shape)
    adc = 600.0 + 1200.0 * rng.random(shape)
    images = {b: (s0 * np.exp(-b * adc * 1e-6)).astype(np.float32) for b in b_values}
    return Station(f"station {position + 1}", DiffusionVolume(geometry, images))


def make_acquisition(n_stations=3, seed=7, b_values=B_VALUES):
    stations = tuple(make_station(k, b_values) for k in range(n_stations))
    beaded = BodyModelName.BEADED
    return SimpleNamespace(stations=stations, seed=seed, truth=None, body_model=beaded)


def picture(slices, step_mm):
    shape = (slices, 24, 32)
    image = np.linspace(0.0, 400.0, slices * 24 * 32, dtype=np.float32).reshape(shape)
    return image, Geometry.axial(shape, (step_mm, 4.0, 4.0), (-62.0, -46.0, 0.0))


@pytest.fixture(scope="session")
def acquisition():
    return make_acquisition()


@pytest.fixture(scope="session")
def study_files(acquisition, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        # Painting a person takes longer than all of these tests; any picture distracts.
        patch.setattr(scanner, "make_patient", lambda seed, _: seed)
        patch.setattr(scanner, "localizer", lambda _: picture(slices=3, step_mm=300.0))
        patch.setattr(scanner, "t2_stack", lambda _: picture(slices=6, step_mm=8.0))
        return scanner.write_study(acquisition, tmp_path_factory.mktemp("study"))


@pytest.fixture(scope="session")
def study(study_files):
    return read_study(study_files)


@pytest.fixture(scope="session")
def content(study):
    return make_content(study)


def make_content(study, *, seed="seed", finished_at="2026-03-01T12:00:05.250000+00:00"):
    """Bars of bone through all slices, two organs, three lesions, the second across stations."""
    assembly = assemble(study.stations)
    shape = assembly.volume.geometry.shape
    labels = np.zeros(shape, np.uint8)
    for k, structure in enumerate(STRUCTURES[1:]):
        labels[:, 1 + (k % 5) * 6 : 6 + (k % 5) * 6, 1 + (k // 5) * 8 : 8 + (k // 5) * 8] = (
            structure.label
        )
    lesions = np.zeros(shape, np.uint16)
    lesions[1:4, 2:5, 2:6] = 1
    lesions[5:10, 8:11, 3:7] = 2
    lesions[-2:, 14:16, 2:5] = 3
    rule = DiseaseMask(lesions > 0, 1.5, 0.25)
    fit = fit_adc(assembly.volume)
    measured = measure(
        fit.adc_um2_s, labels, rule, lesions, assembly.volume.geometry, MeasurementSettings()
    )
    model = ModelIdentity("anatomy", "1.0.0", "ab" * 32)
    disease = ModelIdentity("disease", "2.0.0", "ef" * 32)
    provenance = Provenance(
        software_version="0.1.0",
        git_commit="0123456789abcdef0123456789abcdef01234567",
        models=(model, disease),
        settings_digest="cd" * 32,
        device_uid="2.25.1234567890",
        run_id="run-1",
        started_at="2026-03-01T12:00:00+00:00",
        finished_at=finished_at,
        burden=BurdenMethod("network", disease, 0.45, "probability"),
    )
    note = QualityNote("SIGNAL_STEP", "warning", "A signal step of 12% remains.", 0.12)
    return ResultContent(study, assembly, fit, labels, lesions, measured, provenance, seed, (note,))


@pytest.fixture(scope="session")
def results(content, tmp_path_factory):
    return encode_results(content, tmp_path_factory.mktemp("results"))
