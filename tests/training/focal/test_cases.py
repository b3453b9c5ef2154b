from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import phantom.t1
from training.errors import TrainingError
from training.focal.cases import (
    SKELETON_CLASSES,
    Wanted,
    focal_case,
    skeleton_patients,
    validation_patients,
    wanted,
)
from training.focal.settings import FocalCohort

COARSE = FocalCohort(
    "3001", "3101", 2, slice_mm=12.0, in_plane_mm=5.0, matrix=(64, 88), t1_slice_mm=6.0,
    t1_in_plane_mm=5.0,
)  # fmt: skip


@pytest.fixture
def coarse(experiment):
    return dataclasses.replace(experiment, cohort=COARSE, spacing_mm=(10.0, 5.0, 5.0))


def test_a_healthy_person_has_nine_regions_and_both_channels(coarse):
    case = focal_case(coarse, Wanted(3001, diseased=False))
    assert len(SKELETON_CLASSES) == 10
    present = set(np.unique(case.labels).tolist())
    assert present >= {0, *range(2, 7)}  # thoracic spine to humerus are never off the grid
    assert case.image.shape == (2, *case.labels.shape)
    assert (case.image.min(), case.image.max()) == (0, 1)
    assert case.name == "healthy-03001"


def test_lesions_are_dark_on_t1_and_bright_on_b1000(coarse):
    case = focal_case(coarse, Wanted(3110, diseased=True))
    lesion = case.labels == 1
    assert lesion.any()
    t1, b1000 = case.image.astype(np.float32)
    body = t1 > 0.15
    assert np.median(b1000[lesion]) > 2 * np.median(b1000[body & ~lesion])
    assert np.median(t1[lesion]) < np.median(t1[body & ~lesion])


def test_t1_voxels_grow_by_the_seed_and_no_more_than_asked(coarse, monkeypatch):
    voxels = []
    real = phantom.t1.acquire_t1

    def noted(person, body, protocol):
        voxels.append((protocol.slice_mm, protocol.in_plane_mm))
        return real(person, body, protocol)

    monkeypatch.setattr(phantom.t1, "acquire_t1", noted)
    wide = dataclasses.replace(coarse, cohort=dataclasses.replace(COARSE, t1_coarsest=1.5))
    focal_case(wide, Wanted(3001, diseased=False))
    focal_case(coarse, Wanted(3001, diseased=False))
    (slice_mm, pixel_mm), plain = voxels
    assert plain == (6.0, 5.0)
    assert 6.0 < slice_mm <= 9.0
    assert 5.0 < pixel_mm <= 7.5


@pytest.mark.parametrize(
    ("seeds", "said"), [("3101", "fitted too"), ("1185", "kept for the focal network's evaluation")]
)
def test_validation_patients_are_neither_fitted_nor_kept_for_evaluation(coarse, seeds, said):
    with pytest.raises(TrainingError, match=said):
        validation_patients(_validated(coarse, seeds))


def test_people_whose_skeleton_is_scored_are_healthy_and_not_fitted(coarse):
    def scored(seeds):
        cohort = dataclasses.replace(COARSE, skeleton_seeds=seeds)
        return skeleton_patients(dataclasses.replace(coarse, cohort=cohort))

    assert scored("") == []
    assert scored("3002") == [Wanted(3002, diseased=False)]
    with pytest.raises(TrainingError, match="fitted too"):
        scored("3001")


def test_validation_patients_are_diseased(coarse):
    assert validation_patients(coarse) == []
    assert validation_patients(_validated(coarse, "3201-3202")) == [
        Wanted(3201, diseased=True),
        Wanted(3202, diseased=True),
    ]


def test_seeds_of_the_final_evaluation_are_never_fitted(coarse):
    cohort = dataclasses.replace(COARSE, diseased_seeds="1119")
    with pytest.raises(TrainingError, match="1100-1119, 1180-1199"):
        wanted(dataclasses.replace(coarse, cohort=cohort))


def _validated(experiment, seeds):
    cohort = dataclasses.replace(experiment.cohort, validation_seeds=seeds)
    return dataclasses.replace(experiment, cohort=cohort)
