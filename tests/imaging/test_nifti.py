"""A NIfTI header made by hand (nifti1.h, 348 bytes) is the independent witness."""

import struct

import numpy as np
import pytest

from imaging.errors import GeometryError
from imaging.geometry import Geometry
from imaging.nifti import UnreadableImage, read_image, read_label_map, write_image

# RAS+ rows of the sform: i runs to the patient's left by 2, j to posterior by 3, k to head by 5.
SROWS = [[-2.0, 0.0, 0.0, 90.0], [0.0, -3.0, 0.0, 60.0], [0.0, 0.0, 5.0, -400.0]]
FLOAT32, INT16 = 16, 4


def nifti(array, srows, datatype):
    """Return the bytes of a single-file NIfTI-1 image; array is (k, j, i), i fastest."""
    header = bytearray(348)
    struct.pack_into("<i", header, 0, 348)
    dims = array.shape[::-1]
    struct.pack_into("<8h", header, 40, len(dims), *dims, *[1] * (7 - len(dims)))
    struct.pack_into("<2h", header, 70, datatype, array.itemsize * 8)
    zooms = [float(np.linalg.norm([row[n] for row in srows])) for n in range(3)]
    struct.pack_into("<8f", header, 76, 1.0, *zooms, 1.0, 1.0, 1.0, 1.0)
    struct.pack_into("<3f", header, 108, 352.0, 1.0, 0.0)
    struct.pack_into("<B", header, 123, 2)  # mm
    struct.pack_into("<2h", header, 252, 0, 1)  # no qform, sform of the scanner
    for n, row in enumerate(srows):
        struct.pack_into("<4f", header, 280 + 16 * n, *row)
    header[344:348] = b"n+1\0"
    return bytes(header) + b"\0\0\0\0" + array.tobytes()


def test_ras_in_the_file_is_lps_in_the_geometry(tmp_path):
    array = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
    (tmp_path / "a.nii").write_bytes(nifti(array, SROWS, INT16))
    labels, geometry = read_label_map(tmp_path / "a.nii")
    assert np.array_equal(labels, array)
    # Index (k, j, i) = (1, 2, 3): RAS (90 - 6, 60 - 6, -400 + 5), so LPS has x and y negated.
    np.testing.assert_allclose(geometry.to_patient_mm((1, 2, 3)), [-84.0, -54.0, -395.0])
    np.testing.assert_allclose(geometry.to_patient_mm((0, 0, 0)), [-90.0, -60.0, -400.0])
    assert geometry.spacing_mm == pytest.approx((5.0, 3.0, 2.0))


def test_turned_and_swapped_axes_keep_their_places(tmp_path):
    # i to head, j to the right (RAS x positive), k to anterior: nothing like an axial stack.
    srows = [[0.0, 1.5, 0.0, -10.0], [0.0, 0.0, 4.0, 20.0], [2.5, 0.0, 0.0, 30.0]]
    array = np.random.default_rng(0).normal(size=(2, 3, 4)).astype(np.float32)
    (tmp_path / "a.nii").write_bytes(nifti(array, srows, FLOAT32))
    values, geometry = read_image(tmp_path / "a.nii")
    assert np.array_equal(values, array)
    expected = [-(1.5 * 2 - 10), -(4.0 * 1 + 20), 2.5 * 3 + 30]
    np.testing.assert_allclose(geometry.to_patient_mm((1, 2, 3)), expected)


def test_what_is_written_says_ras_and_reads_back(tmp_path):
    turn = np.deg2rad(20)
    affine = np.eye(4)
    affine[:3, 0] = [0, -np.sin(turn) * 5, np.cos(turn) * 5]
    affine[:3, 1] = [0, np.cos(turn) * 2, np.sin(turn) * 2]
    affine[:3, 2] = [1.5, 0, 0]
    affine[:3, 3] = [-100, 7, -300]
    geometry = Geometry((3, 4, 5), affine)
    labels = np.random.default_rng(1).integers(0, 21, (3, 4, 5)).astype(np.uint8)
    write_image(labels, geometry, tmp_path / "a.nii")
    back, where = read_label_map(tmp_path / "a.nii")
    assert np.array_equal(back, labels)
    assert where.matches(geometry, tolerance_mm=1e-3)
    raw = (tmp_path / "a.nii").read_bytes()
    srow_x = struct.unpack_from("<4f", raw, 280)
    assert srow_x == pytest.approx((-1.5, 0.0, 0.0, 100.0), abs=1e-4)
    write_image(labels, geometry, tmp_path / "b.nii.gz")
    assert (tmp_path / "b.nii.gz").read_bytes()[:2] == b"\x1f\x8b"
    assert np.array_equal(read_label_map(tmp_path / "b.nii.gz")[0], labels)


def test_what_is_no_label_map_is_refused_by_name(tmp_path):
    half = np.full((2, 2, 2), 0.5, dtype=np.float32)
    (tmp_path / "half.nii").write_bytes(nifti(half, SROWS, FLOAT32))
    with pytest.raises(UnreadableImage, match=r"half\.nii holds values between"):
        read_label_map(tmp_path / "half.nii")
    four = np.zeros((2, 2, 2, 2), dtype=np.float32)
    (tmp_path / "four.nii").write_bytes(nifti(four, SROWS, FLOAT32))
    with pytest.raises(UnreadableImage, match="three dimensions"):
        read_image(tmp_path / "four.nii")
    (tmp_path / "junk.nii").write_bytes(b"junk")
    with pytest.raises(UnreadableImage, match="cannot be read"):
        read_image(tmp_path / "junk.nii")


def test_sheared_axes_are_refused(tmp_path):
    srows = [[-2.0, 1.0, 0.0, 0.0], [0.0, -3.0, 0.0, 0.0], [0.0, 0.0, 5.0, 0.0]]
    array = np.zeros((2, 3, 4), dtype=np.int16)
    (tmp_path / "a.nii").write_bytes(nifti(array, srows, INT16))
    with pytest.raises(UnreadableImage, match="right angles"):
        read_image(tmp_path / "a.nii")


def test_an_array_off_its_grid_is_not_written(tmp_path):
    with pytest.raises(GeometryError):
        write_image(
            np.zeros((2, 2, 2)), Geometry.axial((2, 2, 3), (1, 1, 1), (0, 0, 0)), tmp_path / "a.nii"
        )
