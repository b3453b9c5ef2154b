from __future__ import annotations

import numpy as np

from imaging.geometry import Geometry
from phantom.picture import coronal_mip, sagittal_mip

GRID = Geometry.axial((4, 6, 8), (5.0, 2.5, 2.5), (0.0, 0.0, 0.0))


def test_coronal_has_head_up_patient_right_on_the_left_and_bright_as_dark():
    image = np.zeros(GRID.shape, np.float32)
    image[3, 2, 0] = 10.0  # top slice, patient right
    picture = coronal_mip(image, GRID, window=10.0)
    assert picture.shape == (8, 8)  # 4 slices of 5 mm in pixels of 2.5 mm
    assert picture.dtype == np.uint8
    assert picture[0, 0] == 0
    assert picture[-1, -1] == 255


def test_sagittal_has_the_face_to_the_left():
    image = np.zeros(GRID.shape, np.float32)
    image[0, 0, 5] = 10.0  # bottom slice, front
    picture = sagittal_mip(image, GRID, window=10.0)
    assert picture.shape == (8, 6)
    assert picture[-1, 0] == 0
    assert picture[0, -1] == 255
