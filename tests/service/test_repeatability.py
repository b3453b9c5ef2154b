from __future__ import annotations

import json
import math
import tomllib

import pytest
from typer.testing import CliRunner

from service.cli.app import app
from service.repeatability_table import UnreadablePairs, read_pairs
from service.settings import load_settings

TABLE = """pair,tdv_ml_1,tdv_ml_2,gadc_um2_s_1,gadc_um2_s_2
a,100,120,1000,1040
b,12,10,1000,980
c,50,50,1000,1000
d,200,240,1000,1020
"""


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "pairs.csv"
    path.write_text(TABLE, encoding="utf-8")
    return path


def test_it_prints_the_table_and_lines_that_are_settings(table, tmp_path):
    done = CliRunner().invoke(app, ["repeatability", str(table)])
    assert done.exit_code == 0, done.output
    # wSD of ln: a sqrt(3 / 8) with a = ln 1.2: 0.11165; gADC 48.0 and 1.7096 % x 2.772
    assert "0.1116" in done.stdout or "0.1117" in done.stdout
    assert "48.0" in done.stdout
    config = tmp_path / "osteon.toml"
    config.write_text(done.stdout[done.stdout.index("[follow_up]") :], encoding="utf-8")
    told = load_settings(config_file=config).follow_up
    assert told.tdv_wsd_ln == pytest.approx(math.log(1.2) * math.sqrt(3 / 8), abs=1e-4)
    assert told.gadc_percent == 4.7
    assert "4 patients" in told.gadc_source
    assert "rough" in done.stderr


def test_programs_get_the_same_numbers(table):
    done = CliRunner().invoke(app, ["repeatability", str(table), "--json"])
    document = json.loads(done.stdout)
    assert document["gadc_um2_s"]["rc"] == pytest.approx(48.0, abs=0.1)
    ratio = 1 + document["tdv_ln"]["high_percent"] / 100
    assert math.log(ratio) == pytest.approx(document["tdv_ln"]["rc"])
    assert tomllib.loads(read_pairs(table).as_toml())["follow_up"] == document["settings"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("pair,tdv_ml_1\na,1\n", "tdv_ml_2"),
        (TABLE.replace("1040", "many"), "line 2, gadc_um2_s_2"),
        ("", "lacks rows"),
    ],
)
def test_a_table_that_cannot_be_read_is_said(tmp_path, text, said):
    path = tmp_path / "pairs.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UnreadablePairs, match=said):
        read_pairs(path)
    done = CliRunner().invoke(app, ["repeatability", str(path)])
    assert done.exit_code == 1
    assert "REPEATABILITY_TABLE" in done.stderr
