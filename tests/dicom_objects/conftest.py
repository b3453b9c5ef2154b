"""A tiny acquisition: three stations of 8 slices of 32x32, three b-values, known ADC."""

from types import SimpleNamespace

import numpy as np
import pytest

from dicom_objects.scanner import write_study
from imaging.diffusion import DiffusionVolume, Station
from imaging.geometry import Geometry

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
    return SimpleNamespace(stations=stations, seed=seed, truth=None)


@pytest.fixture(scope="session")
def acquisition():
    return make_acquisition()


@pytest.fixture(scope="session")
def study_files(acquisition, tmp_path_factory):
    return write_study(acquisition, tmp_path_factory.mktemp("study"))
