from dataclasses import dataclass

import numpy as np
import pytest

from imaging.geometry import Geometry
from imaging.model import ModelInput, ModelSpec
from workers.probabilities import KeptAnswers, probability_maps

GRID = Geometry.axial((1, 1, 2), (5.0, 2.5, 2.5), (0.0, 0.0, 0.0))
INPUT = ModelInput(np.zeros((1, *GRID.shape), np.float32), GRID)


def spec(*classes):
    return ModelSpec(
        "anatomy", "1.2.0", (), (5.0, 2.5, 2.5), "SPL", 8, 2, (1, 1, 1), classes, "ab" * 32
    )


def answer(*voxels):
    """(class, 1, 1, 2): each argument is a voxel's probabilities."""
    return np.array(voxels, np.float16).T.reshape(-1, 1, 1, len(voxels))


@dataclass
class Answering:
    spec: ModelSpec
    given: np.ndarray

    def predict(self, model_input, on_progress):
        assert model_input is INPUT
        on_progress(1.0)
        return self.given


ANATOMY = Answering(
    spec("background", "pelvis", "ribs", "liver", "spleen", "spinal_canal"),
    answer((0.1, 0.2, 0.3, 0.1, 0.1, 0.2), (0.0, 0.0, 1.0, 0.0, 0.0, 0.0)),
)
DISEASE = Answering(spec("background", "disease"), answer((0.6, 0.4), (0.0, 1.0)))
FOCAL = Answering(spec("background", "lesion"), answer((0.8, 0.2), (1.0, 0.0)))


def test_classes_of_one_kind_are_added_up():
    maps = probability_maps(ANATOMY.given, GRID, ANATOMY.spec)
    stored = {one.name: one.volume.stored.reshape(-1).tolist() for one in maps}
    assert stored == {"skeleton": [128, 255], "organs": [51, 0], "canal": [51, 0]}
    assert all(one.volume.geometry is GRID for one in maps)
    assert {one.model.sha256 for one in maps} == {"ab" * 32}


def test_a_sum_that_rounding_brings_over_one_is_one():
    given = answer((0.0, 0.5005, 0.5005, 0, 0, 0), (0.0, 0.0, 0.0, 0, 0, 0))
    assert float(given.sum(axis=0, dtype=np.float32).max()) > 1
    [skeleton, *_] = probability_maps(given, GRID, ANATOMY.spec)
    assert skeleton.volume.stored.reshape(-1).tolist() == [255, 0]


def test_every_network_that_is_asked_is_overheard_and_its_answer_untouched():
    kept = KeptAnswers(wanted=True)
    told = []
    for model in (ANATOMY, DISEASE, FOCAL):
        overheard = kept.of(model)
        assert overheard.spec is model.spec
        assert overheard.predict(INPUT, told.append) is model.given
    assert told == [1.0, 1.0, 1.0]
    assert [one.name for one in kept.maps] == ["skeleton", "organs", "canal", "disease", "focal"]
    assert kept.of(None) is None


def test_nothing_is_kept_where_nobody_wants_it():
    kept = KeptAnswers(wanted=False)
    assert kept.of(DISEASE) is DISEASE
    assert kept.maps == ()


def test_a_class_that_nobody_knows_has_no_map():
    assert probability_maps(DISEASE.given, GRID, spec("background", "else")) == []


@pytest.mark.parametrize("name", ["disease", "focal"])
def test_a_map_says_what_it_is(name):
    model = {"disease": DISEASE, "focal": FOCAL}[name]
    [only] = probability_maps(model.given, GRID, model.spec)
    assert only.name == name
    assert only.volume.description.startswith(f"probability of {name}")
    assert only.volume.slope == 1 / 255
