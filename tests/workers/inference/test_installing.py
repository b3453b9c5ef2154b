import json
import shutil

import pytest

from imaging.errors import ModelMismatch
from imaging.known_slab import known_slab
from tests.workers.served import Fraction, write_model
from training.triton import triton_config
from workers.inference.installing import add_version, config_with, record_answer
from workers.inference.opening import ModelOpener
from workers.inference.repository import load_known_answer, load_spec, versions_of
from workers.inference.serving import Serving, write_serving
from workers.inference.torchscript import TorchScriptModel


class Half(Fraction):
    """Class 1 has half the probability that channel 0 says."""

    def __init__(self):
        super().__init__(scale=0.5)


@pytest.fixture
def folder(tmp_path):
    folder = write_model(tmp_path / "repository/anatomy", Fraction())
    (folder / "config.pbtxt").write_text(triton_config(load_spec(folder)))
    return folder


def test_a_second_version_is_loaded_by_triton_and_serves_when_it_is_chosen(folder, tmp_path):
    source = write_model(tmp_path / "exported", Half(), version="2.0")
    (source / "MODEL_CARD.md").write_text("card")
    assert add_version(source, folder) == 2
    assert versions_of(folder) == (1, 2)
    assert "versions: [ 1, 2 ]" in (folder / "config.pbtxt").read_text()
    assert sorted(path.name for path in (folder / "2").iterdir()) == [
        "MODEL_CARD.md",
        "model.pt",
        "osteon.json",
    ]
    assert load_spec(folder).version == "1"
    write_serving(folder, Serving(2, 1))
    assert load_spec(folder).version == "2.0"
    assert load_spec(folder, 1).version == "1"


def test_the_embedded_backend_runs_the_version_that_serves_or_is_on_trial(folder, tmp_path):
    add_version(write_model(tmp_path / "exported", Half(), version="2.0"), folder)
    write_serving(folder, Serving().tried(2, 50))
    seen = {
        ModelOpener(threads=1, study_uid=f"1.2.{n}").open(folder).spec.version for n in range(20)
    }
    assert seen == {"1", "2.0"}
    assert ModelOpener(threads=1).open(folder).spec.version == "1"
    write_serving(folder, Serving(2, 1))
    assert ModelOpener(threads=1).open(folder).spec.version == "2.0"
    assert ModelOpener(threads=1).open(folder, 1).spec.version == "1"


def test_the_same_file_or_one_of_other_sizes_is_no_version(folder, tmp_path):
    with pytest.raises(ModelMismatch, match="is version 1 of anatomy already"):
        add_version(shutil.copytree(folder, tmp_path / "same"), folder)
    three = write_model(tmp_path / "three", Fraction(classes=3), classes=["background", "a", "b"])
    with pytest.raises(ModelMismatch, match="2 channels and 3 classes, version 1 of anatomy 2"):
        add_version(three, folder)
    assert versions_of(folder) == (1,)
    with pytest.raises(ModelMismatch, match="there is no model"):
        add_version(three, tmp_path / "repository/other")


def test_a_recorded_answer_is_compared_whenever_the_file_is_loaded(folder):
    assert load_known_answer(folder, 1) is None
    model = TorchScriptModel(folder, threads=1)
    record_answer(folder, 1, model.known_answer)
    assert load_known_answer(folder, 1) == model.known_answer
    assert json.loads((folder / "osteon.json").read_text())["evaluation"] == {"free": "field"}
    TorchScriptModel(folder, threads=1)
    other = TorchScriptModel(write_model(folder.parent / "half", Half()), threads=1)
    record_answer(folder, 1, other.known_answer)
    with pytest.raises(ModelMismatch, match="answers the known slab otherwise") as caught:
        TorchScriptModel(folder, threads=1)
    assert caught.value.code == "MODEL_WRONG_ANSWER"


def test_the_version_policy_replaces_the_one_that_was_there():
    text = 'name: "m"\nmax_batch_size: 1\ninput [ ]\n'
    once = config_with(text, (1,))
    policy = "version_policy { specific { versions: [ 1 ] } }\n"
    assert once == f'name: "m"\nmax_batch_size: 1\n{policy}input [ ]\n'
    assert config_with(once, (1, 2)) == once.replace("[ 1 ]", "[ 1, 2 ]")
    with pytest.raises(ModelMismatch, match="max_batch_size"):
        config_with("name: 1", (1,))


def test_a_known_answer_is_that_of_the_known_slab(folder):
    model = TorchScriptModel(folder, threads=1)
    expected = known_slab(model.spec)[0].mean()  # class 1 is channel 0 itself
    assert model.known_answer.means == pytest.approx((1 - expected, expected), abs=1e-6)
