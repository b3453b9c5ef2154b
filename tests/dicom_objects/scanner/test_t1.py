"""T1-weighted stations that the phantom's scanner writes, read back with pydicom alone."""

import numpy as np
import pydicom
import pytest

from dicom_objects.scanner.flavours import Flavour
from dicom_objects.scanner.study import write_study
from imaging.geometry import Geometry
from phantom.t1 import T1Scan
from tests.dicom_objects.conftest import make_acquisition


def t1_scan(origin_mm=(-45.0, -45.0, -11.0), shape=(48, 44, 44), level=1.0):
    """A T1 scan around the tiny acquisition: its signal says where it is."""
    geometry = Geometry.axial(shape, (3.0, 2.0, 2.0), origin_mm)
    signal = level * np.arange(1, 1 + np.prod(shape), dtype=np.float32).reshape(shape)
    return T1Scan(signal, geometry, np.eye(4))


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    files = write_study(make_acquisition(), folder, distractors=False, t1=t1_scan())
    return [pydicom.dcmread(path) for path in files]


def _t1(datasets):
    return [d for d in datasets if d.SeriesDescription.startswith("t1_")]


def test_every_station_has_a_t1_series_of_the_same_table(written):
    series = {d.SeriesNumber: d for d in _t1(written)}
    assert sorted(series) == [11, 12, 13]
    diffusion = next(d for d in written if "DiffusionBValue" in d)
    for dataset in series.values():
        assert dataset.FrameOfReferenceUID == diffusion.FrameOfReferenceUID
        assert dataset.StudyInstanceUID == diffusion.StudyInstanceUID
        assert (dataset.ScanningSequence, dataset.EchoTime) == ("SE", 9.5)
        assert dataset.RepetitionTime == 560.0
        assert not dataset.get("ScanOptions")
        assert "DiffusionBValue" not in dataset


def test_slices_lie_where_their_signal_says(written):
    scan = t1_scan()
    for dataset in _t1(written):
        x, y, z = (float(v) for v in dataset.ImagePositionPatient)
        k = round((z - scan.geometry.origin_mm[2]) / 3.0)
        assert (x, y) == pytest.approx(scan.geometry.origin_mm[:2])
        stored = dataset.pixel_array * float(dataset.RescaleSlope)
        assert stored == pytest.approx(scan.image[k], abs=float(dataset.RescaleSlope))


def test_a_station_shows_the_slices_of_its_slab(written):
    """Stations of 8 slices of 5 mm from -2.5 to 37.5 mm and so on: T1 lies every 3 mm from -11."""
    z = sorted(float(d.ImagePositionPatient[2]) for d in _t1(written) if d.SeriesNumber == 11)
    assert (z[0], z[-1]) == (-2.0, 37.0)


def test_other_pixels_have_other_uids(tmp_path, written):
    other = write_study(
        make_acquisition(), tmp_path, distractors=False, t1=t1_scan(level=2.0, shape=(48, 40, 40))
    )
    uids = {d.SOPInstanceUID for d in _t1([pydicom.dcmread(path) for path in other])}
    assert not uids & {d.SOPInstanceUID for d in written}


@pytest.mark.parametrize("flavour", list(Flavour))
def test_every_flavour_has_its_own_equipment_in_t1_too(flavour, tmp_path):
    acquisition = make_acquisition(2)
    files = write_study(acquisition, tmp_path, distractors=False, flavour=flavour, t1=t1_scan())
    datasets = [pydicom.dcmread(path, stop_before_pixels=True) for path in files]
    images = [d for d in datasets if d.get("Modality") == "MR"]
    assert len({d.Manufacturer for d in images}) == 1
    frames = {d.FrameOfReferenceUID for d in _t1(images)}
    assert frames <= {d.FrameOfReferenceUID for d in images if d not in _t1(images)}
