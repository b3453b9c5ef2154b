from __future__ import annotations

import numpy as np
import pytest

from phantom.disease import draw_disease


def test_sizes_numbers_and_adc_follow_the_papers():
    plans = [draw_disease(np.random.default_rng(s), True, None) for s in range(400)]
    counts = np.array([len(p.lesions) for p in plans])
    assert 9 < counts.mean() < 13  # papers.md E.6: about eleven a patient
    assert counts.min() >= 1
    assert counts.max() <= 60
    # Confluent lesions are the first three of some persons; the others are log-normal.
    volumes = np.array([lesion.volume_ml for p in plans for lesion in p.lesions[3:]])
    assert np.median(volumes) == pytest.approx(0.5, rel=0.1)
    assert (volumes >= 1.0).mean() == pytest.approx(0.25, abs=0.03)
    largest = max(lesion.volume_ml for p in plans for lesion in p.lesions)
    assert 40 < largest <= 60
    adc = np.array([lesion.adc_um2_s for p in plans for lesion in p.lesions])
    assert adc.mean() == pytest.approx(1054, abs=150)  # Messiou 2011
    assert 250 < adc.std() < 460
    assert 0.04 < np.mean([p.diffuse_fraction > 0 for p in plans]) < 0.13


def test_a_healthy_person_has_a_plan_without_disease():
    plan = draw_disease(np.random.default_rng(1), False, None)
    assert plan.lesions == ()
    assert plan.diffuse_fraction == 0


def test_a_fixed_count_has_no_diffuse_part():
    for seed in range(60):
        plan = draw_disease(np.random.default_rng(seed), True, 5)
        assert len(plan.lesions) == 5
        assert plan.diffuse_fraction == 0
