from __future__ import annotations

import numpy as np

from phantom.distractors import localizer, t2_stack
from phantom.patient import make_patient


def test_distractors_are_images_on_grids_of_their_own():
    patient = make_patient(2)
    for image, geometry in (t2_stack(patient), localizer(patient)):
        assert image.shape == geometry.shape
        assert image.dtype == np.float32
        assert image.max() > 100
