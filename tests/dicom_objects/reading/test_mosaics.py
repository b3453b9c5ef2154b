"""Mosaics become slices in the right places, or say why they cannot."""

import numpy as np
import pytest

from dicom_objects.reading.pixels import load_image
from tests.dicom_objects.reading.forms import (
    needs_scanners,
    read_one,
    real_frames,
    series_of,
    siemens_mosaic,
    vframe,
)

TILES = np.arange(1, 5 * 4 * 6 + 1, dtype=np.uint16).reshape(5, 4, 6)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_siemens_tiles_follow_the_csa_normal(tmp_path, sign):
    frames = read_one(siemens_mosaic(TILES, (0.0, 0.0, sign), (10.0, 20.0, 30.0)), tmp_path)
    # 3 x 3 tiles of 4 x 6 in 12 x 18: (18 - 6) / 2 columns of 3 mm, (12 - 4) / 2 rows of 2 mm.
    expected = [(10.0 + 18.0, 20.0 + 8.0, 30.0 + sign * 5.0 * k) for k in range(5)]
    assert [f.plane.position_mm for f in frames] == expected
    assert {(f.plane.rows, f.plane.columns) for f in frames} == {(4, 6)}
    assert {f.b.value for f in frames} == {800.0}
    assert len({f.pixels.origin for f in frames}) == 5
    np.testing.assert_array_equal(load_image(frames), TILES)
    np.testing.assert_array_equal(load_image(frames[::-1]), TILES[::-1])


def test_united_imaging_tiles_stand_where_their_sequence_says(tmp_path):
    positions = [(1.0, 2.0, 4.2 * k) for k in range(5)]
    frames = read_one(vframe(TILES, positions), tmp_path)
    assert [f.plane.position_mm for f in frames] == positions
    # 3 columns and 2 rows of tiles: United Imaging leaves no empty row.
    assert frames[0].pixels.stored_shape == (8, 18)
    np.testing.assert_array_equal(load_image(frames), TILES)


def without_csa():
    return siemens_mosaic(TILES, None)


def with_crossed_normal():
    return siemens_mosaic(TILES, (1.0, 0.0, 0.0))


def without_count():
    dataset = siemens_mosaic(TILES, (0.0, 0.0, 1.0))
    del dataset[0x0019100A]
    return dataset


def without_spacing():
    dataset = siemens_mosaic(TILES, (0.0, 0.0, 1.0))
    del dataset.SpacingBetweenSlices
    return dataset


def with_an_odd_grid():
    dataset = siemens_mosaic(TILES, (0.0, 0.0, 1.0))
    dataset[0x0019100A].value = 50  # 8 x 8 tiles do not fit 12 x 18 pixels
    return dataset


def without_positions():
    return vframe(TILES, None)


@pytest.mark.parametrize(
    ("make", "missing"),
    [
        (without_csa, "CSA header"),
        (with_crossed_normal, "another slice direction"),
        (without_count, "number of its slices"),
        (without_spacing, "slice spacing"),
        (with_an_odd_grid, "tiles"),
        (without_positions, "positions of its slices"),
    ],
)
def test_a_mosaic_that_cannot_be_split_is_a_problem(tmp_path, make, missing):
    (frame,) = read_one(make(), tmp_path)
    code, sentence = frame.problem
    assert code == "MOSAIC_UNSUPPORTED"
    assert missing in sentence
    assert frame.plane is None


@needs_scanners
@pytest.mark.parametrize(
    ("case", "folder"),
    [
        ("siemens_mosaic_oblique", "6_dti_nopf_x2_2axis"),
        ("siemens_mosaic_sagittal", "4_DWI_SagAPmosaic"),
        ("uih_mosaic_effective_b", "12_dti_tra_dir16_PA_rot"),
    ],
)
def test_real_mosaics_lie_where_expected(case, folder):
    expected = series_of(case, folder)
    frames = real_frames(case, folder)
    assert len(frames) == expected["slices"] * expected["files"]
    orientation = frames[0].plane.orientation
    normal = np.cross(orientation[:3], orientation[3:])
    volume = sorted(
        (f for f in frames if f.path == frames[0].path),
        key=lambda f: np.dot(normal, f.plane.position_mm),
    )
    along = [float(np.dot(normal, f.plane.position_mm)) for f in volume]
    assert [along[0], along[-1]] == pytest.approx(expected["slice_range_mm"], abs=2e-3)
    first = expected["first_slice_position_mm"]
    assert volume[0].plane.position_mm == pytest.approx(first, abs=2e-3)
    assert (volume[0].plane.rows, volume[0].plane.columns) == (
        expected["rows"],
        expected["columns"],
    )
    image = load_image(volume)
    assert image.shape == (expected["slices"], expected["rows"], expected["columns"])
    # Neighbouring slices of a head look alike, and unlike those far away.
    near = np.corrcoef(image[len(image) // 2].ravel(), image[len(image) // 2 + 1].ravel())[0, 1]
    far = np.corrcoef(image[len(image) // 2].ravel(), image[0].ravel())[0, 1]
    assert near > max(0.7, far)
