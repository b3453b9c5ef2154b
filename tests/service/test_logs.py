import ast
import contextvars
import json
import logging
import subprocess
import sys
from pathlib import Path

import pytest

from service import logs
from service.api.traced import trace_of
from service.job_process import _tell
from service.logs import ALWAYS, SOMETIMES, JsonLines, bound_job
from workers.vitals import StageBegun

PROJECT = Path(__file__).parents[2]
ROOMS = ("dicom_node", "dicom_objects", "imaging", "jobs", "report", "service", "workers")
LEVELS = {"debug", "info", "warning", "error", "critical", "log", "exception"}
CANARIES = ("ZEBRAFINCH^CANARY", "ZF-77-ID")
JOB = "4bf92f3577b34da6a3ce929d0e0e4736"


def record(name="workers.x", exc_info=None, **extra):
    made = logging.LogRecord(name, logging.INFO, "f.py", 1, "took %d", (3,), exc_info)
    made.__dict__.update(extra)
    return made


def line(made):
    text = JsonLines("worker").format(made)
    assert "\n" not in text
    return json.loads(text)


def test_a_line_says_when_what_and_for_which_job():
    with bound_job("j1"):
        written = line(record())
    assert {written["msg"], written["job_id"], written["process"]} == {"took 3", "j1", "worker"}
    assert written["ts"].endswith("+00:00")
    assert "job_id" not in line(record())
    assert line(record(job_id="j2"))["job_id"] == "j2"


def test_a_line_has_the_fields_of_the_schema_in_their_order():
    with bound_job(JOB):
        written = line(record(event="job_failed", code="DISK_FULL", stage="encode"))
    assert tuple(written) == (*ALWAYS, "code", "job_id", "stage", "trace_id")
    assert written["event"] == "job_failed"
    assert written["trace_id"] == JOB  # a job's trace has its id
    assert tuple(line(record())) == ALWAYS
    assert line(record("urllib3.x"))["event"] == logs.LIBRARY


def test_the_lines_of_a_stage_name_it(capfd):
    """A child's vitals go to the worker; its log lines follow the stage that they tell."""

    def job():
        with bound_job(JOB):
            _tell(StageBegun("fit", 1.0))
            return line(record())

    assert contextvars.copy_context().run(job)["stage"] == "fit"
    assert json.loads(capfd.readouterr().out)["vital"] == "StageBegun"
    assert "stage" not in line(record())


def test_an_error_is_written_as_places_never_with_its_text():
    try:
        int("DOE^JANE")
    except ValueError:
        text = JsonLines("worker").format(record(exc_info=sys.exc_info()))
    assert "DOE" not in text
    written = json.loads(text)
    assert written["error"] == "ValueError"
    assert written["at"][-1].endswith("test_an_error_is_written_as_places_never_with_its_text")


def test_libraries_that_quote_data_sets_are_silenced():
    made = logging.LogRecord("pydicom.x", logging.ERROR, "f", 1, "bad value DOE^JANE", (), None)
    assert "DOE" not in JsonLines("worker").format(made)


def test_what_pydicom_warns_of_is_not_written():
    program = f"""
import warnings
from service import logs
from pydicom import Dataset
logs.configure("job")
warnings.simplefilter("always")
Dataset().PatientID = {"ZEBRAFINCH" * 9!r}
warnings.warn("about {CANARIES[0]}", stacklevel=1)
"""
    run = subprocess.run(
        (sys.executable, "-c", program), cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert "ZEBRAFINCH" not in run.stdout + run.stderr


def test_a_field_that_is_not_in_the_schema_is_not_written():
    told = {"patient_name": CANARIES[0], "event": "x", "study": CANARIES[1]}
    written = line(record(**told))
    assert set(written) <= {*ALWAYS, *SOMETIMES}
    assert not any(canary in json.dumps(written) for canary in CANARIES)


def calls():
    """Yield (place, call) of every line that our own code logs."""
    for room in ROOMS:
        for path in sorted((PROJECT / room).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                    owner = node.func.value
                    ours = isinstance(owner, ast.Name) and owner.id.lower() == "_log"
                    if ours and node.func.attr in LEVELS:
                        yield f"{path.relative_to(PROJECT)}:{node.lineno}", node


def test_every_line_of_ours_names_its_event():
    found = list(calls())
    assert len(found) > 20
    without = [place for place, call in found if "extra" not in {k.arg for k in call.keywords}]
    assert without == []


def test_no_line_of_ours_is_put_together_from_values():
    """Only a fixed text and its arguments: what is logged can be read in the code (D-20)."""
    built = [
        place for place, call in calls() if any(isinstance(a, ast.JoinedStr) for a in call.args)
    ]
    assert built == []


@pytest.mark.parametrize(
    ("path", "traceparent", "expected"),
    [
        (f"/api/v1/jobs/{JOB}", b"", JOB),
        (f"/api/v1/jobs/{JOB}/results/x", b"00-" + b"a" * 32 + b"-" + b"b" * 16 + b"-01", JOB),
        ("/api/v1/studies", b"00-" + b"a" * 32 + b"-" + b"b" * 16 + b"-01", "a" * 32),
    ],
)
def test_a_request_belongs_to_the_trace_of_its_job_or_of_its_caller(path, traceparent, expected):
    assert trace_of(path, traceparent) == expected


@pytest.mark.parametrize(
    "traceparent", [b"", b"00-" + b"0" * 32 + b"-" + b"b" * 16 + b"-01", b"DOE^JANE", b"\xff"]
)
def test_a_request_without_a_trace_gets_one(traceparent):
    first, second = (trace_of("/api/v1/studies", traceparent) for _ in range(2))
    assert first != second
    assert len(first) == len(bytes.fromhex(second)) * 2 == 32
