from __future__ import annotations

import numpy as np

from phantom.patient import make_patient


def test_equal_seeds_give_equal_persons():
    one, two = make_patient(7), make_patient(7)
    assert one.disease == two.disease
    assert one.habitus.scale == two.habitus.scale
    assert np.array_equal(one.habitus.organ_shift_mm, two.habitus.organ_shift_mm)
    assert np.array_equal(one.tissues.s0, two.tissues.s0)


def test_seeds_differ_in_shape_contrast_and_disease():
    persons = [make_patient(seed) for seed in range(12)]
    assert len({p.habitus.scale for p in persons}) == 12
    assert len({float(p.tissues.s0[17]) for p in persons}) == 12
    assert len({len(p.disease.lesions) for p in persons}) > 5
    assert {p.habitus.male for p in persons} == {True, False}
