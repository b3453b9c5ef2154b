"""D-13: damaged and hostile objects through what receives and what reads them.

Each is either read or left out with one reason; what was let through surprises nobody who reads it
later, no reader takes a gibibyte or twenty seconds a file, and whoever asks stays as small as it
was. `--full` sends a hundred thousand.
"""

import logging
import warnings

import pytest

from tests.chaos.mutated_objects import bombs, mutants
from tests.chaos.mutated_objects_gauntlet import BATCH, Gauntlet, batches, own_mib
from tests.chaos.mutated_objects_seeds import seeds
from tests.dicom_objects.reading.small_bodies import whole_body, write_images
from workers.advice import ADVICE
from workers.screening import Screening

SHORT, FULL = 2_000, 100_000
GROWTH_MIB = 30.0
# What each bomb comes to; None: it goes off nowhere, and the rules say what it is.
REASONS = {
    "deflate": "INFLATES_TOO_LARGE",
    "depth": "NESTED_TOO_DEEP",
    "depth of known lengths": "NESTED_TOO_DEEP",
    "items": "TOO_MANY_ELEMENTS",
    "elements": "TOO_MANY_ELEMENTS",
    "giant length": "TRUNCATED",
    "odd length": None,
    "values": None,
    "wrong VR": "TRUNCATED",
    "character set": None,
    "frames": None,
    "rows and columns": "DAMAGED_PIXELS",
    "frames of groups": None,
}


@pytest.fixture(autouse=True)
def _quiet():
    logging.getLogger("pydicom").setLevel(logging.CRITICAL)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of pydicom, on what this process reads after the readers
        yield


def test_the_seeds_themselves_are_sound(tmp_path):
    gauntlet = Gauntlet(tmp_path)
    gauntlet.send(seeds().items())
    assert gauntlet.faults == []
    assert not [fate for fate in gauntlet.fates if fate.startswith("left out")]
    assert gauntlet.fates["refused at the door"] == 1  # deflated: never agreed on there


def test_equal_numbers_give_equal_bytes():
    assert list(mutants(7, 60)) == list(mutants(7, 60))
    assert list(mutants(7, 60)) != list(mutants(8, 60))


def test_mutants_are_read_or_left_out_with_a_reason(tmp_path, full):
    gauntlet, sizes = Gauntlet(tmp_path), []
    for batch in batches(mutants(13, FULL if full else SHORT)):
        gauntlet.send(batch)
        sizes.append(own_mib())
    assert gauntlet.faults == []
    codes = {fate.partition(": ")[2] for fate in gauntlet.fates if ": " in fate}
    assert codes <= ADVICE.keys()
    assert {"TRUNCATED", "DAMAGED_PIXELS", "DAMAGED_HEADER", "NESTED_TOO_DEEP"} <= codes
    assert gauntlet.largest_reader_mib < 1024
    assert gauntlet.longest_batch_cpu_s < 20.0 * BATCH
    assert sizes[-1] < sizes[len(sizes) // 2] + GROWTH_MIB


@pytest.fixture(scope="module")
def arsenal():
    return dict(bombs())


def test_every_bomb_has_an_expected_end(arsenal):
    compressed = {name for name in arsenal if name.startswith(("garbage as", "large"))}
    assert arsenal.keys() - compressed == REASONS.keys()
    assert len(compressed) == 8


def test_bombs_are_defused_and_the_study_beside_them_is_read(arsenal, tmp_path):
    body = write_images(whole_body(), tmp_path / "body")
    names = {}
    for number, (name, data) in enumerate(arsenal.items()):
        path = tmp_path / f"{number}.dcm"
        path.write_bytes(data)
        names[path] = name
    screened = Screening()([*body, *names])
    assert screened.sound[: len(body)] == tuple(body)
    found = {names[image.path]: image.code for image in screened.damaged}
    assert {name: found.get(name) for name in REASONS} == REASONS
    compressed = arsenal.keys() - REASONS.keys()
    assert {found[name] for name in compressed} <= {"DAMAGED_PIXELS", "READER_MEMORY"}
    gauntlet = Gauntlet(tmp_path)
    for path in screened.sound[len(body) :]:
        gauntlet._read(names[path], path)
    assert gauntlet.faults == []
