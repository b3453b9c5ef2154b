from __future__ import annotations

import numpy as np

from imaging.agreement import dice
from imaging.registration import RegistrationSettings
from tests.training.atlas.bodies import KIDNEY, LIVER, body_case
from training.atlas.propagation import average, prepare_atlas, probability_by_atlas

SETTINGS = RegistrationSettings(spacing_mm=(5.0, 2.5, 2.5))


def test_average_by_hand():
    def row(*values):
        return np.array(values, np.float32).reshape(-1, 1, 1, 3)

    votes = [
        ((1, 2), row(1.0, 0.5, 0.0, 0.0, 0.5, 0.0)),
        ((1,), row(1.0, 0.0, 0.0)),
        ((2,), row(0.0, 1.0, 0.25)),
        ((), np.zeros((0, 1, 1, 3), np.float32)),  # an atlas that reaches no structure
    ]
    found = average(votes, 3, (1, 1, 3))[:, 0, 0]
    # Four atlases. Voxel 0: class 1 from two; voxel 1: 0.5 and 0.5 + 1; voxel 2: 0.25.
    np.testing.assert_allclose(found[1], [0.5, 0.125, 0])
    np.testing.assert_allclose(found[2], [0, 0.375, 0.0625])
    np.testing.assert_allclose(found[0], [0.5, 0.5, 0.9375])


def test_without_atlases_all_is_background():
    found = average([], 2, (1, 1, 2))
    assert found.tolist() == [[[[1.0, 1.0]]], [[[0.0, 0.0]]]]


def test_three_bodies_find_the_organs_of_a_fourth():
    scan = body_case(4)
    atlases = [prepare_atlas(body_case(seed), SETTINGS) for seed in (1, 2, 3)]
    assert atlases[0].held == (LIVER, KIDNEY)
    probability = probability_by_atlas(scan.model_input, atlases, SETTINGS, 21)
    np.testing.assert_allclose(probability.sum(axis=0), 1, atol=1e-5)
    answer = probability.argmax(axis=0)
    for label in (LIVER, KIDNEY):
        found = dice(scan.labels == label, answer == label)
        unmoved = [dice(scan.labels == label, a.labels == label) for a in atlases]
        assert found > 0.9
        assert found > np.mean(unmoved)
    again = probability_by_atlas(scan.model_input, atlases, SETTINGS, 21)
    assert np.array_equal(again, probability)
