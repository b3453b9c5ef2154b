import numpy as np

from imaging.anatomy import BY_NAME
from imaging.fragments import without_far_fragments
from imaging.geometry import Geometry

GRID = Geometry.axial((40, 30, 30), (5.0, 2.0, 2.0), (0.0, 0.0, 0.0))
LUMBAR, RIBS = BY_NAME["lumbar_spine"].label, BY_NAME["ribs"].label


def spine():
    labels = np.zeros(GRID.shape, dtype=np.uint8)
    labels[4:10, 10:20, 10:20] = LUMBAR
    return labels


def test_a_small_part_far_away_is_left_out():
    labels = spine()
    labels[30:32, 14:16, 14:16] = LUMBAR  # 8 of 600 voxels, 100 mm above
    np.testing.assert_array_equal(without_far_fragments(labels, GRID), spine())


def test_a_small_part_nearby_stays():
    labels = spine()
    labels[17, 14:16, 14:16] = LUMBAR  # 35 mm above the box's end
    np.testing.assert_array_equal(without_far_fragments(labels, GRID), labels)
    labels[19, 14:16, 14:16] = LUMBAR  # 45 mm
    assert not without_far_fragments(labels, GRID)[19].any()


def test_a_large_part_far_away_stays_and_structures_do_not_mix():
    labels = spine()
    labels[30:34, 10:20, 10:20] = LUMBAR
    labels[38, 5:7, 5:7] = RIBS  # small, but all that there is of the ribs
    np.testing.assert_array_equal(without_far_fragments(labels, GRID), labels)


def test_an_organ_is_one_piece():
    spleen = BY_NAME["spleen"].label
    labels = spine()
    labels[20:24, 10:20, 10:20] = spleen
    whole = labels.copy()
    labels[25:27, 10:20, 10:20] = spleen  # half as large, 5 mm away
    np.testing.assert_array_equal(without_far_fragments(labels, GRID), whole)


def test_nothing_stays_nothing():
    labels = np.zeros(GRID.shape, dtype=np.uint8)
    np.testing.assert_array_equal(without_far_fragments(labels, GRID), labels)
