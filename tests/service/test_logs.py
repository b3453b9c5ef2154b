import json
import logging
import sys

from service.logs import JsonLines, bound_job


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
