from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from torch import nn

from tests.training.focal.conftest import toy_case
from training.focal.cases import SKELETON_CLASSES, fold_cases
from training.focal.evaluation import assess, lesion_probability, skeleton_dice
from training.folds import stratified_folds


class _Brightness(nn.Module):
    """Logit of a lesion: 20 x (b1000 - 0.7); the window is all that it sees."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(20.0))

    def forward(self, image):
        lesion = self.scale * (image[:, 1:] - 0.7)
        return torch.cat([torch.zeros_like(lesion), lesion], dim=1)


def _cases(n=4):
    return [dataclasses.replace(toy_case(k), name=f"case-{k}") for k in range(n)]


def test_windows_put_together_are_the_whole(experiment):
    case = _cases(1)[0]
    found = lesion_probability(_Brightness(), case, experiment)
    logit = 20 * (case.image[1].astype(np.float32) - 0.7)
    assert found.shape == case.labels.shape
    assert found == pytest.approx(1 / (1 + np.exp(-logit)), abs=1e-5)


def test_a_network_that_is_right_is_scored_as_right(experiment):
    cases = _cases()
    folds = stratified_folds(fold_cases(cases), 2)
    assert {c.lesions for c in fold_cases(cases)} == {3}
    found = assess(
        cases, [lesion_probability(_Brightness(), c, experiment) for c in cases], folds, "toy"
    )
    assert all(len(t.lesions.lesions) == 3 for t in found.exams)
    assert all(le.detected for t in found.exams for le in t.lesions.lesions)
    assert found.stored.f2 == 1.0
    assert len(found.threshold_by_fold) == 2


def test_an_exam_has_no_part_in_the_choice_of_its_own_threshold():
    """In fold 0 only a low threshold finds lesions, in fold 1 only a high one is free of others."""
    cases = _cases()
    folds = stratified_folds(fold_cases(cases), 2)
    maps = []
    for case in cases:
        faint = folds.fold_of[case.name] == 0
        chance = np.where(case.labels > 0, 0.3 if faint else 0.9, 0.0).astype(np.float32)
        if not faint:
            chance[0, ::4, ::4] = 0.6  # many single voxels that are no lesion
        maps.append(chance)
    low, high = assess(cases, maps, folds, "toy").threshold_by_fold
    assert low > 0.6  # chosen by fold 1, for fold 0
    assert high <= 0.3  # chosen by fold 0, for fold 1


def test_one_component_over_the_body_is_not_called_perfect():
    cases = _cases()
    folds = stratified_folds(fold_cases(cases), 2)
    maps = []
    for case in cases:
        chance = np.full(case.labels.shape, 0.2, np.float32)  # all one component up to 0.2
        chance[case.labels > 0] = 0.8
        chance[0, 0, 0] = 0.95  # a false positive at every threshold
        maps.append(chance)
    found = assess(cases, maps, folds, "toy")
    assert min(found.threshold_by_fold) > 0.2
    assert found.stored.f2 == pytest.approx(5 * 0.75 / (4 * 0.75 + 1))


class _Regions(nn.Module):
    """Region 2 where T1 is dark; everything else background."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(50.0))

    def forward(self, image):
        answer = torch.zeros(image.shape[0], len(SKELETON_CLASSES), *image.shape[2:])
        answer[:, 2] = self.scale * (0.3 - image[:, 0])
        return answer


def test_the_skeleton_is_scored_as_one_mask_and_by_region(experiment):
    case = _cases(1)[0]  # T1 is dark in all three blocks
    labels = case.labels * np.uint8(2)
    labels[15:] *= 0
    labels[15:][case.labels[15:] > 0] = 3
    region_2, region_3 = (int((labels == n).sum()) for n in (2, 3))
    scored = dataclasses.replace(case, labels=labels)
    found = skeleton_dice(_Regions(), [scored], experiment)
    assert found["skeleton"] == [1.0]
    # Region 3 is called 2.
    expected = 2 * region_2 / (region_2 + region_2 + region_3)
    assert found[SKELETON_CLASSES[2]] == [pytest.approx(expected)]
    assert found[SKELETON_CLASSES[3]] == [0.0]
    assert set(found) == {"skeleton", *SKELETON_CLASSES[2:4]}
