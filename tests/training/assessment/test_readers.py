from __future__ import annotations

import numpy as np
import pytest
from typer.testing import CliRunner

from training.assessment.readers import GRADES, read_grades, reader_table
from training.assessment.reliability import gwet_ac1
from training.cli import app
from training.errors import TrainingError

ROWS = [
    ("a", "liver", "R1", "excellent"),
    ("a", "liver", "R2", "excellent"),
    ("b", "liver", "R1", "good"),
    ("b", "liver", "R2", "fair"),
    ("c", "liver", "R1", "good"),
    ("c", "liver", "R2", "good"),
    ("a", "spleen", "R1", "good"),
    ("a", "spleen", "R2", "good"),
]


def written(path, rows):
    lines = ["exam,structure,reader,grade", *(",".join(row) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_by_hand(tmp_path):
    liver, spleen = read_grades(written(tmp_path / "grades.csv", ROWS))
    assert (liver.structure, liver.exams, liver.readers) == ("liver", 3, 2)
    assert liver.good_or_better == pytest.approx(5 / 6)
    # Two of three exams agree; shares 0, 1/6, 3/6, 2/6 of four grades.
    chance = (1 / 6 * 5 / 6 + 1 / 4 + 1 / 3 * 2 / 3) / 3
    assert liver.ac1.value == pytest.approx((2 / 3 - chance) / (1 - chance))
    assert liver.ac1.value == pytest.approx(gwet_ac1(np.array([[3, 3], [2, 1], [2, 2]]), 4))
    assert liver.ac1.low < liver.ac1.value < liver.ac1.high
    assert (spleen.ac1.value, spleen.ac1.low) == (1.0, None)
    assert "| spleen | 1 | 2 | 1.00 | 1.00 |" in reader_table([liver, spleen])


def test_the_command_prints_the_table(tmp_path):
    path = written(tmp_path / "grades.csv", ROWS)
    shown = CliRunner().invoke(app, ["readers", str(path)])
    assert shown.exit_code == 0
    assert "| liver | 3 | 2 | 0.83 |" in shown.output


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([("a", "liver", "R1", "superb")], "line 2"),
        ([*ROWS[:2], ROWS[0]], "line 4"),
        (ROWS[:3], "every exam"),
        (ROWS[:1], "two readers"),
        ([], "columns"),
    ],
)
def test_what_is_no_study_is_refused(rows, said, tmp_path):
    with pytest.raises(TrainingError, match=said) as caught:
        read_grades(written(tmp_path / "grades.csv", rows))
    assert caught.value.code == "READERS"


def test_the_best_grade_comes_last():
    assert GRADES[-2:] == ("good", "excellent")
