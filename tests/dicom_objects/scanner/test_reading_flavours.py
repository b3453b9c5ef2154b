"""Every flavour of one acquisition reads as the same stations."""

import numpy as np
import pytest

from dicom_objects.reading.diffusion import read_study
from dicom_objects.scanner.study import Flavour, write_study
from tests.dicom_objects.conftest import make_acquisition
from tests.dicom_objects.scanner.conftest import B_VALUES

ROUNDING = 1 / 12000
"""More than one stored integer of any flavour, as a share of the brightest voxel."""


@pytest.fixture(params=list(Flavour))
def flavour(request):
    return request.param


@pytest.fixture
def study(flavour, written):
    return read_study(written(flavour))


def test_stations_lie_where_they_were_acquired(study, imaged):
    assert len(study.stations) == len(imaged.stations)
    for read, acquired in zip(study.stations, imaged.stations, strict=True):
        assert read.volume.geometry.shape == acquired.volume.geometry.shape
        difference = read.volume.geometry.affine - acquired.volume.geometry.affine
        assert np.abs(difference).max() < 1e-6


def test_b_values_are_those_of_the_acquisition(study):
    for station in study.stations:
        assert station.volume.b_values == pytest.approx(B_VALUES, abs=0.01)


def test_a_study_without_b_0_reads_as_well(flavour, tmp_path):
    plain = make_acquisition(2)
    files = write_study(plain, tmp_path, distractors=False, flavour=flavour)
    stations = read_study(files).stations
    assert [s.volume.b_values for s in stations] == [(50.0, 600.0, 900.0)] * 2


def test_images_differ_by_one_scale_and_by_rounding(study, imaged):
    acquired = np.array([list(s.volume.images.values()) for s in imaged.stations])
    read = np.array([list(s.volume.images.values()) for s in study.stations])
    # One factor for the whole study: stations and b-values keep their relations.
    scale = (acquired * read).sum() / (read * read).sum()
    assert np.abs(read * scale - acquired).max() < ROUNDING * acquired.max()


def test_what_is_not_a_signal_is_not_used(study):
    for record in study.series:
        one = record.description.upper()
        beside = ("LOCALIZER", "HASTE", "CALC_BVAL", "_ADC", "APPARENT", "PHOENIX", "PS SERIES")
        if any(word in one for word in beside):
            assert not record.used
            assert record.code
        else:
            assert record.used == (not one.startswith("DDWIBS"))
