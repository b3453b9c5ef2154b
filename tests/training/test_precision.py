"""What bfloat16 costs, worked out by hand on small label maps."""

from __future__ import annotations

import numpy as np
import pytest

from training import precision
from training.errors import TrainingError
from training.precision import Precisions, check_precisions, compare_precisions
from training.tasks import TASKS

DISEASE = TASKS["disease"]


@pytest.fixture
def answers(monkeypatch, cases):
    """Two cases with 10 diseased voxels; float32 finds all, bfloat16 loses 0 and 1 of them."""
    found = {}
    for case, lost in zip(cases[:2], (0, 1), strict=True):
        case.labels[:] = 0
        case.labels[0, 0, :10] = 1
        rounded = case.labels.copy()
        rounded[0, 0, :lost] = 0
        found[case.name] = {False: case.labels, True: rounded}
    monkeypatch.setattr(
        precision, "_labels", lambda _file, _spec, case, *, bf16: found[case.name][bf16]
    )
    return cases[:2]


def test_dice_and_volume_are_compared_by_group(answers, monkeypatch, experiment, tmp_path):
    monkeypatch.setattr(precision, "has_bf16", lambda: True)
    monkeypatch.setattr(precision, "check_precisions", lambda _: None)
    found = compare_precisions(tmp_path, experiment.model_spec(), answers, DISEASE)
    assert found.dice_fp32 == {"disease": 1.0}
    assert found.dice_bf16 == {"disease": pytest.approx((1 + 18 / 19) / 2)}
    assert found.volume_change_percent_bf16 == {"disease": pytest.approx(5.0)}


def test_a_processor_without_bfloat16_compares_nothing(answers, monkeypatch, experiment, tmp_path):
    monkeypatch.setattr(precision, "has_bf16", lambda: False)
    found = compare_precisions(tmp_path, experiment.model_spec(), answers, DISEASE)
    assert found == Precisions({"disease": 1.0}, None, None)


@pytest.mark.parametrize(
    ("dice", "change", "words"),
    [(0.794, 0.5, "Dice 0.7940 in bfloat16, 0.8000"), (0.80, 2.5, "changes by 2.50 %")],
)
def test_the_gate_says_what_is_lost(dice, change, words):
    found = Precisions({"disease": 0.8}, {"disease": dice}, {"disease": change})
    with pytest.raises(TrainingError, match=words) as caught:
        check_precisions(found)
    assert caught.value.code == "EXPORT"


def test_the_gate_lets_small_changes_pass():
    check_precisions(Precisions({"disease": 0.8}, {"disease": 0.796}, {"disease": 1.9}))


def test_groups_of_anatomy_hold_their_members():
    labels = np.array([TASKS["anatomy"].classes.index(n) for n in ("skull", "ribs", "liver")])
    skeleton, organs = (TASKS["anatomy"].groups[name] for name in ("skeleton", "organs"))
    assert np.isin(labels, skeleton).tolist() == [True, True, False]
    assert np.isin(labels, organs).tolist() == [False, False, True]
