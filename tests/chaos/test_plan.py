"""The page says what there is: its table is the plan's, and every test of the plan exists."""

import ast

import pytest

from tests.chaos.campaign import OUTCOMES, Outcome, load, save, table
from tests.chaos.figures import told_in
from tests.chaos.plan import PLAN
from tests.model_server import PROJECT


def test_the_page_has_the_table_of_the_plan():
    page = (PROJECT / "docs/chaos.md").read_text(encoding="utf-8")
    assert table(load(OUTCOMES)) in page, "run python -m tests.chaos.campaign --page"


@pytest.mark.parametrize("test", sorted({test for entry in PLAN for test in entry.tests}))
def test_every_test_of_the_plan_exists(test):
    path, _, name = test.partition("::")
    tree = ast.parse((PROJECT / path).read_text(encoding="utf-8"))
    names = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    assert any(found.startswith("test_") for found in names)
    assert not name or name in names


def test_outcomes_are_kept_and_shown(tmp_path):
    kept = tmp_path / "chaos.json"
    assert load(kept) == {}
    outcome = Outcome(True, 61.2, ("50 cuts, 0 lost",), "2026-11-22")
    save(kept, {"D-3": outcome})
    assert load(kept) == {"D-3": outcome}
    assert "| 2026-11-22: passed in 61 s; 50 cuts, 0 lost |" in table(load(kept))


def test_figures_are_found_among_other_lines():
    assert told_in("x\nFIGURE 3 of 3\n.\n FIGURE no\n") == ["3 of 3"]
