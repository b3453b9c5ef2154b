"""Who finds disease: the served network, or the rule where there is none."""

from dataclasses import replace

import numpy as np
import pytest

from imaging.disease import DiseaseRule
from imaging.errors import ModelMismatch
from imaging.provenance import BurdenMethod, ModelIdentity
from tests.imaging.test_burden import GRID, seen, spec  # noqa: F401 - a fixture
from workers.disease import burden_method, find_disease


class Everywhere:
    """Says that the whole body is diseased."""

    spec = spec("normalised_high_b")

    def predict(self, model_input, on_progress):
        on_progress(1.0)
        disease = np.ones(model_input.array.shape[1:], np.float16)
        return np.stack([1 - disease, disease])


def test_the_network_decides_where_there_is_one(seen):  # noqa: F811
    heard = []
    found = find_disease(seen, Everywhere(), DiseaseRule(), heard.append)
    assert heard == [1.0]
    assert found.mask[2, 9, 10]
    assert found.removed_organ_ml > 0
    assert burden_method(Everywhere(), found) == BurdenMethod(
        "network", ModelIdentity("disease", "1", ""), 0.5, "probability"
    )


def test_the_rule_decides_where_there_is_none(seen):  # noqa: F811
    never = DiseaseRule(peak_factor=9.0)
    found = find_disease(seen, None, never, lambda _: None)
    assert not found.mask.any()
    told = burden_method(None, found)
    assert (told.method, told.model, told.definition) == ("rule", None, "burden")
    # Marrow has 1.5 of the cord's signal and no marrow's ADC here: the cord alone decides.
    assert told.in_words() == "burden by the rule, normalised signal from 1 on"


def test_a_network_of_other_classes_is_refused_by_name(seen):  # noqa: F811
    model = Everywhere()
    model.spec = replace(model.spec, name="anatomy", classes=("background", "liver"))
    with pytest.raises(ModelMismatch, match=r"anatomy declares the classes background, liver"):
        find_disease(seen, model, DiseaseRule(), lambda _: None)
    assert GRID.voxel_volume_ml == pytest.approx(0.02)
