"""Pages that state what the code does are held to the code."""

from pathlib import Path

from jobs.diagram import mermaid

ROOT = Path(__file__).parents[2]


def test_the_state_diagram_is_the_table_of_legal_moves():
    page = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    assert f"```mermaid\n{mermaid().rstrip()}\n```" in page
