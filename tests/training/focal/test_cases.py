from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from training.focal.cases import SKELETON_CLASSES, Wanted, focal_case
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
