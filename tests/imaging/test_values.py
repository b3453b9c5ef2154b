"""The small values that other rooms build on: volumes, structures, model declarations."""

import numpy as np
import pytest

from imaging.anatomy import BONES, ORGANS, SPINAL_CANAL, STRUCTURES
from imaging.diffusion import DiffusionVolume
from imaging.errors import GeometryError, ImagingError, ModelMismatch, UnusableImages
from imaging.geometry import Geometry
from imaging.model import ModelSpec

GRID = Geometry.axial((1, 2, 2), (5.0, 2.0, 2.0), (0.0, 0.0, 0.0))
IMAGE = np.zeros(GRID.shape, dtype=np.float32)


def test_b_values_come_in_order():
    volume = DiffusionVolume(GRID, {900.0: IMAGE + 9, 50.0: IMAGE + 5})
    assert volume.b_values == (50.0, 900.0)
    assert (volume.high_b == 9).all()


@pytest.mark.parametrize("images", [{}, {50.0: np.zeros((1, 2, 3), dtype=np.float32)}])
def test_a_volume_without_images_or_off_its_grid_is_refused(images):
    with pytest.raises(GeometryError):
        DiffusionVolume(GRID, images)


def test_labels_are_positions_and_names_are_unique():
    assert [s.label for s in STRUCTURES] == list(range(len(STRUCTURES)))
    assert len({s.name for s in STRUCTURES}) == len(STRUCTURES)
    assert len(BONES) + len(ORGANS) + 2 == len(STRUCTURES)
    assert SPINAL_CANAL not in BONES + ORGANS


@pytest.mark.parametrize(("orientation", "overlap"), [("LPS", 2), ("SPL", 8), ("SPL", -1)])
def test_a_declaration_that_cannot_be_served_is_refused(orientation, overlap):
    with pytest.raises(ModelMismatch, match="model test"):
        ModelSpec("test", "1", (), (5, 4, 4), orientation, 8, overlap, (1, 1, 1), (), "")


def test_every_error_carries_a_stable_code():
    assert UnusableImages("x", code="STATION_GAP").code == "STATION_GAP"
    codes = {e.code for e in (ImagingError, GeometryError, ModelMismatch)}
    assert codes == {"IMAGING_ERROR", "GEOMETRY", "MODEL_MISMATCH"}
