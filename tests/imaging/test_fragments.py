import numpy as np

from imaging.anatomy import BY_NAME
from imaging.fragments import without_far_fragments
from imaging.geometry import Geometry

GRID = Geometry.axial((40, 30, 30), (5.0, 2.0, 2.0), (0.0, 0.0, 0.0))
LUMBAR, RIBS = BY_NAME["lumbar_spine"].label, BY_NAME["ribs"].label
HUMERUS, FEMUR = BY_NAME["humerus_left"].label, BY_NAME["femur_left"].label


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


def arm_and_leg():
    """A humerus above, 150 mm away a femur below."""
    labels = np.zeros(GRID.shape, dtype=np.uint8)
    labels[0:5, 10:16, 10:16] = FEMUR
    labels[35:40, 10:16, 10:16] = HUMERUS
    return labels


def test_a_large_part_of_the_arm_that_was_called_femur_goes_to_the_arm():
    whole = arm_and_leg()
    whole[32:35, 10:16, 10:16] = HUMERUS
    labels = whole.copy()
    labels[32:35, 10:16, 10:16] = FEMUR  # 60 % of the femur, 135 mm above it
    labels[31, 10, 10] = LUMBAR  # touches it too, with less
    whole[31, 10, 10] = LUMBAR
    np.testing.assert_array_equal(without_far_fragments(labels, GRID), whole)


def test_a_large_part_far_from_a_bone_of_one_piece_that_touches_none_is_left_out():
    labels = arm_and_leg()
    labels[28:32, 10:16, 10:16] = FEMUR  # 115 mm above the femur, 15 mm below the humerus
    labels[27, 15:18, 15:18] = BY_NAME["liver"].label  # an organ gets no bone
    labels[4:10, 25:30, 25:30] = RIBS
    labels[28:31, 16:18, 10:16] = RIBS  # a part of a bone that is not its largest
    whole = labels.copy()
    whole[labels == FEMUR] = 0
    whole[0:5, 10:16, 10:16] = FEMUR
    np.testing.assert_array_equal(without_far_fragments(labels, GRID), whole)


def test_a_broken_bone_stays():
    labels = arm_and_leg()
    labels[22:25, 10:16, 10:16] = FEMUR  # a gap of 85 mm
    np.testing.assert_array_equal(without_far_fragments(labels, GRID), labels)


def test_a_small_part_beside_a_part_that_was_given_away_is_far():
    labels = arm_and_leg()
    labels[32:35, 10:16, 10:16] = FEMUR
    labels[29, 20:22, 20:22] = FEMUR
    found = without_far_fragments(labels, GRID)
    assert (found[32:35, 10:16, 10:16] == HUMERUS).all()
    assert not found[29].any()


def test_nothing_stays_nothing():
    labels = np.zeros(GRID.shape, dtype=np.uint8)
    np.testing.assert_array_equal(without_far_fragments(labels, GRID), labels)
