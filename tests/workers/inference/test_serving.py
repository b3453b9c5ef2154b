import json

import pytest

from imaging.errors import ModelMismatch
from workers.inference.serving import Canary, Serving, read_serving, write_serving


def test_version_one_serves_where_nobody_chose(tmp_path):
    assert read_serving(tmp_path) == Serving(1, None, None)


def test_a_choice_comes_back_as_it_was_written(tmp_path):
    choice = Serving(2, 1, Canary(3, 12.5))
    write_serving(tmp_path, choice)
    assert read_serving(tmp_path) == choice
    assert [path.name for path in tmp_path.iterdir()] == ["serving.json"]


@pytest.mark.parametrize("text", ["{", "[]", '{"version": 2}', '{"version": null}'])
def test_a_file_that_is_no_choice_is_refused(tmp_path, text):
    (tmp_path / "serving.json").write_text(text)
    with pytest.raises(ModelMismatch, match="osteon models promote"):
        read_serving(tmp_path)


def test_a_trial_ends_in_promotion_or_roll_back_and_both_can_be_undone():
    first = Serving()
    trial = first.tried(2, 10)
    assert trial == Serving(1, None, Canary(2, 10))
    assert trial.rolled_back() == first
    second = trial.promoted(2)
    assert second == Serving(2, 1)
    assert second.rolled_back() == Serving(1, 2)
    assert second.promoted(2) == second
    with pytest.raises(ModelMismatch, match="nothing to go back to"):
        first.rolled_back()


def test_a_trial_gets_its_share_of_the_studies_and_always_the_same_ones():
    trial = Serving().tried(2, 25)
    studies = [f"1.2.826.0.1.{n}" for n in range(2000)]
    chosen = [trial.version_for(uid) for uid in studies]
    assert chosen == [trial.version_for(uid) for uid in studies]
    # 500 expected; the binomial's standard deviation is 19.
    assert 500 - 4 * 19.4 < chosen.count(2) < 500 + 4 * 19.4
    wider = Serving().tried(2, 50)
    assert all(wider.version_for(u) == 2 for u in studies if trial.version_for(u) == 2)
    assert {Serving().tried(2, 100).version_for(uid) for uid in studies} == {2}


def test_the_choice_is_plain_json_for_people(tmp_path):
    write_serving(tmp_path, Serving(2, 1))
    written = json.loads((tmp_path / "serving.json").read_text())
    assert written == {"version": 2, "previous": 1, "canary": None}
