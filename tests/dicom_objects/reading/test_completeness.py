"""When what has arrived of a study looks whole; every case is files read as the node reads them."""

import random

import pytest

from dicom_objects.reading.completeness import WholeBody, judge_completeness
from dicom_objects.reading.headers import read_headers
from dicom_objects.reading.study_plan import plan_study
from dicom_objects.scanner import study as scanner
from dicom_objects.scanner.study import Flavour
from tests.dicom_objects.conftest import make_acquisition, picture
from tests.dicom_objects.reading.small_bodies import (
    COVERAGE_MM,
    SLICES,
    STATIONS,
    STEP_MM,
    diffusion_image,
    plain_image,
    whole_body,
    write_images,
)

EXPECTED = WholeBody(coverage_mm=COVERAGE_MM)


@pytest.fixture
def judge(tmp_path):
    def judged(images, expected=EXPECTED, late=None):
        paths = write_images(images, tmp_path / "in")
        named = {image.SOPInstanceUID: path for image, path in zip(images, paths, strict=True)}
        new = None if late is None else frozenset(named[i.SOPInstanceUID] for i in late)
        return judge_completeness(read_headers(paths)[0], expected, new)

    return judged


def test_a_body_without_holes_is_whole_in_any_order(judge):
    images = whole_body()
    random.Random(1).shuffle(images)
    found = judge(images)
    assert found.complete
    assert found.sentence == "3 stations with b 50, 800 cover 120 mm"


def test_nothing_and_what_is_no_diffusion_are_not_whole(judge):
    assert not judge([]).complete
    assert not judge([plain_image(n) for n in range(3)]).complete


def test_series_beside_the_diffusion_change_nothing(judge):
    assert judge([*whole_body(), *(plain_image(n) for n in range(3))]).complete


@pytest.mark.parametrize("missing", range(len(whole_body())))
def test_without_any_one_image_it_is_not_whole(judge, missing):
    images = whole_body()
    del images[missing]
    assert not judge(images).complete


@pytest.mark.parametrize("share", range(1, STATIONS * 2))
def test_while_volumes_arrive_one_after_the_other_it_is_not_whole(judge, share):
    """b 50 of all stations first, then b 800: as scanners send series."""
    images = sorted(whole_body(), key=lambda image: image.DiffusionBValue)
    assert not judge(images[: share * SLICES]).complete


def test_a_position_with_b_0_alone_makes_the_study_wait(judge):
    below = whole_body(stations=2, b_values=(0, 800))
    top = [diffusion_image(2, n, 0) for n in range(SLICES)]
    assert judge(below, WholeBody(80.0)).complete
    assert judge([*below, *top], WholeBody(80.0)).sentence.startswith("NO_DIFFUSION: only b 0")


def test_half_a_repeat_makes_the_study_wait(judge):
    """Every volume twice, to be averaged; of the last repeat two slices are not there yet."""
    again = whole_body()
    for image in again:
        image.SOPInstanceUID += ".2"
        image.AcquisitionNumber += 100
        image.PixelData = image.PixelData[::-1]  # equal pixels would be a copy, not a repeat
    assert judge([*whole_body(), *again]).complete
    for rest in (again[:-2], again[:-4], again[:4]):
        assert not judge([*whole_body(), *rest]).complete


def test_half_of_every_volume_is_less_of_the_body(judge):
    assert not judge(whole_body(slices=SLICES // 2), WholeBody(coverage_mm=1.0)).complete
    found = judge(whole_body(stations=2))
    assert (found.complete, found.sentence) == (False, "80 of 120 mm of the body")


def test_a_station_with_a_further_b_value_makes_the_others_wait(judge):
    extra = [diffusion_image(1, n, 400) for n in range(SLICES)]
    found = judge([*whole_body(), *extra])
    assert not found.complete
    assert "station 2 has b 50: 4 images, b 400: 4 images, b 800: 4 images" in found.sentence


def test_a_station_with_fewer_slices_makes_the_study_wait(judge):
    """The upper half of the top station, both b-values: a volume by itself, and half of one."""
    images = [i for i in whole_body() if i.ImagePositionPatient[2] < (STATIONS * SLICES - 2) * 10]
    found = judge(images, WholeBody(coverage_mm=50.0))
    assert not found.complete
    assert "station 3 has b 50: 2 images" in found.sentence


@pytest.mark.parametrize(("gap_mm", "whole"), [(0.0, True), (4.9, True), (5.1, False)])
def test_a_step_between_stations_of_more_than_one_and_a_half_spacings_is_a_gap(
    judge, gap_mm, whole
):
    below = [image for image in whole_body() if image.AcquisitionNumber < STATIONS]
    above = [
        diffusion_image(STATIONS - 1, n, b, shift_mm=gap_mm) for b in (50, 800) for n in range(4)
    ]
    found = judge([*below, *above])
    assert found.complete is whole
    assert whole or "missing between stations 2 and 3" in found.sentence


def test_stations_that_overlap_are_whole_and_cover_less(judge):
    below = [image for image in whole_body() if image.AcquisitionNumber < STATIONS]
    above = [
        diffusion_image(STATIONS - 1, n, b, shift_mm=-STEP_MM) for b in (50, 800) for n in range(4)
    ]
    assert judge([*below, *above], WholeBody(coverage_mm=COVERAGE_MM - STEP_MM)).complete
    assert not judge([*below, *above]).complete


def test_a_site_may_expect_more_b_values(judge):
    found = judge(whole_body(), WholeBody(COVERAGE_MM, b_values=3))
    assert (found.complete, found.sentence) == (False, "2 of 3 b-values")


def test_what_came_late_hurries_only_where_it_is_part_of_a_station(judge):
    plain = [plain_image(n) for n in range(2)]
    images = [*whole_body(), *plain]
    assert judge(images, late=images[:1]).complete
    found = judge(images, late=plain)
    assert not found.complete
    assert "nothing that came since" in found.sentence
    assert not judge(images, late=[]).complete


def test_no_sentence_names_the_patient(judge):
    images = whole_body()
    for n in range(0, len(images), 5):
        assert "CANARY" not in judge(images[: n + 1]).sentence


@pytest.mark.parametrize("flavour", Flavour)
def test_every_vendors_form_is_whole_and_is_not_without_one_of_its_objects(
    flavour, tmp_path, monkeypatch
):
    monkeypatch.setattr(scanner, "make_patient", lambda seed, _: seed)
    monkeypatch.setattr(scanner, "localizer", lambda _: picture(slices=3, step_mm=300.0))
    monkeypatch.setattr(scanner, "t2_stack", lambda _: picture(slices=6, step_mm=8.0))
    frames, _ = read_headers(scanner.write_study(make_acquisition(), tmp_path, flavour=flavour))
    expected = WholeBody(100.0, b_values=3)
    assert judge_completeness(frames, expected).complete
    signals = sorted(
        {f.path for s in plan_study(frames).stations for k in s.stacks for f in k.instances}
    )
    for missing in random.Random(1).sample(signals, min(len(signals), 5)):
        rest = [frame for frame in frames if frame.path != missing]
        assert not judge_completeness(rest, expected).complete
