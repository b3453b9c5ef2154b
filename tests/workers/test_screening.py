"""Files of strangers are read in a real child first; what ends it is left out with a reason."""

import sys

import psutil
import pytest

from dicom_objects.errors import NoUsableDiffusion
from dicom_objects.reading.diffusion import describe_study, read_study
from tests.dicom_objects.reading.small_bodies import whole_body, write_images
from workers.advice import ADVICE
from workers.confinement import reader_environment
from workers.screening import MOST_ENDED, Limits, Screening

POISONOUS = """
import ctypes, sys
from workers import screening_child
sound = screening_child.find_damage
def read(path):
    if path.name.startswith("segv"):
        ctypes.string_at(0)
    while path.name.startswith("loop"):
        pass
    if path.name.startswith("memory"):
        bytearray(2**31)
    if path.name.startswith("defect"):
        raise LookupError("nobody expected this")
    return sound(path)
screening_child.find_damage = read
sys.exit(screening_child.main())
"""
QUICK = Limits(cpu_s=1.0)
POISONED = Screening(QUICK, (sys.executable, "-c", POISONOUS))


@pytest.fixture
def body(tmp_path):
    return write_images(whole_body(), tmp_path / "in")


@pytest.fixture(autouse=True)
def no_left_over_children():
    before = set(psutil.Process().children())
    yield
    assert set(psutil.Process().children()) <= before


def add(body, name, data):
    path = body[0].parent / name
    path.write_bytes(data)
    return path


def test_a_sound_study_passes_whole_and_in_order(body):
    screened = Screening()(body)
    assert screened.sound == tuple(body)
    assert screened.damaged == ()


def test_damaged_images_are_told_by_their_numbers_and_the_others_pass(body):
    whole = body[5].read_bytes()
    cut = add(body, "cut.dcm", whole[:-40])
    noise = add(body, "noise.dcm", b"no DICOM at all")
    screened = Screening()([*body, cut, noise])
    assert screened.sound == (*body, noise)  # who reads it says what it is
    (found,) = screened.damaged
    assert (found.path, found.code, found.name) == (cut, "DAMAGED_PIXELS", "series 1800, image 2")
    assert found.text == "has pixel data that are no image of rows x columns x frames"


def test_an_image_without_numbers_is_told_by_its_digest(body):
    cut = add(body, "cut.dcm", body[0].read_bytes()[:600])
    (found,) = Screening()([cut]).damaged
    assert found.name.startswith("the file with SHA-256 ")
    assert "CANARY" not in repr(found)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("segv.dcm", "READER_CRASH"),
        ("defect.dcm", "READER_CRASH"),
        ("loop.dcm", "READER_TIME"),
        ("memory.dcm", "READER_MEMORY"),
    ],
)
def test_what_ends_its_reader_is_left_out_and_the_rest_is_read(body, name, code):
    bad = add(body, name, body[0].read_bytes())
    files = [*body[:3], bad, *body[3:]]
    screened = POISONED(files)
    assert screened.sound == tuple(body)
    assert [(found.path, found.code) for found in screened.damaged] == [(bad, code)]
    assert code in ADVICE


def test_a_study_that_keeps_ending_its_reader_is_read_no_further(body):
    bad = [add(body, f"memory{k}.dcm", b"") for k in range(MOST_ENDED + 2)]
    with pytest.raises(NoUsableDiffusion, match="no more of it is read") as caught:
        POISONED([*bad, *body])
    assert caught.value.code == "READER_MEMORY"
    assert caught.value.series[0].n_instances == MOST_ENDED


def test_a_reader_that_somebody_else_ended_is_started_again(body, tmp_path):
    once = (
        f'mkdir {tmp_path / "ended"} 2>/dev/null && {{ echo ready; kill -9 $$; }}; exec "$0" "$@"'
    )
    command = ("/bin/sh", "-c", once, sys.executable, "-m", "workers.screening_child")
    screened = Screening(Limits(), command)(body)
    assert (tmp_path / "ended").is_dir()
    assert screened.sound == tuple(body)


def test_a_reader_that_does_not_start_is_our_own_defect(body):
    with pytest.raises(ChildProcessError, match="does not start"):
        Screening(Limits(), (sys.executable, "-c", "raise SystemExit(1)"))(body)


def test_files_that_are_gone_start_no_reader(tmp_path):
    gone = tmp_path / "gone.dcm"
    assert Screening(Limits(), ("/bin/false",))([gone]).sound == (gone,)


def test_settings_and_passwords_do_not_reach_the_reader(monkeypatch):
    monkeypatch.setenv("OSTEON_STORE__URL", "postgresql://osteon:secret@host/osteon")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    told = reader_environment()
    assert "PATH" in told
    assert "secret" not in " ".join(told.values())


def test_a_study_says_of_damaged_images_what_they_are(body):
    cut = body[5]
    cut.write_bytes(cut.read_bytes()[:-40])
    screened = Screening()(body)
    with pytest.raises(NoUsableDiffusion) as caught:
        read_study(screened.sound[:8], damaged=screened.damaged)
    assert caught.value.code == "DAMAGED_PIXELS"
    assert "series 1800, image 2" in str(caught.value)
    records, _ = describe_study(screened.sound, damaged=screened.damaged)
    assert [record.code for record in records if not record.series_uid] == ["DAMAGED_PIXELS"]
