"""Where one high b-value is all that was sent, the scanner's ADC map stands for the fit."""

import random

import numpy as np
import pytest

from dicom_objects.errors import NoUsableDiffusion
from dicom_objects.reading.completeness import WholeBody, judge_completeness
from dicom_objects.reading.diffusion import describe_study, read_study
from dicom_objects.reading.headers import read_headers
from dicom_objects.reading.limits import FitLimits
from imaging.adc import fit_adc
from tests.dicom_objects.editing import copy_study, edit, series_record

HIGH_B = (103, 203)
MAPS = (150, 250)
STEP_MM = 30.0
"""From one station to the next."""


@pytest.fixture
def series(study_files, tmp_path):
    return copy_study(study_files, tmp_path)


def of(series, *numbers):
    return [path for number in numbers for path in series[number]]


def vendor_adc(volume):
    b, low = volume.b_values, volume.images[volume.b_values[0]].astype(float)
    return np.log(low / volume.high_b) / (b[-1] - b[0]) * 1e6


def refused(paths):
    with pytest.raises(NoUsableDiffusion) as caught:
        read_study(paths)
    return caught.value


def test_the_fit_gives_the_scanners_adc_again(acquisition, series):
    study = read_study(of(series, *HIGH_B, *MAPS))
    assert study.has_vendor_adc
    for found, sent in zip(study.stations, acquisition.stations[:2], strict=True):
        assert found.volume.b_values == (0.0, 900.0)
        fit = fit_adc(found.volume)
        valid = np.isfinite(fit.adc_um2_s)
        assert valid.mean() > 0.2
        # The file holds whole µm²/s; S0 and S are float32.
        assert np.abs(fit.adc_um2_s - vendor_adc(sent.volume))[valid].max() <= 0.6


def test_image_and_map_are_both_used_and_say_so(series):
    study = read_study(of(series, *HIGH_B, *MAPS))
    assert all(r.used and r.code is None and r.reason == "used." for r in study.series)
    (note,) = series_record(study.series, 150).notes
    assert note == "the scanner's ADC map stands for the fit: only b 900 was sent."
    assert [len(source.vendor_adc) for source in study.sources] == [8, 8]
    assert all(tuple(source.images_by_b) == (900.0,) for source in study.sources)


def test_the_order_of_the_files_does_not_matter(series):
    paths = of(series, *HIGH_B, *MAPS)
    expected = read_study(paths)
    random.Random(3).shuffle(paths)
    again = read_study(paths)
    assert again.series == expected.series
    for a, b in zip(again.stations, expected.stations, strict=True):
        assert np.array_equal(a.volume.images[0.0], b.volume.images[0.0])


def test_a_map_is_not_used_where_one_station_can_be_fitted(series):
    study = read_study(of(series, 101, 103, 203, *MAPS))
    assert not study.has_vendor_adc
    assert [s.volume.b_values for s in study.stations] == [(50.0, 900.0)]
    assert series_record(study.series, 250).code == "VENDOR_ADC"
    assert series_record(study.series, 203).code == "ONE_SHELL_ONLY"


def test_a_map_that_lacks_a_slice_does_not_stand_for_the_fit(series):
    error = refused(of(series, 103) + series[150][1:])
    assert error.code == "ONE_SHELL_ONLY"
    assert "no ADC map(s) of the scanner show all of its slices" in str(error)
    assert series_record(error.series, 150).code == "VENDOR_ADC"


def test_a_map_beside_the_images_does_not_stand_for_the_fit(series):
    for path in series[150]:
        edit(path, lambda h: h.ImagePositionPatient.__setitem__(0, h.ImagePositionPatient[0] + 1))
    assert refused(of(series, 103, 150)).code == "ONE_SHELL_ONLY"


def test_two_maps_of_one_place_are_not_chosen_from(series):
    for path in series[250]:
        edit(
            path,
            lambda h: h.ImagePositionPatient.__setitem__(2, h.ImagePositionPatient[2] - STEP_MM),
        )
    error = refused(of(series, 103, 150, 250))
    assert error.code == "ONE_SHELL_ONLY"
    assert "2 ADC map(s) of the scanner show all of its slices" in str(error)


def test_a_high_b_that_is_not_fitted_is_not_measured_by_a_map_either(series):
    limits = FitLimits(highest_b_max=800.0)
    with pytest.raises(NoUsableDiffusion, match="at b 400 to 800 only"):
        read_study(of(series, *HIGH_B, *MAPS), limits)


def test_a_map_of_an_impossible_unit_is_refused_by_name(series):
    for path in of(series, *MAPS):
        edit(path, lambda h: setattr(h, "RescaleSlope", "30"))
    error = refused(of(series, *HIGH_B, *MAPS))
    assert error.code == "ADC_UNIT"
    assert [r.code for r in error.series] == ["ADC_UNIT"] * 4


def test_describing_says_what_reading_says(series):
    paths = of(series, *HIGH_B, *MAPS)
    assert describe_study(paths) == (read_study(paths).series, None)


def test_such_a_study_never_looks_whole_since_more_b_values_may_come(series):
    frames, _ = read_headers(of(series, *HIGH_B, *MAPS))
    judged = judge_completeness(frames, WholeBody(coverage_mm=20.0))
    assert (judged.complete, judged.sentence) == (False, "1 of 2 b-values")
