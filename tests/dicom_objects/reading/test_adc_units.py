"""The unit of a scanner's ADC map comes from its header, else from what an ADC of a body can be."""

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset

from dicom_objects.reading.adc_units import UnknownAdcUnit, load_adc, unit_um2_s
from dicom_objects.reading.headers import read_headers
from tests.dicom_objects.editing import copy_study, edit


@pytest.mark.parametrize(
    ("words", "um2_s"),
    [
        ("um2/s", 1.0),
        ("µm²/s", 1.0),
        ("um2/ms", 1000.0),
        ("mm2/s", 1e6),
        ("1e-6 mm2/s", 1.0),
        ("10^-6 mm^2/s", 1.0),
        ("10*-6.mm2/s", 1.0),
        ("x 10-3 mm²/s", 1000.0),
        ("10*-3.mm2/s", 1000.0),
        ("ADC (10^-6 mm²/s)", 1.0),
        ("ADC_b50_800 [um2/s]", 1.0),
        ("US", None),
        ("", None),
        ("ADC_800", None),
    ],
)
def test_words_name_a_unit(words, um2_s):
    assert unit_um2_s(words) == (None if um2_s is None else pytest.approx(um2_s))


@pytest.fixture
def volume(acquisition):
    return acquisition.stations[0].volume


@pytest.fixture
def maps(study_files, tmp_path):
    return copy_study([p for p in study_files if p.parent.name.startswith("150")], tmp_path)[150]


def loaded(maps, volume):
    frames, _ = read_headers(maps)
    return load_adc(sorted(frames, key=lambda f: f.plane.position_mm[2]), volume.high_b)


def expected(volume):
    """What the files hold: the two-point ADC of the acquisition, in whole µm²/s."""
    b = volume.b_values
    low, high = volume.images[b[0]].astype(float), volume.high_b.astype(float)
    return np.log(low / high) / (b[-1] - b[0]) * 1e6


def close_to_truth(adc, volume):
    inside = adc > 0
    return inside.any() and np.abs(adc - expected(volume))[inside].max() <= 0.51


def test_a_map_without_a_unit_is_judged_by_its_range(volume, maps):
    assert close_to_truth(loaded(maps, volume), volume)


@pytest.mark.parametrize("unit", [1e-3, 1e-6])
def test_larger_units_without_a_name_are_found_too(volume, maps, unit):
    for path in maps:
        edit(path, lambda h: setattr(h, "RescaleSlope", str(unit)))
    assert close_to_truth(loaded(maps, volume), volume)


def test_the_rescale_type_names_the_unit(volume, maps):
    for path in maps:
        edit(path, lambda h: (setattr(h, "RescaleSlope", "0.001"), named(h, "10^-3 mm^2/s")))
    assert close_to_truth(loaded(maps, volume), volume)


def named(header, words):
    header.RescaleType = words


def real_world(slope, code):
    unit, mapping = Dataset(), Dataset()
    unit.CodeValue, unit.CodingSchemeDesignator, unit.CodeMeaning = code, "UCUM", code
    mapping.RealWorldValueSlope, mapping.RealWorldValueIntercept = slope, 0.0
    mapping.MeasurementUnitsCodeSequence = [unit]
    return [mapping]


def test_a_real_world_value_wins_over_the_rescale(volume, maps):
    for path in maps:
        edit(path, lambda h: (setattr(h, "RescaleSlope", "7"), named(h, "um2/s")))
        edit(path, lambda h: setattr(h, "RealWorldValueMappingSequence", real_world(1e-6, "mm2/s")))
    assert close_to_truth(loaded(maps, volume), volume)


def test_a_unit_that_no_body_can_have_is_refused(volume, maps):
    for path in maps:
        edit(path, lambda h: named(h, "10^-3 mm^2/s"))
    with pytest.raises(UnknownAdcUnit, match="says 1000 µm²/s a unit") as caught:
        loaded(maps, volume)
    assert caught.value.code == "ADC_UNIT"


def test_slices_of_different_units_are_refused(volume, maps):
    edit(maps[0], lambda h: named(h, "mm2/s"))
    with pytest.raises(UnknownAdcUnit, match="differ in unit"):
        loaded(maps, volume)


def test_the_files_are_as_the_scanner_writes_them(maps):
    assert pydicom.dcmread(maps[0]).RescaleType == "US"
