"""One person at two visits: what changed is what the course says, and the truth knows it."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from imaging.anatomy import BONES
from phantom.acquisition import Protocol
from phantom.course import Course
from phantom.follow_up import make_visits
from phantom.follow_up_truth import scan_visit, true_links, truth_of_pair
from phantom.patient import PatientOptions, make_patient

COARSE = Protocol(slice_mm=10.0, in_plane_mm=4.0, matrix=(88, 120))
SEED = 3


@cache
def persons(course, n_visits=2):
    return make_visits(SEED, course, n_visits)


@pytest.fixture(scope="module")
def responding():
    return tuple(scan_visit(person, COARSE) for person in persons(Course.RESPONDING))


def by_seed(person):
    return {plan.seed: plan for plan in person.disease.lesions}


def test_the_person_is_that_of_the_seed_and_lies_differently(responding):
    first, second = persons(Course.RESPONDING)
    usual = make_patient(SEED, PatientOptions(diseased=False)).habitus
    assert np.array_equal(first.habitus.posture, usual.posture)
    assert second.habitus.scale == usual.scale
    assert not np.allclose(second.habitus.posture, usual.posture)
    before, after = (visit.acquisition.truth for visit in responding)
    assert before.geometry.shape == after.geometry.shape
    assert not before.geometry.matches(after.geometry, 1.0)  # the table stands elsewhere
    middles = []
    for truth in (before, after):
        bone = np.isin(truth.labels, [s.label for s in BONES])
        middles.append(truth.geometry.to_patient_mm(np.argwhere(bone).mean(axis=0)))
    assert np.linalg.norm(middles[0] - middles[1]) > 1.0
    sizes = [np.count_nonzero(t.labels == 4) for t in (before, after)]
    assert sizes[1] == pytest.approx(sizes[0], rel=0.05)  # the lumbar spine is the same bone


def test_responding_disease_shrinks_and_its_adc_rises(responding):
    before, after = (visit.acquisition.truth for visit in responding)
    assert after.tdv_ml < 0.6 * before.tdv_ml
    assert after.gadc_um2_s > 1.15 * before.gadc_um2_s


def test_the_truth_says_what_became_of_every_part(responding):
    before, after = responding
    links = true_links(before, after)
    states = [link.state for link in links]
    assert states.count("split") >= 1  # the pair, one mass at first
    assert "resolved" in states
    # Only what fell between two thick slices at first may look new.
    voxel_ml = after.acquisition.truth.geometry.voxel_volume_ml
    new = [link.after[0] for link in links if link.state == "new"]
    assert all(np.count_nonzero(after.parts == k) * voxel_ml < 0.7 for k in new)
    assert sorted(k for link in links for k in link.before) == sorted(before.held)
    assert sorted(k for link in links for k in link.after) == sorted(after.held)
    for link in links:
        held = [frozenset().union(*(v.held[k] for k in side)) for v, side in
                ((before, link.before), (after, link.after))]  # fmt: skip
        assert not link.before or not link.after or held[0] & held[1]


def test_the_truth_as_a_document_has_places_and_volumes(responding):
    document = truth_of_pair(*responding)
    assert document["tdv_ml"] == [v.acquisition.truth.tdv_ml for v in responding]
    split = next(link for link in document["links"] if link["state"] == "split")
    assert sum(part["volume_ml"] for part in split["before"]) > 4
    assert len(split["after"]) >= 2
    assert len(split["after"][0]["centroid_mm"]) == 3


def test_a_stable_person_has_the_same_lesions_twice():
    first, second = persons(Course.STABLE)
    assert first.disease == second.disease


def test_progressing_disease_grows_and_has_new_lesions():
    first, second = (by_seed(person) for person in persons(Course.PROGRESSING))
    assert set(first) < set(second)
    assert all(second[seed].volume_ml >= plan.volume_ml for seed, plan in first.items())
    assert all(second[seed].place_mm == plan.place_mm for seed, plan in first.items())


def test_mixed_disease_does_both():
    first, second = (by_seed(person) for person in persons(Course.MIXED))
    assert set(first) - set(second)
    assert set(second) - set(first)


def test_a_visit_in_between_lies_in_between():
    volumes = [sum(p.volume_ml for p in person.disease.lesions[:-2]) for person in
               persons(Course.RESPONDING, 3)]  # fmt: skip
    assert volumes[0] > volumes[1] > volumes[2]
