"""The phantom's scanner writes standard MR images that hold what was acquired."""

import subprocess

import numpy as np
import pydicom
from pydicom.uid import MRImageStorage

from dicom_objects.scanner.study import Identity, write_study
from tests.dicom_objects.conftest import make_acquisition


def series_of(files):
    found = {}
    for path in files:
        found.setdefault(path.parent.name, []).append(path)
    return found


def test_one_series_per_station_and_b_value_with_distractors(study_files):
    names = set(series_of(study_files))
    assert {
        f"{s}0{k}_DWI_st{s}_b{b}" for s in (1, 2, 3) for k, b in ((1, 50), (2, 600), (3, 900))
    } <= names
    assert {"001_localizer", "002_T2_HASTE_pelvis", "150_DWI_st1_ADC"} <= names


def test_headers_say_b_value_position_and_frame(study_files):
    files = series_of(study_files)["202_DWI_st2_b600"]
    headers = [pydicom.dcmread(path) for path in files]
    assert {h.SOPClassUID for h in headers} == {MRImageStorage}
    assert {h.DiffusionBValue for h in headers} == {600.0}
    assert [h.ImagePositionPatient[2] for h in headers] == [30 + 5 * k for k in range(8)]
    assert headers[0].ImageOrientationPatient == [1, 0, 0, 0, 1, 0]
    assert headers[0].PixelSpacing == [3, 3]
    frames = {pydicom.dcmread(p).FrameOfReferenceUID for p in study_files}
    assert len(frames) == 1


def test_vendor_adc_is_in_micrometre_squared_per_second(study_files, acquisition):
    adc = pydicom.dcmread(series_of(study_files)["150_DWI_st1_ADC"][3])
    images = acquisition.stations[0].volume.images
    low, high = images[50.0][3], images[900.0][3]
    expected = np.log(low / high) / 850 * 1e6
    valid = adc.pixel_array > 0
    assert valid.mean() > 0.9
    assert np.abs(adc.pixel_array[valid] - expected[valid]).max() <= 0.51


def test_equal_acquisitions_give_equal_bytes_and_other_pixels_give_other_uids(tmp_path):
    def written(acquisition, name, identity=None):
        files = write_study(acquisition, tmp_path / name, identity, distractors=False)
        return [path.read_bytes() for path in files], pydicom.dcmread(files[0]).StudyInstanceUID

    first, uid = written(make_acquisition(1), "a")
    assert written(make_acquisition(1), "b") == (first, uid)
    assert written(make_acquisition(2), "c")[1] != uid
    other = Identity(patient_id="SOMEONE")
    assert written(make_acquisition(1), "d", other)[1] != uid


def test_dciodvfy_finds_no_error(study_files):
    for files in series_of(study_files).values():
        result = subprocess.run(
            ["/usr/bin/dciodvfy", "-new", files[-1]], capture_output=True, text=True, check=False
        )
        errors = [line for line in result.stderr.splitlines() if line.startswith("Error")]
        assert "MRImage" in result.stderr
        assert errors == [], files[-1].parent.name
