"""What becomes of a voxel's name and of its bone probability where a part is put right."""

import numpy as np
import pytest

from imaging.anatomy import BY_NAME
from imaging.geometry import Geometry
from imaging.labelling import label_anatomy

GRID = Geometry.axial((40, 20, 20), (5.0, 2.0, 2.0), (0.0, 0.0, 0.0))
STRUCTURES = [BY_NAME[name] for name in ("background", "humerus_left", "femur_left")]
HUMERUS, FEMUR = STRUCTURES[1].label, STRUCTURES[2].label


def answer():
    """A femur, a humerus whose lower part is called femur, and a crumb of femur elsewhere."""
    classes = np.zeros(GRID.shape, dtype=int)
    classes[0:6, 8:14, 8:14] = 2
    classes[32:40, 8:14, 8:14] = 1
    classes[29:32, 8:14, 8:14] = 2
    classes[38, 17, 17] = 2
    probability = np.eye(3, dtype=np.float32)[classes].transpose(3, 0, 1, 2)
    return 0.7 * probability + 0.1


def test_a_part_that_goes_to_another_bone_stays_bone_and_a_crumb_does_not():
    found = label_anatomy(answer(), GRID, STRUCTURES, GRID)
    assert (found.labels[29:40, 8:14, 8:14] == HUMERUS).all()
    assert (found.labels[0:6, 8:14, 8:14] == FEMUR).all()
    assert found.labels[38, 17, 17] == 0
    assert found.bone[30, 10, 10] == pytest.approx(0.9, abs=1e-6)
    assert found.bone[38, 17, 17] == 0
    assert found.bone[20, 10, 10] == pytest.approx(0.2, abs=1e-6)
