"""The table of safeguards is current: `make safeguards` can take each one out and run its test."""

import ast
from collections import Counter

import pytest

from tests.chaos.safeguard_table import SAFEGUARDS, Safeguard
from tests.model_server import PROJECT


def test_there_are_twenty_five_and_each_has_a_name_of_its_own():
    assert len(SAFEGUARDS) >= 25
    assert max(Counter(safeguard.name for safeguard in SAFEGUARDS).values()) == 1


@pytest.mark.parametrize("safeguard", SAFEGUARDS, ids=lambda s: s.name.replace(" ", "-"))
def test_it_can_be_taken_out_and_has_its_test(safeguard):
    whole = (PROJECT / safeguard.path).read_text(encoding="utf-8")
    without = safeguard.taken_out(whole)
    assert without != whole
    ast.parse(without)
    path, name = safeguard.test.split("::")
    tree = ast.parse((PROJECT / path).read_text(encoding="utf-8"))
    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_a_text_that_is_gone_or_stands_twice_is_said():
    safeguard = Safeguard("x", "a.py", "limit()", "", "b::c")
    assert safeguard.taken_out("limit()\n") == "\n"
    for whole in ("", "limit()\nlimit()\n"):
        with pytest.raises(ValueError, match="times"):
            safeguard.taken_out(whole)
