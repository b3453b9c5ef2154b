from __future__ import annotations

import dataclasses
from itertools import pairwise

import numpy as np
import pytest

from phantom.contoured.build import draw_build
from phantom.contoured.column import BASE, beside, vertebrae


def build(**changes):
    return dataclasses.replace(draw_build(np.random.default_rng(3)), **changes)


STRAIGHT = {"cobb_deg": 0.0, "wedge": np.ones(26), "thoracic": 12, "lumbar": 5}


def test_every_vertebra_stands_on_the_one_below():
    vs = vertebrae(build(**STRAIGHT))
    assert len(vs) == 24
    foot = vs[-1].at(0, 0, -vs[-1].half[2] - vs[-1].gap_mm)
    assert foot == pytest.approx(BASE, abs=1e-6)
    for upper, lower in pairwise(vs):
        bottom = upper.at(0, 0, -upper.half[2] - upper.gap_mm)
        assert bottom == pytest.approx(lower.at(0, 0, lower.half[2]), abs=1e-6)


def test_the_curves_are_those_that_were_drawn():
    vs = vertebrae(build(**STRAIGHT, kyphosis_deg=40.0, lordosis_deg=35.0))
    lean = [-np.rad2deg(np.arcsin(v.frame[2][1])) for v in vs]
    assert lean[7] - lean[19] == pytest.approx(40, abs=1.5)  # from T1 to L1
    assert lean[-1] - lean[19] == pytest.approx(35, abs=1.5)
    bent = vertebrae(build(**(STRAIGHT | {"cobb_deg": 20.0}), apex=15.0, second_curve=0.0))
    tilt = np.rad2deg([np.arcsin(v.frame[2][0]) for v in bent])
    assert tilt.max() - tilt.min() == pytest.approx(20, abs=1.5)
    assert np.ptp([v.place[0] for v in vs]) < 1e-6
    assert np.ptp([v.place[0] for v in bent]) > 8


@pytest.mark.parametrize(("thoracic", "lumbar"), [(11, 6), (12, 6), (12, 4)])
def test_the_number_of_vertebrae_may_be_another(thoracic, lumbar):
    vs = vertebrae(build(**(STRAIGHT | {"thoracic": thoracic, "lumbar": lumbar})))
    regions = [v.region for v in vs]
    assert regions.count("thoracic_spine") == thoracic
    assert regions.count("lumbar_spine") == lumbar
    assert vs[0].place[2] == pytest.approx(1575, abs=8)  # the head stays where it is


def test_what_lies_beside_the_spine_follows_it():
    vs = vertebrae(build(**(STRAIGHT | {"cobb_deg": 28.0}), apex=17.0, second_curve=0.0))
    apex = max(vs, key=lambda v: abs(v.place[0]))
    moved = beside(vs, np.array([[30.0, 20.0, apex.place[2]]]))
    assert moved[0, 0] == pytest.approx(30 + 0.85 * apex.place[0])
