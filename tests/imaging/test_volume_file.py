"""The header is read by hand (nifti1.h), the image by SimpleITK, which shares none of this code."""

import gzip
import struct

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813

from imaging.errors import GeometryError
from imaging.geometry import Geometry
from imaging.volume_file import (
    NO_ADC,
    adc_volume,
    label_volume,
    probability_volume,
    signal_volume,
    write_volume,
)

GRID = Geometry.axial((3, 4, 5), (5.0, 3.0, 2.0), (-100.0, 60.0, -400.0))
NAN = np.float32("nan")


def image_of(values):
    array = np.zeros(GRID.shape, np.float32)
    array.reshape(-1)[: len(values)] = values
    return array


def written(volume, tmp_path):
    write_volume(volume, tmp_path / "a.nii.gz")
    return tmp_path / "a.nii.gz"


def header(path):
    return gzip.decompress(path.read_bytes())[:348]


def turned():
    """A grid that no axis of the patient is parallel to, slices from head to feet."""
    z, x = np.deg2rad(20), np.deg2rad(12)
    about_z = np.array([[np.cos(z), -np.sin(z), 0], [np.sin(z), np.cos(z), 0], [0, 0, 1]])
    about_x = np.array([[1, 0, 0], [0, np.cos(x), -np.sin(x)], [0, np.sin(x), np.cos(x)]])
    axes = about_z @ about_x @ np.array([[0, 0, 2.0], [0, 3.0, 0], [-5.0, 0, 0]])
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = axes, (17.0, -40.0, 900.0)
    return Geometry((3, 4, 5), affine)


@pytest.mark.parametrize("grid", [GRID, turned()], ids=["axial", "oblique"])
def test_a_voxel_lies_where_it_lies_in_dicom(grid, tmp_path):
    labels = np.arange(60, dtype=np.uint8).reshape(grid.shape)
    path = written(label_volume(labels, grid, "anatomy"), tmp_path)
    read = sitk.ReadImage(str(path))
    for slice_, row, column in ((0, 0, 0), (2, 3, 4), (1, 2, 3)):
        point = read.TransformIndexToPhysicalPoint((column, row, slice_))
        np.testing.assert_allclose(point, grid.to_patient_mm((slice_, row, column)), atol=1e-3)
        assert read.GetPixel(column, row, slice_) == labels[slice_, row, column]


def test_the_header_counts_to_the_right_and_to_the_front(tmp_path):
    raw = header(written(label_volume(np.zeros(GRID.shape, np.uint8), GRID, "x"), tmp_path))
    rows = [struct.unpack_from("<4f", raw, 280 + 16 * n) for n in range(3)]
    assert rows == [(-2, 0, 0, 100), (0, -3, 0, -60), (0, 0, 5, -400)]  # RAS: x and y negated
    assert struct.unpack_from("<2h", raw, 252) == (1, 1)  # q and s form: of the scanner
    assert struct.unpack_from("<4h", raw, 40) == (3, 5, 4, 3)
    assert raw[123] & 7 == 2  # mm
    assert raw[344:348] == b"n+1\0"


def test_adc_is_whole_and_what_is_not_valid_has_a_number_of_its_own(tmp_path):
    volume = adc_volume(image_of([NAN, 0.2, 899.4, 899.6, 5000.0]), GRID)
    assert volume.stored.reshape(-1)[:5].tolist() == [NO_ADC, 1, 899, 900, 5000]
    path = written(volume, tmp_path)
    read = sitk.GetArrayFromImage(sitk.ReadImage(str(path)))
    assert read.dtype == np.int16
    assert np.array_equal(read, volume.stored)
    assert struct.unpack_from("<80s", header(path), 148)[0].rstrip(b"\0").decode() == (
        "ADC in um2/s, 0 is no valid fit; Osteon, research use only"
    )


@pytest.mark.parametrize(
    ("highest", "slope"),
    [(0.0, 1.0), (409.5, 0.1), (4095.0, 1.0), (32767.0, 1.0), (65534.0, 2.0)],
)
def test_signal_has_the_scanners_numbers_where_they_fit(highest, slope, tmp_path):
    image = image_of([0.0, highest / 3, highest / 2, highest])
    volume = signal_volume(image, GRID, 900.0)
    assert volume.slope == pytest.approx(slope)
    assert volume.stored.dtype == np.int16
    read = sitk.ReadImage(str(written(volume, tmp_path)))
    back = sitk.GetArrayFromImage(read).astype(np.float64)
    np.testing.assert_allclose(back, image, atol=slope / 2 + 1e-3)


def test_the_window_and_the_slope_stand_in_the_header(tmp_path):
    image = np.linspace(0, 10_000, 60, dtype=np.float32).reshape(GRID.shape)
    raw = header(written(signal_volume(image, GRID, 900.0), tmp_path))
    highest, lowest = struct.unpack_from("<2f", raw, 124)
    assert (lowest, highest) == (0.0, pytest.approx(np.percentile(image, 99.5), rel=1e-5))
    assert b"signal at b 900 s/mm2" in raw
    probability = probability_volume(image_of([0.0, 0.5, 1.0]), GRID, "skeleton")
    raw = header(written(probability, tmp_path))
    assert struct.unpack_from("<2f", raw, 112) == (pytest.approx(1 / 255), 0.0)
    assert struct.unpack_from("<h", raw, 68) == (0,)


def test_probability_comes_back_in_steps_of_a_255th(tmp_path):
    given = np.linspace(0, 1, 60, dtype=np.float32).reshape(GRID.shape)
    path = written(probability_volume(given, GRID, "disease"), tmp_path)
    back = sitk.GetArrayFromImage(sitk.ReadImage(str(path)))
    np.testing.assert_allclose(back, given, atol=0.5 / 255 + 1e-6)
    assert (back.min(), back.max()) == (0.0, pytest.approx(1.0))


@pytest.mark.parametrize(("highest", "kind"), [(255, np.uint8), (256, np.uint16)])
def test_labels_are_as_small_as_their_numbers_allow_and_say_that_they_are_labels(
    highest, kind, tmp_path
):
    labels = np.zeros(GRID.shape, np.uint16)
    labels[1, 2, 3] = highest
    volume = label_volume(labels, GRID, "lesions")
    path = written(volume, tmp_path)
    read = sitk.GetArrayFromImage(sitk.ReadImage(str(path)))
    assert read.dtype == volume.stored.dtype == kind
    assert np.array_equal(read, labels)
    assert struct.unpack_from("<h", header(path), 68) == (1002,)  # NIFTI_INTENT_LABEL


def test_equal_images_give_equal_bytes_and_leave_one_file(tmp_path):
    volume = adc_volume(np.full(GRID.shape, 800.0, np.float32), GRID)
    first = written(volume, tmp_path).read_bytes()
    assert written(volume, tmp_path).read_bytes() == first
    assert first[:4] == b"\x1f\x8b\x08\x00"  # gzip without a file name
    assert first[4:8] == bytes(4)  # and without a time
    assert [path.name for path in tmp_path.iterdir()] == ["a.nii.gz"]


def test_an_image_off_its_grid_is_not_written(tmp_path):
    volume = label_volume(np.zeros((2, 2, 2), np.uint8), GRID, "anatomy")
    with pytest.raises(GeometryError):
        write_volume(volume, tmp_path / "a.nii.gz")
