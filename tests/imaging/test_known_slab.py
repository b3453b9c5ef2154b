import dataclasses
import json

import numpy as np
import pytest

from imaging.errors import ModelMismatch
from imaging.known_slab import TOLERANCE, KnownAnswer, describe, difference, known_slab, parse
from imaging.model import Channel, ModelSpec


def spec(channels=2, divisor=(4, 8, 16)):
    channel = Channel("adc_um2_s", "fixed", 1000.0, 4.0)
    return ModelSpec(
        "m", "1", (channel,) * channels, (5, 4, 4), "SPL", 8, 2, divisor, ("background",), "ab"
    )


def test_the_slab_is_what_its_formula_says():
    slab = known_slab(spec())
    assert slab.shape == (2, 4, 8, 32)
    assert slab.dtype == np.float32
    assert slab[0, 0, 0, 5] == pytest.approx(0.5)  # sin 0 = 0
    expected = 0.5 + 0.5 * np.sin(3 / 2.8 + 1) * np.cos(7 / 4 - 1) * np.sin(20 / 5.2 + 2)
    assert slab[1, 3, 7, 20] == pytest.approx(expected, abs=1e-6)
    assert slab.min() >= 0
    assert slab.max() <= 1


def test_channels_differ_and_no_flip_or_exchange_of_axes_leaves_the_slab_as_it_is():
    slab = known_slab(spec(divisor=(8, 8, 4)))
    assert np.abs(slab[0] - slab[1]).max() > 0.3
    for turned in (slab[:, ::-1], slab[:, :, ::-1], slab[..., ::-1], slab.transpose(0, 2, 1, 3)):
        assert np.abs(turned - slab).max() > 0.3


def two_classes(first):
    return np.stack([first, 1 - first]).astype(np.float32)


def test_a_fingerprint_is_means_and_the_least_certain_voxel_of_each_eighth():
    sure = np.full((4, 4, 4), 0.9)
    sure[::2, 0, 3] = 0.6  # voxels 3 and 35: the first and the fifth eighth
    answer = describe(two_classes(sure))
    assert answer.means == pytest.approx((0.9 - 0.6 / 64, 0.1 + 0.6 / 64), abs=1e-6)
    assert answer.places == (3, 8, 16, 24, 35, 40, 48, 56)
    assert answer.samples[0] == pytest.approx((0.6, 0.4), abs=1e-6)
    assert answer.samples[4] == pytest.approx((0.6, 0.4), abs=1e-6)
    assert answer.samples[7] == pytest.approx((0.9, 0.1), abs=1e-6)


def test_the_difference_is_the_largest_of_all():
    answer = two_classes(np.full((2, 2, 4), 0.7))
    known = describe(answer)
    assert difference(known, answer) < 1e-6
    moved = answer.copy()
    moved.reshape(2, -1)[:, known.places[3]] += 2 * TOLERANCE
    assert difference(known, moved) == pytest.approx(2 * TOLERANCE, abs=1e-6)
    assert difference(known, answer + np.float32(0.1)) == pytest.approx(0.1, abs=1e-6)
    assert np.isnan(difference(known, answer * np.float32("nan")))


def test_what_cannot_be_compared_differs_infinitely():
    answer = two_classes(np.full((2, 2, 4), 0.7))
    known = describe(answer)
    assert difference(known, answer[:1]) == float("inf")
    assert difference(known, answer[:, :1]) == float("inf")
    assert difference(KnownAnswer(known.means, (), known.samples), answer) == float("inf")


def test_an_answer_survives_json_and_what_is_none_is_refused():
    one = KnownAnswer((0.5, 0.5), (3,), ((0.2, 0.8),))
    assert parse("m", json.loads(json.dumps(dataclasses.asdict(one)))) == one
    with pytest.raises(ModelMismatch, match=r"model m: known_slab of osteon\.json is not"):
        parse("m", {"means": [1.0], "places": [0], "samples": [["half"]]})
