"""Pages that state what the code does are held to the code."""

import ast
import re
from pathlib import Path

from jobs.diagram import mermaid

ROOT = Path(__file__).parents[2]


def test_the_state_diagram_is_the_table_of_legal_moves():
    page = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    assert f"```mermaid\n{mermaid().rstrip()}\n```" in page


def test_the_page_on_reading_names_every_code_that_a_series_can_have():
    page = (ROOT / "docs/reading.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"`([A-Z][A-Z0-9_]+)`", page.partition("## Codes")[2]))
    words_of_headers = {
        "CALC_BVALUE",
        "COMP_MIP",
        "GEMS_ACQU_01",
        "GEMS_PARM_01",
        "TENSOR_B0",
    }
    of_labels = {"SEG_UNREADABLE"}  # reading labels for training, not series
    texts = {
        node.value
        for path in (ROOT / "dicom_objects").glob("reading/*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    codes = {text for text in texts if re.fullmatch(r"[A-Z]+[0-9]*(_[A-Z0-9]+)+", text)}
    assert codes - words_of_headers - of_labels == {c for c in documented if "_" in c}
    assert {c for c in documented if "_" not in c} <= texts
