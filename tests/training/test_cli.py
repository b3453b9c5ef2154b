from __future__ import annotations

import sys

import pytest
from typer.testing import CliRunner

from training.cli import app, main

runner = CliRunner()


def test_help_names_every_command():
    shown = runner.invoke(app, ["--help"])
    assert shown.exit_code == 0
    for command in (
        "prepare",
        "atlas",
        "fit",
        "evaluate",
        "compare",
        "readers",
        "export",
        "reproduce",
    ):
        assert command in shown.output


def test_a_known_error_is_one_sentence_and_status_1(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["train", "prepare", "--seeds", "1000-1001"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    said = capsys.readouterr().err
    assert "[TEST_SEEDS]" in said
    assert "Traceback" not in said
