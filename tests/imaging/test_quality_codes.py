"""The page that lists quality notes is held to the code."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
CODE = re.compile(r'(?:QualityNote|_unless)\([^"]*?"([A-Z_]+)"')


def test_every_code_of_a_note_is_documented():
    page = (ROOT / "docs/measurements.md").read_text(encoding="utf-8")
    sources = [*(ROOT / "imaging").glob("*.py"), *(ROOT / "workers").glob("*.py")]
    codes = {code for path in sources for code in CODE.findall(path.read_text(encoding="utf-8"))}
    assert {"MOTION", "CANAL_CROOKED", "SIGNAL_STEP", "PARTIAL_COVERAGE"} <= codes
    assert sorted(code for code in codes if f"`{code}`" not in page) == []
