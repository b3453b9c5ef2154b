import numpy as np
import pytest

from imaging.agreement import dice, dice_by_structure
from imaging.anatomy import BY_NAME


def row(*names):
    return np.array([[[0 if n == "-" else BY_NAME[n].label for n in names]]], dtype=np.uint8)


def test_dice_worked_out_by_hand():
    # |A| = 3, |B| = 2, shared 2: 2 * 2 / 5
    assert dice(np.array([1, 1, 1, 0]), np.array([1, 1, 0, 0])) == pytest.approx(0.8)
    assert dice(np.array([1, 0]), np.array([0, 1])) == 0.0
    assert np.isnan(dice(np.zeros(3), np.zeros(3)))


def test_structures_and_groups_worked_out_by_hand():
    truth = row("ribs", "ribs", "pelvis", "sacrum", "liver", "liver", "spleen", "-")
    labels = row("ribs", "-", "sacrum", "sacrum", "liver", "spleen", "spleen", "-")
    scores = dice_by_structure(truth, labels)
    assert scores["ribs"] == pytest.approx(2 / 3)
    assert scores["pelvis"] == 0.0
    assert scores["sacrum"] == pytest.approx(2 / 3)
    # A bone named as another bone is still skeleton: 3 shared of 4 + 3.
    assert scores["skeleton"] == pytest.approx(6 / 7)
    assert scores["skeleton_without_ribs"] == 1.0
    # liver 2·1/(2+1), spleen 2·1/(1+2)
    assert scores["organs"] == pytest.approx(2 / 3)
    assert "skull" not in scores
    assert "spinal_canal" not in scores
