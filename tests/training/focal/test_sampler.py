from __future__ import annotations

import dataclasses
from collections import Counter

import numpy as np
import pytest

from tests.training.focal.conftest import toy_case
from training.focal.patches import aimed_centre, any_centre
from training.focal.sampler import epoch_plan, index_lesions, region_size
from training.sampling import cut

PATCH = (8, 8, 8)


@pytest.fixture
def indexed(cases):
    return [index_lesions(case, PATCH) for case in cases]


def test_every_lesion_is_seen_exactly_once_an_epoch_and_as_many_patches_without(indexed):
    for epoch in range(5):
        plan = epoch_plan(indexed, PATCH, 1, epoch)
        seen = Counter((p.case, p.lesion) for p in plan if p.lesion)
        assert seen == {(0, 1): 1, (0, 2): 1, (0, 3): 1, (1, 1): 1}
        assert sum(p.lesion == 0 for p in plan) == 4


def test_a_positive_patch_holds_its_lesion_and_a_negative_one_holds_none(indexed):
    for epoch in range(20):
        for p in epoch_plan(indexed, PATCH, 7, epoch):
            held = cut(indexed[p.case].lesions, p.centre, PATCH)
            if p.lesion:
                assert (held == p.lesion).any()
            else:
                assert not held.any()


def test_an_epoch_is_a_function_of_seed_and_epoch(indexed):
    assert epoch_plan(indexed, PATCH, 1, 3) == epoch_plan(indexed, PATCH, 1, 3)
    assert epoch_plan(indexed, PATCH, 1, 3) != epoch_plan(indexed, PATCH, 1, 4)
    assert epoch_plan(indexed, PATCH, 2, 3) != epoch_plan(indexed, PATCH, 1, 3)


def test_places_differ_between_epochs(indexed):
    centres = {
        p.centre
        for e in range(20)
        for p in epoch_plan(indexed, PATCH, 1, e)
        if (p.case, p.lesion) == (0, 2)
    }
    assert len(centres) > 5


def test_a_box_is_four_thirds_of_the_patch():
    assert region_size((96, 96, 96)) == (128, 128, 128)


def test_a_healthy_case_gives_no_patches_and_a_full_one_none_without_lesions():
    healthy = index_lesions(toy_case(3, ()), PATCH)
    assert epoch_plan([healthy], PATCH, 1, 0) == []
    full = index_lesions(toy_case(3, (((0, 20), (0, 24), (0, 24)),)), PATCH)
    assert [p.lesion for p in epoch_plan([full], PATCH, 1, 0)] == [1]


def test_a_lesion_larger_than_the_box_is_still_met():
    blocks = (((0, 20), (0, 1), (0, 24)), ((0, 20), (0, 24), (0, 1)))  # one L of two plates
    indexed = index_lesions(toy_case(4, blocks), PATCH)
    assert indexed.lesions.max() == 1
    for epoch in range(30):
        (positive,) = (p for p in epoch_plan([indexed], PATCH, 1, epoch) if p.lesion)
        assert np.any(cut(indexed.lesions, positive.centre, PATCH) == 1)


def test_an_aimed_patch_is_near_a_region_and_small_regions_come_as_often_as_large_ones():
    case = toy_case(1)
    labels = np.zeros_like(case.labels)
    labels[0:2, 0:20, 0:20] = 1
    labels[19, 23, 23] = 2
    aimed = dataclasses.replace(case, labels=labels)
    far = 0
    for n in range(200):
        k, *_ = aimed_centre(aimed, np.random.default_rng(n))
        far += k > 10
        assert min(abs(k - 19), k) <= 7
    assert 70 < far < 130
    nothing = dataclasses.replace(case, labels=np.zeros_like(labels))
    rng = [np.random.default_rng(5) for _ in range(2)]
    assert aimed_centre(nothing, rng[0]) == any_centre(nothing, rng[1])


def test_patches_for_nothing_can_lie_at_what_is_as_bright_as_a_lesion(cases):
    case = cases[0]
    image = case.image.copy()
    image[1, 17:19, 1:4, 1:4] = 2.0
    indexed = index_lesions(dataclasses.replace(case, image=image), PATCH)
    assert (indexed.bright >= 17).any()
    assert not indexed.lesions[tuple(indexed.bright.T.astype(int))].any()
    median = np.median(image[1][indexed.lesions > 0])
    assert (image[1][tuple(indexed.bright.T.astype(int))] >= median).all()
    only = dataclasses.replace(indexed, bright=np.array([[18, 2, 2]], dtype=np.int16))
    plans = [epoch_plan([only], PATCH, 1, epoch, bright_share=1.0) for epoch in range(5)]
    for plan in plans:
        nothing = [p.centre for p in plan if not p.lesion]
        assert len(nothing) == len(indexed.boxes)
        assert np.abs(np.array(nothing) - (18, 2, 2)).max() <= 2
    some = epoch_plan([only], PATCH, 1, 0, bright_share=0.34)
    assert (
        sum(np.abs(np.array(p.centre) - (18, 2, 2)).max() <= 2 for p in some if not p.lesion) == 1
    )


def test_where_nothing_is_as_bright_as_a_lesion_an_epoch_is_the_papers(indexed):
    assert all(len(one.bright) == 0 for one in indexed)
    assert epoch_plan(indexed, PATCH, 1, 0) == epoch_plan(indexed, PATCH, 1, 0, bright_share=0.5)
