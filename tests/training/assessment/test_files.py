from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import jsonschema
import pytest

from tests.training.scored import case, exam
from training.assessment.files import FORMAT, read_cases, read_declared, write_evaluation
from training.errors import TrainingError

SCHEMA = Path(__file__).parents[3] / "docs" / "evaluation.schema.json"
CASES = [
    case(1, tdv_ml=90.0, gadc_um2_s=1010.0),
    case(2, tdv_ml=120.0, gadc_um2_s=950.0),
    case(3, tdv_ml=101.0),
]
HEALTHY = case(4, exam(), disease=None, tdv_ml=0.0, true_tdv_ml=0.0, gadc_um2_s=None,
               true_gadc_um2_s=None)  # fmt: skip
PLOTS = ["structures.svg", "froc.svg", "bland_altman_tdv.svg", "bland_altman_gadc.svg"]


def test_everything_is_written(tmp_path):
    table = write_evaluation(CASES, "ab" * 32, "Patients made by hand", tmp_path)
    document = json.loads((tmp_path / "evaluation.json").read_text())
    assert document["format"] == FORMAT
    assert document["markdown"] == table
    assert document["structures"]["skeleton"]["dice"]["mean"]["value"] == pytest.approx(0.9)
    text = (tmp_path / "evaluation.md").read_text()
    assert text.startswith(table.rstrip())
    for name in PLOTS:
        assert f"]({name})" in text
        assert ET.parse(tmp_path / name).getroot().tag.endswith("svg")  # noqa: S314 - ours
    assert read_cases(tmp_path) == CASES


@pytest.mark.parametrize("cases", [CASES, [HEALTHY], [CASES[0]], [*CASES, HEALTHY]])
def test_the_document_keeps_to_its_schema(cases, tmp_path):
    schema = json.loads(SCHEMA.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    write_evaluation(cases, "ab" * 32, "Patients", tmp_path)
    jsonschema.validate(json.loads((tmp_path / "evaluation.json").read_text()), schema)


def test_equal_exams_give_equal_bytes(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write_evaluation(CASES, "ab" * 32, "Patients", tmp_path / name)
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


def test_plots_say_what_they_show(tmp_path):
    write_evaluation(CASES, "ab" * 32, "Patients", tmp_path)
    assert "false positives per exam" in (tmp_path / "froc.svg").read_text()
    structures = (tmp_path / "structures.svg").read_text()
    assert ">liver<" in structures
    assert ">spleen<" not in structures
    # Mean of 10, -50 and 0.
    assert "bias -13.3" in (tmp_path / "bland_altman_gadc.svg").read_text()


def test_what_has_no_data_is_not_plotted(tmp_path):
    write_evaluation([HEALTHY], "ab" * 32, "Patients", tmp_path)
    assert sorted(p.name for p in tmp_path.glob("*.svg")) == ["structures.svg"]


def test_a_folder_without_exams_is_refused(tmp_path):
    with pytest.raises(TrainingError, match="osteon train evaluate") as caught:
        read_cases(tmp_path)
    assert caught.value.code == "COMPARISON"


def test_a_declaration_keeps_the_tables_of_this_version(tmp_path):
    table = write_evaluation(CASES, "ab" * 32, "Patients", tmp_path)
    kept = read_declared(tmp_path)
    assert kept["markdown"] == table
    assert kept["model_sha256"] == "ab" * 32
    assert "structures" not in kept
    (tmp_path / "evaluation.json").write_text('{"model_sha256": "00", "markdown": ""}')
    with pytest.raises(TrainingError, match="evaluate the model again") as caught:
        read_declared(tmp_path)
    assert caught.value.code == "EXPORT"
