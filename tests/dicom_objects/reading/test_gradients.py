"""Directions measure the trace when their mean of ggᵀ is a third of the unit matrix."""

import numpy as np
import pytest

from dicom_objects.reading.gradients import TOLERANCE, deviation, measure_the_trace

ORTHOGONAL = [(1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)]
# The six directions of the icosahedron, a common scheme.
GOLDEN = (1 + 5**0.5) / 2
ICOSAHEDRON = [
    (0, 1, GOLDEN),
    (0, 1, -GOLDEN),
    (1, GOLDEN, 0),
    (1, -GOLDEN, 0),
    (GOLDEN, 0, 1),
    (-GOLDEN, 0, 1),
]


@pytest.mark.parametrize("scheme", [ORTHOGONAL, ICOSAHEDRON, ORTHOGONAL + ICOSAHEDRON])
def test_even_schemes_measure_the_trace(scheme):
    assert deviation(scheme) < 1e-12
    assert measure_the_trace(scheme)


def test_two_axes_and_a_diagonal_do_not():
    # M of x, y and (x + y)/√2 is [[1/2, 1/6, 0], [1/6, 1/2, 0], [0, 0, 0]]: 0, 1/3 and 2/3.
    diagonal = (0.5**0.5, 0.5**0.5, 0.0)
    assert deviation([*ORTHOGONAL[:2], diagonal]) == pytest.approx(1 / 3)
    assert not measure_the_trace([*ORTHOGONAL[:2], diagonal])


@pytest.mark.parametrize("directions", [[], ORTHOGONAL[:2], [*ORTHOGONAL, None], [(0, 0, 0)] * 3])
def test_what_is_not_known_does_not(directions):
    assert not measure_the_trace(directions)


def test_the_tolerance_allows_the_error_that_it_promises():
    """The worst scheme within the tolerance, on a tensor with one axis twice as diffusive."""
    mean_of_outer_products = np.diag(
        [1 / 3 + TOLERANCE, 1 / 3 - TOLERANCE / 2, 1 / 3 - TOLERANCE / 2]
    )
    tensor = np.diag([2.0, 1.0, 1.0])
    measured, true = np.trace(mean_of_outer_products @ tensor), np.trace(tensor) / 3
    assert measured / true - 1 == pytest.approx(0.015, abs=1e-12)
