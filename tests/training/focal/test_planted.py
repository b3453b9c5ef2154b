from __future__ import annotations

import numpy as np
import pytest

from imaging.geometry import Geometry
from phantom.truth import count_truth
from training.cases import mask_on_grid
from training.focal.planted import (
    Planted,
    count_planted,
    planted_in_words,
    read_planted,
    write_planted,
)

FINE = Geometry.axial((12, 24, 24), (2.0, 2.0, 2.0), (0.0, 0.0, 0.0))
COARSE = Geometry.axial((4, 8, 8), (6.0, 6.0, 6.0), (2.0, 2.0, 2.0))
VOXEL_ML = 0.008


def truth_of(blocks):
    numbers = np.zeros(FINE.shape, np.uint16)
    for n, box in enumerate(blocks, start=1):
        numbers[tuple(slice(*along) for along in box)] = n
    bone = np.full(FINE.shape, 6, np.uint8)
    return count_truth(FINE, bone, numbers, np.full(FINE.shape, 900.0, np.float32))


def test_a_lesion_that_fills_half_of_no_voxel_is_counted_as_lost():
    # A coarse voxel is three fine ones wide and begins with one: the first lesion fills eight.
    truth = truth_of([((0, 6), (0, 6), (0, 6)), ((9, 10), (9, 10), (9, 11))])
    labels = mask_on_grid(truth.lesion_labels > 0, FINE, COARSE)
    assert labels.sum() == 8
    found = count_planted(3, truth, labels, COARSE)
    assert found.planned == 3
    assert sorted(found.volumes_ml) == pytest.approx([2 * VOXEL_ML, 216 * VOXEL_ML])
    assert found.lost_ml == pytest.approx((2 * VOXEL_ML,))


def test_counts_read_back_and_say_what_became_of_them(tmp_path):
    counts = [Planted(3, (1.0, 3.0), (1.0,)), Planted(1, (4.0,), ())]
    paths = [tmp_path / f"{n}.planted.json" for n in range(3)]
    for count, path in zip(counts, paths, strict=False):
        write_planted(count, path)
    assert read_planted(paths) == counts
    text = planted_in_words(counts, 2)
    assert "planned 4 lesions and painted 3 on the images' voxels" in text
    assert "1 of these fill half of no voxel here" in text
    assert "(12.5 % of the volume, the largest 1.00 mL). The others are 2 components" in text
    assert "not recorded" in planted_in_words([], 2)
