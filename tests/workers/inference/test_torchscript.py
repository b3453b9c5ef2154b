import hashlib
import json

import numpy as np
import pytest
import torch

from imaging.errors import ModelMismatch
from imaging.geometry import Geometry
from imaging.model import ModelInput
from tests.workers.served import Fraction, write_model
from workers.inference.slabwise import pad_to_multiple
from workers.inference.torchscript import TorchScriptModel


def model_input(shape=(19, 6, 7), channels=2, spacing_mm=(5.0, 4.0, 4.0)):
    rng = np.random.default_rng(0)
    array = rng.random((channels, *shape), dtype=np.float32)
    return ModelInput(array, Geometry.axial(shape, spacing_mm, (0, 0, 0)))


def test_slabs_blend_to_what_one_pass_would_give(tmp_path):
    model = TorchScriptModel(write_model(tmp_path / "m", Fraction()), threads=1)
    given = model_input()
    told = []
    answer = model.predict(given, told.append)
    assert answer.shape == (2, 19, 6, 7)
    # The model answers voxel by voxel, so any blend of slabs must give channel 0 itself.
    np.testing.assert_allclose(answer[1], given.array[0], atol=0.01)
    np.testing.assert_allclose(answer.sum(axis=0), 1.0, atol=0.01)
    assert told == [pytest.approx(1 / 3), pytest.approx(2 / 3), 1.0]


def test_an_input_of_other_channels_or_spacing_is_refused(tmp_path):
    model = TorchScriptModel(write_model(tmp_path / "m", Fraction()), threads=1)
    with pytest.raises(ModelMismatch, match="takes 2 channels, it was given 3"):
        model.predict(model_input(channels=3), print)
    with pytest.raises(ModelMismatch, match="wants spacing"):
        model.predict(model_input(spacing_mm=(5.0, 4.0, 4.1)), print)


def test_a_slice_distance_within_one_percent_is_taken(tmp_path):
    model = TorchScriptModel(write_model(tmp_path / "m", Fraction()), threads=1)
    assert model.predict(model_input((4, 4, 4), spacing_mm=(5.04, 4.0, 4.0)), print).any()


class Logits(Fraction):
    """Someone forgot the softmax."""

    def forward(self, x):
        return super().forward(x) * 3


class Pair(Fraction):
    """Two arrays, as a network with deep supervision answers."""

    def forward(self, x):
        return super().forward(x), x


class Mixing(Fraction):
    """A convolution of exactly two channels."""

    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Conv3d(2, 2, 1)

    def forward(self, x):
        return torch.softmax(self.layer(x), 1)


THIRD = {"quantity": "s0", "normalisation": "fixed", "scale": 1.0, "clip": 1.0}


@pytest.mark.parametrize(
    ("module", "declared", "said"),
    [
        (Fraction(classes=3), {}, r"answers shape \(3, 4, 4, 8\), 2 classes make \(2, "),
        (Fraction(scale=float("nan")), {}, "not numbers"),
        (Logits(), {}, "no probabilities: softmax"),
        (Pair(), {}, "answers tuple, not one array"),
        (Mixing(), {"channels": [THIRD] * 3}, "does not take 3 channels on a slab"),
    ],
)
def test_a_file_that_is_not_what_is_declared_is_refused_when_it_is_loaded(
    tmp_path, module, declared, said
):
    folder = write_model(tmp_path / "m", module, **declared)
    with pytest.raises(ModelMismatch, match=said) as caught:
        TorchScriptModel(folder, threads=1)
    assert str(folder) in str(caught.value)
    assert "1/model.pt disagrees with osteon.json" in str(caught.value)


def test_a_file_that_is_no_model_is_refused(tmp_path):
    folder = write_model(tmp_path / "m", Fraction())
    (folder / "1/model.pt").write_bytes(b"weights")
    fields = json.loads((folder / "osteon.json").read_text())
    fields["sha256"] = hashlib.sha256(b"weights").hexdigest()
    (folder / "osteon.json").write_text(json.dumps(fields))
    with pytest.raises(ModelMismatch, match="no TorchScript file"):
        TorchScriptModel(folder, threads=1)


class Threshold(Fraction):
    """Answers numbers, until the input is large."""

    def forward(self, x):
        return super().forward(x) + torch.log((x[:, 0:1] < 2).float()) * 0


def test_a_model_that_answers_no_numbers_later_is_refused_too(tmp_path):
    model = TorchScriptModel(write_model(tmp_path / "m", Threshold()), threads=1)
    given = model_input()
    with pytest.raises(ModelMismatch, match="not numbers"):
        model.predict(ModelInput(given.array * 5, given.geometry), print)


def test_an_input_that_is_not_on_its_grid_is_refused(tmp_path):
    model = TorchScriptModel(write_model(tmp_path / "m", Fraction()), threads=1)
    given = model_input()
    with pytest.raises(ModelMismatch, match="give the grid that it is on"):
        model.predict(ModelInput(given.array[:, 1:], given.geometry), print)


class Neighbours(torch.nn.Module):
    """Class 1 is a blurred channel 0: what lies beyond the slab matters."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        kernel = torch.full((1, 1, 3, 3, 3), 1 / 27)
        first = torch.nn.functional.conv3d(x[:, 0:1], kernel, padding=1)
        return torch.cat([1.0 - first, first], 1)


def test_overlap_hides_the_ends_of_slabs(tmp_path):
    given = model_input((30, 8, 8))
    wide = {"slab_slices": 16, "slab_overlap": 4}
    model = TorchScriptModel(write_model(tmp_path / "m", Neighbours(), **wide), threads=1)
    once = {"slab_slices": 32, "slab_overlap": 0}
    whole = TorchScriptModel(write_model(tmp_path / "w", Neighbours(), **once), threads=1)
    difference = np.abs(model.predict(given, print) - whole.predict(given, print))
    assert difference.max() < 0.1
    assert difference[:, :7].max() < 0.005  # the next slab begins at slice 7


def test_padding_appends_zeros_up_to_the_multiple():
    padded = pad_to_multiple(np.ones((2, 5, 8, 3), dtype=np.float32), (4, 4, 2))
    assert padded.shape == (2, 8, 8, 4)
    assert padded.sum() == 2 * 5 * 8 * 3
    assert padded[:, :5, :8, :3].all()


class Activated(torch.nn.Module):
    """Two convolutions with a PReLU between them, as in many of MONAI's networks."""

    def __init__(self):
        super().__init__()
        first, second = torch.nn.Conv3d(2, 4, 1), torch.nn.Conv3d(4, 2, 1)
        self.layers = torch.nn.Sequential(first, torch.nn.PReLU(), second, torch.nn.Softmax(1))

    def forward(self, x):
        return self.layers(x)


def test_a_network_runs_in_float32(tmp_path):
    module = Activated()
    model = TorchScriptModel(write_model(tmp_path / "m", module), threads=1)
    given = model_input((8, 4, 4))
    with torch.no_grad():
        expected = module(torch.from_numpy(given.array)[None])[0].numpy()
    np.testing.assert_allclose(model.predict(given, lambda _: None), expected, atol=5e-4)
