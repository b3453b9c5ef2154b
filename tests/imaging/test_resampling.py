import numpy as np
import pytest

from imaging.errors import GeometryError
from imaging.geometry import Geometry
from imaging.resampling import resample

GRID = Geometry.axial((4, 5, 6), (5.0, 2.0, 3.0), (-7.0, 11.0, 20.0))


def test_a_linear_ramp_in_mm_stays_what_it_is_on_an_oblique_grid():
    def ramp(geometry):
        index = np.moveaxis(np.indices(geometry.shape), 0, -1)
        return geometry.to_patient_mm(index) @ [1.0, -2.0, 0.5]

    angle = np.radians(20)
    turn = np.array(
        [[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]]
    )
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.diag([0.5, 0.5, 0.5])
    affine[:3, 3] = GRID.to_patient_mm((1.5, 2, 2.5))
    target = Geometry((3, 3, 3), affine)
    moved = resample(ramp(GRID).astype(np.float32), GRID, target)
    np.testing.assert_allclose(moved, ramp(target), atol=1e-4)


def test_masks_stay_masks_and_outside_is_filled():
    mask = np.ones(GRID.shape, dtype=bool)
    far = Geometry.axial((2, 2, 2), (5.0, 2.0, 2.0), (500.0, 500.0, 500.0))
    assert resample(mask, GRID, GRID, order=0).dtype == np.bool_
    assert resample(mask, GRID, GRID, order=0).all()
    assert not resample(mask, GRID, far, order=0).any()
    assert (resample(mask.astype(np.float32), GRID, far, fill=-1.0) == -1).all()


def test_an_array_of_another_shape_is_refused():
    with pytest.raises(GeometryError, match="does not lie on a grid"):
        resample(np.zeros((1, 2, 3)), GRID, GRID)
