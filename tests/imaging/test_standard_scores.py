import numpy as np
import pytest

from imaging.adc import AdcFit
from imaging.errors import UnusableImages
from imaging.geometry import Geometry
from imaging.intensity import to_standard_scores
from imaging.model import Channel, ModelSpec
from imaging.preprocessing import preprocess


def test_scores_by_hand():
    # Mean 3, standard deviation 2 (of the whole, not of a sample).
    image = np.array([1, 5, 1, 5], dtype=np.float32)
    assert to_standard_scores(image, Channel("s0", "zscore", 1.0, 9.0)).tolist() == [-1, 1, -1, 1]
    assert to_standard_scores(image, Channel("s0", "zscore", 2.0, 9.0)).tolist() == [
        -0.5,
        0.5,
        -0.5,
        0.5,
    ]
    assert to_standard_scores(image, Channel("s0", "zscore", 0.5, 1.5)).tolist() == [
        -1.5,
        1.5,
        -1.5,
        1.5,
    ]


def test_an_image_of_one_value_is_refused():
    with pytest.raises(UnusableImages, match="s0 is the same everywhere"):
        to_standard_scores(np.ones(4, np.float32), Channel("s0", "zscore", 1.0, 9.0))


def test_a_models_input_is_standardised_on_its_own_grid():
    rng = np.random.default_rng(0)
    shape = (12, 16, 20)
    s0 = np.zeros(shape, np.float32)
    s0[:, 3:13, 4:16] = 300 + 100 * rng.random((12, 10, 12))
    adc = np.where(s0 > 0, 1000 + 500 * rng.random(shape), 0).astype(np.float32)
    channels = (Channel("adc_um2_s", "zscore", 1.0, 9.0), Channel("s0", "zscore", 1.0, 9.0))
    spec = ModelSpec("m", "1", channels, (5.0, 4.0, 4.0), "SPL", 8, 2, (4, 4, 4), ("a", "b"), "")
    fit = AdcFit(adc, s0, np.full(shape, np.nan, np.float32), ())
    array = preprocess(fit, Geometry.axial(shape, (5.0, 4.0, 4.0), (0, 0, 0)), spec).array
    for channel in array:
        assert channel.mean() == pytest.approx(0, abs=1e-4)
        assert channel.std() == pytest.approx(1, abs=1e-4)
        assert channel.min() < 0
