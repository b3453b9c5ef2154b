"""Each note on a synthetic acquisition with the flaw and without it."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from imaging.adc import fit_adc
from imaging.anatomy import BONES, SPINAL_CANAL
from imaging.diffusion import DiffusionVolume
from imaging.disease import disease_mask
from imaging.lesions import find_lesions
from imaging.measurement import MeasurementSettings, measure
from imaging.normalisation import normalise_high_b
from imaging.resampling import resample
from imaging.stations import assemble
from phantom import acquisition
from phantom.acquisition import Protocol, acquire
from phantom.patient import PatientOptions, make_patient
from phantom.tissue import Tissue
from workers.observations import Observations

COARSE = Protocol(n_stations=3, in_plane_mm=5.0, slice_mm=10.0, matrix=(80, 104), overlap=3)
SEED = 901


def scan(protocol=COARSE):
    return acquire(make_patient(SEED, PatientOptions(diseased=False)), protocol)


@pytest.fixture(scope="module")
def healthy():
    return scan()


def observe(stations, truth, series=()):
    """The path of a study with the true anatomy in place of a model's."""
    assembly = assemble(stations)
    volume, grid = assembly.volume, assembly.volume.geometry
    labels = resample(truth.labels, truth.geometry, grid, order=0)
    fit = fit_adc(volume)
    adc = fit.adc_um2_s
    signal = normalise_high_b(volume.high_b, adc, labels == SPINAL_CANAL.label, grid)
    bone = np.isin(labels, [b.label for b in BONES])
    disease = disease_mask(signal.image, adc, bone, labels, grid)
    lesions = find_lesions(disease.mask, grid)
    measured = measure(adc, labels, disease, lesions, grid, MeasurementSettings())
    study = SimpleNamespace(stations=stations, series=series, has_vendor_adc=False)
    notes = Observations(study, assembly, fit, labels, signal, measured).notes()
    return {note.code: note for note in notes}


def changed(station, change, which=-1):
    """Put `change` on the images of one b-value of a station."""
    images = dict(station.volume.images)
    b = list(images)[which]
    images[b] = change(images[b]).astype(np.float32)
    return replace(station, volume=DiffusionVolume(station.volume.geometry, images))


def test_a_healthy_acquisition_gives_no_note(healthy):
    assert observe(healthy.stations, healthy.truth) == {}


def test_residual_fat(monkeypatch):
    def bright_fat(body, _rng):
        fat = np.isin(body.tissue, (Tissue.FAT, Tissue.VISCERAL_FAT))
        left = np.arange(body.tissue.shape[2]) > body.tissue.shape[2] // 2
        return np.where(fat & left, np.float32(55), np.float32(0))

    monkeypatch.setattr(acquisition, "residual_fat", bright_fat)
    flawed = scan()
    found = observe(flawed.stations, flawed.truth)
    assert set(found) == {"FAT_SUPPRESSION"}
    assert found["FAT_SUPPRESSION"].measured > 0.1


def test_motion_of_one_station(healthy):
    low, middle, high = healthy.stations
    moved = changed(middle, lambda image: np.roll(image, 2, axis=1))  # 10 mm
    note = observe((low, moved, high), healthy.truth)["MOTION"]
    assert note.measured == pytest.approx(10.0, abs=4.0)
    assert "in station 2;" in note.text


def test_a_station_that_drowns_in_noise(healthy):
    low, middle, high = healthy.stations
    rng = np.random.default_rng(0)

    def noisy(image):
        sigma = float(np.percentile(image, 80))
        real, imaginary = rng.normal(0, sigma, (2, *image.shape))
        return np.hypot(image + real, imaginary)

    found = observe((changed(low, noisy), middle, high), healthy.truth)
    assert "in station 1;" in found["LOW_SIGNAL"].text
    assert found["LOW_SIGNAL"].measured < 2.0


def test_a_signal_step_at_the_high_b_only(healthy):
    low, middle, high = healthy.stations
    found = observe((low, middle, changed(high, lambda image: 1.5 * image)), healthy.truth)
    assert found["SIGNAL_STEP"].measured > 0.2


def test_slices_that_are_missing_beside_used_ones(healthy):
    series = (
        SimpleNamespace(series_number=5, faults=()),
        SimpleNamespace(series_number=7, faults=("MISSING_SLICES",)),
        SimpleNamespace(series_number=8, faults=("B_CONFLICT",)),
    )
    found = observe(healthy.stations, healthy.truth, series)
    assert set(found) == {"MISSING_SLICES"}
    assert "series 7" in found["MISSING_SLICES"].text


def test_a_body_without_its_top_station(healthy):
    found = observe(healthy.stations[:-1], healthy.truth)
    assert set(found) == {"PARTIAL_COVERAGE"}
    assert "Skull" in found["PARTIAL_COVERAGE"].text


def test_b_0_in_place_of_b_50():
    flawed = scan(replace(COARSE, b_values=(0.0, 900.0)))
    found = observe(flawed.stations, flawed.truth)
    assert set(found) == {"UNUSUAL_B"}
