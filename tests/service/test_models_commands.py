import json

import pytest
from typer.testing import CliRunner

from service.cli.app import app
from tests.workers.served import Fraction, write_model
from training.triton import triton_config
from workers.inference.repository import load_known_answer, load_spec


class Half(Fraction):
    """Class 1 has half the probability that channel 0 says."""

    def __init__(self):
        super().__init__(scale=0.5)


@pytest.fixture
def repository(tmp_path):
    folder = write_model(tmp_path / "models/anatomy", Fraction())
    (folder / "config.pbtxt").write_text(triton_config(load_spec(folder)))
    return folder.parent


@pytest.fixture
def models(repository):
    """Call `osteon models ...` on that repository."""

    def call(*words):
        return CliRunner().invoke(
            app, ["--set", f"models.repository={repository}", "models", *map(str, words)]
        )

    return call


def serves(models):
    rows = json.loads(models("list", "--json").stdout)
    return {row["number"]: row["serves"] for row in rows}


def test_a_version_is_added_tried_promoted_and_rolled_back(models, tmp_path):
    source = write_model(tmp_path / "exported", Half(), version="2.0")
    added = models("add", source, "anatomy")
    assert added.exit_code == 0, added.output
    assert "anatomy version 2 is there" in added.stdout
    assert serves(models) == {1: "serves", 2: ""}
    tried = models("promote", "anatomy", 2, "--canary", 10)
    assert "version 1 serves; version 2 gets 10 % of the studies" in tried.stdout
    assert serves(models) == {1: "serves", 2: "10 % of the studies"}
    assert "version 1 serves\n" in models("rollback", "anatomy").stdout
    assert "version 2 serves\n" in models("promote", "anatomy", 2).stdout
    assert serves(models) == {1: "", 2: "serves"}
    assert "version 1 serves\n" in models("rollback", "anatomy").stdout
    assert "version 2 serves\n" in models("rollback", "anatomy", 2).stdout


def test_what_is_not_there_or_broken_is_not_promoted(models, repository):
    missing = models("promote", "anatomy", 7)
    assert missing.exit_code == 1
    assert "[MODEL_MISMATCH]" in missing.stderr
    nothing = models("rollback", "anatomy")
    assert nothing.exit_code == 1
    assert "nothing to go back to" in nothing.stderr
    assert not (repository / "anatomy/serving.json").exists()


def test_what_the_server_does_not_answer_is_not_promoted(repository, tmp_path, models):
    models("add", write_model(tmp_path / "exported", Half(), version="2.0"), "anatomy")
    far = [
        f"models.repository={repository}",
        "models.backend=triton",
        "models.triton.url=127.0.0.1:1",
        "models.triton.patience_s=0",
    ]
    given = [word for setting in far for word in ("--set", setting)]
    promoted = CliRunner().invoke(app, [*given, "models", "promote", "anatomy", "2"])
    assert promoted.exit_code == 1
    assert "[MODEL_UNAVAILABLE]" in promoted.stderr
    assert serves(models) == {1: "serves", 2: ""}


def test_verify_records_the_known_answer_and_compares_it_from_then_on(models, repository):
    folder = repository / "anatomy"
    assert load_known_answer(folder, 1) is None
    assert models("verify", "--record").stdout == "anatomy 1: ok\n"
    assert load_known_answer(folder, 1) is not None
    text = (folder / "osteon.json").read_text()
    fields = json.loads(text)
    fields["known_slab"]["means"][0] += 0.01
    (folder / "osteon.json").write_text(json.dumps(fields))
    wrong = models("verify")
    assert wrong.exit_code == 1
    assert "answers the known slab otherwise" in wrong.stdout


def test_models_of_other_sizes_are_not_versions(models, tmp_path, repository):
    wide = write_model(tmp_path / "wide", Fraction(classes=3), classes=["background", "a", "b"])
    refused = models("add", wide, "anatomy")
    assert refused.exit_code == 1
    assert "give it a name of its own" in refused.stderr
    assert not (repository / "anatomy/2").exists()
