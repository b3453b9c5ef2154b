import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from imaging.errors import GeometryError
from imaging.geometry import Geometry

GRID = Geometry.axial((4, 5, 6), (5.0, 2.0, 3.0), (-7.0, 11.0, 20.0))


def test_axial_axes_point_to_head_posterior_and_left():
    np.testing.assert_allclose(GRID.to_patient_mm((1, 2, 3)), [-7 + 9, 11 + 4, 20 + 5])
    assert GRID.spacing_mm == (5.0, 2.0, 3.0)
    assert GRID.origin_mm == (-7.0, 11.0, 20.0)
    assert GRID.voxel_volume_ml == pytest.approx(0.03)


@given(arrays(np.float64, (3,), elements=st.floats(-1000, 1000)))
def test_index_and_patient_coordinates_are_inverse(point):
    np.testing.assert_allclose(GRID.to_patient_mm(GRID.to_index(point)), point, atol=1e-6)


def test_a_crop_keeps_voxels_in_place():
    part = GRID.crop((1, 2, 3), (3, 4, 6))
    assert part.shape == (2, 2, 3)
    np.testing.assert_allclose(part.to_patient_mm((0, 0, 0)), GRID.to_patient_mm((1, 2, 3)))


def test_grids_match_within_the_tolerance_of_their_corners():
    assert GRID.matches(Geometry.axial((4, 5, 6), (5.0, 2.0, 3.0), (-7.005, 11.0, 20.0)))
    assert not GRID.matches(Geometry.axial((4, 5, 6), (5.0, 2.0, 3.0), (-7.02, 11.0, 20.0)))
    assert not GRID.matches(Geometry.axial((4, 5, 7), (5.0, 2.0, 3.0), (-7.0, 11.0, 20.0)))


def test_the_affine_cannot_be_changed_from_outside():
    with pytest.raises(ValueError, match="read-only"):
        GRID.affine[0, 0] = 5


@pytest.mark.parametrize(
    ("shape", "affine", "words"),
    [
        ((1, 1, 1), np.zeros((4, 4)), "singular"),
        ((1, 1, 1), np.full((4, 4), np.nan), "finite"),
        ((1, 1, 1), np.eye(3), "4x4"),
        ((0, 1, 1), np.eye(4), "positive"),
    ],
)
def test_what_is_no_grid_is_refused(shape, affine, words):
    with pytest.raises(GeometryError, match=words):
        Geometry(shape, affine)
