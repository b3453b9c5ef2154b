"""Looks at the content of a study in a real child process."""

import sys
import threading
import time
from dataclasses import replace

import pytest

from dicom_node.content import Content
from dicom_objects.reading.completeness import WholeBody
from dicom_objects.reading.limits import FitLimits
from tests.dicom_objects.reading.small_bodies import COVERAGE_MM, whole_body, write_images
from workers import content_child
from workers.content import ContentProcess

EXPECTED = WholeBody(COVERAGE_MM)
SAY_ONCE = """
import sys
sys.stdin.readline()
print('{"whole": true, "sentence": "said once"}', flush=True)
"""


@pytest.fixture
def files(tmp_path):
    return write_images(whole_body(), tmp_path / "in")


@pytest.fixture
def check():
    made = []

    def make(*program, timeout_s=20.0):
        options = {"command": (sys.executable, *program)} if program else {}
        made.append(ContentProcess(EXPECTED, timeout_s=timeout_s, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()


def content(paths):
    return Content("2.25.77", tuple(paths), frozenset(paths))


def test_the_child_tells_a_whole_body_from_half_of_one(check, files):
    look = check()
    half = look(content(files[:8]))
    assert (half.whole, half.sentence) == (False, "40 of 120 mm of the body")
    whole = look(content(files))
    assert (whole.whole, whole.sentence) == (True, "3 stations with b 50, 800 cover 120 mm")


def test_the_sites_limits_reach_the_child(files):
    look = ContentProcess(replace(EXPECTED, limits=FitLimits(slice_spacing_max_mm=9.0)))
    verdict = look(content(files))
    look.close()
    assert (verdict.whole, verdict.sentence.split(":")[0]) == (False, "SPACING_RANGE")


def test_a_file_that_is_no_dicom_is_passed_over(check, files, tmp_path):
    (tmp_path / "in" / "noise.dcm").write_bytes(b"noise")
    assert check()(content([*files, tmp_path / "in" / "noise.dcm", tmp_path / "gone.dcm"])).whole


def test_a_study_without_images_starts_no_child(check):
    assert not check("-c", "raise SystemExit(1)")(content([])).whole


def test_each_header_is_read_once_while_its_study_is_looked_at(monkeypatch, files):
    real, read = content_child.read_headers, []
    monkeypatch.setattr(
        content_child, "read_headers", lambda paths: read.append(len(paths)) or real(paths)
    )
    headers = content_child.Headers(studies=2)
    assert len(headers.frames("2.25.77", files[:8])) == 8
    assert headers.frames("2.25.77", files) == real(files)[0]
    headers.frames("2.25.78", ())
    headers.frames("2.25.77", files)
    assert read == [8, 16, 0, 0]
    headers.frames("2.25.79", ())
    headers.frames("2.25.78", ())
    headers.frames("2.25.77", files)
    assert read[4:] == [0, 0, 24]


def test_a_child_that_died_is_replaced(check, files):
    look = check("-c", SAY_ONCE)
    assert look(content(files)).sentence == "said once"
    time.sleep(0.1)
    assert not look(content(files)).whole
    assert look(content(files)).sentence == "said once"


def test_a_child_that_says_nothing_is_ended_and_that_is_told(check, files, caplog):
    look = check("-c", "import time; time.sleep(60)", timeout_s=0.3)
    begun = time.monotonic()
    verdict = look(content(files))
    assert time.monotonic() - begun < 5
    assert (verdict.whole, verdict.sentence) == (
        False,
        "its headers could not be read within the limits",
    )
    assert "the look at headers ended with status -9" in caplog.text


def test_closing_ends_a_look_and_lets_none_begin(check, files):
    look = check("-c", "import time; time.sleep(60)")
    verdicts = []
    thread = threading.Thread(target=lambda: verdicts.append(look(content(files))))
    thread.start()
    time.sleep(0.3)
    look.close()
    thread.join(5)
    assert not thread.is_alive()
    assert [verdict.whole for verdict in verdicts] == [False]
    assert not look(content(files)).whole
    look.close()
