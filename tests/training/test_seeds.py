from __future__ import annotations

from pathlib import Path

import pytest

from training.cohort import training_cohort
from training.commands import prepare
from training.errors import TrainingError
from training.seeds import parse_seeds, seeds_in_words


def test_ranges_are_joined_sorted_and_single():
    assert parse_seeds("7,1-3,2") == (1, 2, 3, 7)


@pytest.mark.parametrize("text", ["", "a-b", "5-", "3-1"])
def test_what_is_no_range_is_refused(text):
    with pytest.raises(TrainingError) as caught:
        parse_seeds(text)
    assert caught.value.code == "SEEDS"


@pytest.mark.parametrize("text", ["1000", "990-1000", "1019", "1-3,1010"])
def test_test_seeds_never_become_a_training_cohort(text):
    with pytest.raises(TrainingError) as caught:
        training_cohort(Path("nowhere"), text)
    assert caught.value.code == "TEST_SEEDS"


def test_prepare_refuses_test_seeds_before_it_makes_anything(tmp_path):
    config = tmp_path / "e.yaml"
    folder = tmp_path / "cases"
    config.write_text(
        f"name: a\nversion: '1'\ncohort: {{folder: {folder}, train_seeds: 1-2,"
        " validation_seeds: '900'}\n"
    )
    with pytest.raises(TrainingError, match="1005"):
        prepare(config, "998-1005", 1, lambda _: None)
    assert not folder.exists()


@pytest.mark.parametrize("text", ["1-3,7", "900-905", "4"])
def test_seeds_are_said_as_they_are_read(text):
    assert seeds_in_words(parse_seeds(text)) == text


def test_the_seeds_beside_the_test_seeds_are_free():
    assert training_cohort(Path("nowhere"), "999,1020").seeds == (999, 1020)
