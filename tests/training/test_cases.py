from __future__ import annotations

import numpy as np
import pytest

from imaging.geometry import Geometry
from phantom.patient import BodyModelName
from training.cases import labels_on_grid, read_case, write_case
from training.cohort import Cohort, Recipe, case_path, prepare_cohort
from training.errors import TrainingError


def test_a_case_reads_back_as_written(cases, tmp_path):
    write_case(cases[0], tmp_path / "a.npz")
    back = read_case(tmp_path / "a.npz")
    assert np.array_equal(back.image, cases[0].image)
    assert np.array_equal(back.labels, cases[0].labels)
    assert back.model_input.geometry.spacing_mm == (5.0, 2.5, 2.5)
    assert not list(tmp_path.glob("*.partial"))


def test_half_a_file_is_refused(tmp_path):
    (tmp_path / "a.npz").write_bytes(b"half")
    with pytest.raises(TrainingError) as caught:
        read_case(tmp_path / "a.npz")
    assert caught.value.code == "CASE"


def test_labels_take_the_class_that_holds_most_of_a_voxel():
    labels = np.zeros((2, 4, 4), dtype=np.uint8)
    labels[:, :, 1:] = 15  # 3 of 4 columns: the left coarse column is half, the right all liver
    fine = Geometry.axial((2, 4, 4), (5.0, 1.0, 1.0), (0.0, 0.0, 0.0))
    coarse = Geometry.axial((2, 2, 2), (5.0, 2.0, 2.0), (0.5, 0.5, 0.0))
    moved = labels_on_grid(labels, fine, coarse)
    assert (moved[:, :, 1] == 15).all()
    assert np.array_equal(labels_on_grid(labels, fine, fine), labels)


def test_prepared_cases_are_left_alone_and_missing_ones_are_made(
    cases, experiment, tmp_path, monkeypatch
):
    made = []

    def make(seed, spec, body_model):
        assert spec == experiment.model_spec()
        assert body_model is BodyModelName.BEADED
        made.append(seed)
        return cases[0]

    monkeypatch.setattr("training.phantoms.phantom_case", make)
    write_case(cases[1], case_path(tmp_path, 2))
    cohort = Cohort(tmp_path, (1, 2, 3))
    heard = []
    assert prepare_cohort(cohort, Recipe(experiment.model_spec()), 1, heard.append) == 2
    assert made == heard == [1, 3]
    assert [c.name for c in cohort.read()] == [f"phantom-0000{s}" for s in (1, 2, 3)]
    assert np.array_equal(cohort.read()[1].labels, cases[1].labels)


def test_an_empty_cohort_says_what_to_do(tmp_path):
    with pytest.raises(TrainingError, match="osteon train prepare") as caught:
        Cohort(tmp_path, (1,)).read()
    assert caught.value.code == "NO_CASES"
