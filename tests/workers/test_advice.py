"""For every code that a study can end with there is a line that says what to do."""

import ast
import re
from pathlib import Path

from dicom_objects.reading.series_records import study_reason
from workers.advice import ADVICE, advice_on
from workers.failures import TABLE

PROJECT = Path(__file__).parents[2]
_RAISED = {"UnusableImages", "NoUsableDiffusion", "Damaged", "Failure", "_verdict"}


def subclasses(kind):
    yield kind
    for one in kind.__subclasses__():
        yield from subclasses(one)


def codes_of_errors():
    """Of every error that has a fate, by its class."""
    for kind, _ in TABLE:
        for one in subclasses(kind):
            if isinstance(vars(one).get("code"), str):
                yield one.code


def codes_of_calls():
    """Of every place that rejects or fails a study, by the words in the call."""
    for room in ("imaging", "dicom_objects", "workers", "jobs"):
        for path in sorted((PROJECT / room).rglob("*.py")):
            for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(call, ast.Call) and getattr(call.func, "id", "") in _RAISED:
                    for given in (*call.args, *(keyword.value for keyword in call.keywords)):
                        if isinstance(given, ast.Constant) and re.fullmatch(
                            r"[A-Z][A-Z0-9_]{3,}", str(given.value)
                        ):
                            yield given.value


def codes_in(document, heading):
    text = (PROJECT / "docs" / document).read_text(encoding="utf-8").partition(heading)[2]
    section = re.split(r"\n#+ ", text, maxsplit=1)[0]
    return set(re.findall(r"`([A-Z][A-Z0-9]+(?:_[A-Z0-9]+)*)`", section))


def test_every_code_has_a_line():
    of_series = codes_in("reading.md", "## Codes")
    of_canal = codes_in("measurements.md", "## Rejected for the canal")
    found = {*codes_of_errors(), *codes_of_calls(), *of_series, *of_canal}
    assert {"PEER_REFUSED", "NO_BODY", "ATTEMPTS_USED", "OUT_OF_MEMORY", "MISSING_SLICES",
            "CANAL_SHORT", "CANCELLED", "MODEL_DEADLINE"} <= found  # fmt: skip
    assert found - ADVICE.keys() == set()


def test_a_study_without_a_usable_series_has_a_line():
    code, _ = study_reason([])
    assert code in ADVICE


def test_lines_are_sentences_and_an_unknown_code_is_reported():
    assert all(line[0].isupper() and line.endswith(".") for line in ADVICE.values())
    assert "report it" in advice_on("SOMETHING_NEW")
