"""Of several pictures of one place, which is used; what is not used says why."""

from dataclasses import replace

import numpy as np
import pytest

from dicom_objects.reading.bvalues import BReading
from dicom_objects.reading.limits import FitLimits
from dicom_objects.reading.series_records import records_of
from dicom_objects.reading.study_plan import plan_study
from tests.dicom_objects.reading.made_frames import AXES, TRACE, World, assert_right, gains

AXIAL = (*AXES[0], *AXES[1])
ORIGINAL = ("ORIGINAL", "PRIMARY", "DIFFUSION", "NONE")


@pytest.fixture
def world(tmp_path):
    return World(tmp_path / "pixels.raw")


def add_station(world, z=0.0, n_slices=5, b_values=(50.0, 800.0), **settings):
    for b in b_values:
        world.add_volume((0, 0, z), AXIAL, n_slices, b=b, **settings)


def series(number):
    return {"series_uid": f"1.2.{number}", "series_number": number}


def plan_of(world, limits=None):
    world.write()
    return plan_study(world.frames, limits or FitLimits())


def codes(plan):
    return {r.code for r in plan.refusals}


def used_series(plan):
    return {
        v.first.series_number for s in plan.stations for stack in s.stacks for v in stack.volumes
    }


def notes(plan):
    return {note for record in records_of(plan, plan.stations) for note in record.notes}


def test_stations_are_used_and_their_composed_series_is_not(world):
    add_station(world, 0.0, **series(1))
    add_station(world, 20.0, **series(2))
    add_station(world, 0.0, 9, **series(3), image_type=(*TRACE, "COMPOSED"))
    plan = plan_of(world)
    assert used_series(plan) == {1, 2}
    assert codes(plan) == {"STATIONS_USED"}


def test_the_composed_series_is_used_alone_where_a_station_is_missing(world):
    add_station(world, 0.0, **series(1))
    add_station(world, 0.0, 15, **series(3), image_type=(*TRACE, "COMP_DIFF"))
    plan = plan_of(world)
    assert used_series(plan) == {3}
    assert codes(plan) == {"COMPOSED"}
    assert any("composed" in note for note in notes(plan))


def test_a_composed_projection_is_a_map(world):
    add_station(world, **series(1), image_type=(*TRACE, "COMP_MIP"))
    assert codes(plan_of(world)) == {"DERIVED_MAP"}


def test_the_distortion_corrected_copy_is_preferred(world):
    add_station(world, **series(1), image_type=(*TRACE, "ND"))
    add_station(world, gain=1.1, **series(2), image_type=(*TRACE, "DIS2D"))
    plan = plan_of(world)
    assert used_series(plan) == {2}
    assert codes(plan) == {"CORRECTION"}


def test_a_vendor_trace_is_used_and_directions_are_not(world):
    add_station(world, b_values=(0.0,), **series(1), image_type=ORIGINAL)
    for gradient in AXES:
        world.add_volume(
            (0, 0, 0), AXIAL, 5, b=800.0, **series(1), image_type=ORIGINAL, gradient=gradient
        )
    world.add_volume((0, 0, 0), AXIAL, 5, b=800.0, **series(2))
    plan = plan_of(world)
    assert used_series(plan) == {1, 2}
    assert codes(plan) == {"TRACE_USED"}
    directions = next(r for r in records_of(plan, plan.stations) if r.series_number == 1)
    assert directions.trace == ((800.0, "from-directions"),)
    assert directions.content == "dwi-directions"


def test_repeats_are_averaged_and_the_record_says_so(world):
    add_station(world, b_values=(50.0,))
    for number, gain in enumerate((1.0, 1.2, 1.4)):
        world.add_volume((0, 0, 0), AXIAL, 5, b=800.0, gain=gain, repeat=(str(number), "", ""))
    plan = plan_of(world)
    assert np.median(gains(plan.stations[0].stacks[1])) == pytest.approx(1.2, abs=1e-3)
    assert "b 800: 3 repeats were averaged." in notes(plan)


def test_each_image_has_its_own_scale(world):
    """Repeats and b-values may be stored with different slopes: the scale is applied first."""
    add_station(world, b_values=(50.0,))
    for number, slope in enumerate((1.0, 4.0)):
        world.add_volume(
            (0, 0, 0), AXIAL, 5, b=800.0, gain=1.0 / slope, repeat=(str(number), "", "")
        )
        for frame in world.frames[-5:]:
            at = world.frames.index(frame)
            world.frames[at] = replace(frame, pixels=replace(frame.pixels, slope=slope))
    assert_right(plan_of(world), expected_gain=1.0)


def test_near_zero_repeats_are_one_b0(world):
    for number, b in enumerate((0.0, 0.001, 0.002)):
        world.add_volume((0, 0, 0), AXIAL, 5, b=b, repeat=(str(number), "", ""))
    world.add_volume((0, 0, 0), AXIAL, 5, b=800.0)
    plan = plan_of(world)
    (station,) = plan.stations
    assert [s.b for s in station.stacks] == [0.0, 800.0]
    # Stored pixels are equal: three times b 0 of one world. The headers differ, so all count.
    (record,) = records_of(plan, plan.stations)
    assert record.b_values == (0.0, 0.001, 0.002, 800.0)
    assert record.b_labels == (0.0, 800.0)


def test_b0_comes_from_the_series_of_the_trace(world):
    add_station(world, b_values=(0.0, 800.0), **series(1))
    add_station(world, b_values=(0.0,), gain=1.5, **series(2), image_type=ORIGINAL)
    plan = plan_of(world)
    assert used_series(plan) == {1}
    assert codes(plan) == {"OTHER_B0"}


def test_one_b_value_in_two_differently_named_series_is_refused(world):
    add_station(world, **series(1), series_description="DWI AP")
    add_station(world, gain=1.1, **series(2), series_description="DWI PA")
    plan = plan_of(world)
    assert not plan.stations
    assert "REPEATED_SHELL" in codes(plan)


def test_a_b_value_above_the_limit_is_left_out(world):
    add_station(world, b_values=(50.0, 800.0, 2500.0))
    plan = plan_of(world)
    assert [s.b for s in plan.stations[0].stacks] == [50.0, 800.0]
    assert codes(plan) == {"B_NOT_FITTED"}
    wide = plan_of(world, FitLimits(highest_b_max=3000.0))
    assert [s.b for s in wide.stations[0].stacks] == [50.0, 800.0, 2500.0]


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        (FitLimits(in_plane_spacing_max_mm=2.5), "SPACING_RANGE"),
        (FitLimits(slice_spacing_max_mm=4.0), "SPACING_RANGE"),
        (FitLimits(coverage_min_mm=400.0), "COVERAGE_TOO_SHORT"),
        (FitLimits(lowest_b_max=40.0), "B_RANGE"),
    ],
)
def test_limits_refuse_by_code(world, limits, code):
    add_station(world)
    plan = plan_of(world, limits)
    assert not plan.stations
    assert codes(plan) == {code}


def test_stations_at_one_place_in_two_frames_of_reference_are_refused(world):
    add_station(world, **series(1))
    add_station(world, gain=1.3, **series(2))
    for k, frame in enumerate(world.frames):
        if frame.series_number == 2:
            plane = replace(frame.plane, frame_of_reference_uid="1.2.3.4")
            world.frames[k] = replace(frame, plane=plane)
    plan = plan_of(world)
    assert not plan.stations
    assert codes(plan) == {"FRAME_OF_REFERENCE_MIX"}


def test_b_values_of_one_place_in_two_frames_of_reference_make_a_station(world):
    add_station(world)
    for k, frame in enumerate(world.frames):
        if frame.b.value == 800.0:
            plane = replace(frame.plane, frame_of_reference_uid="1.2.3.4")
            world.frames[k] = replace(frame, plane=plane)
    plan = plan_of(world)
    assert len(plan.stations) == 1
    assert any("frames of reference" in note for note in notes(plan))


def test_what_a_deidentifier_took_is_named(world):
    add_station(world)
    world.frames = [
        replace(f, b=BReading(None, "none"), private_stripped=True) for f in world.frames
    ]
    assert codes(plan_of(world)) == {"PRIVATE_TAGS_STRIPPED"}


def test_two_sources_of_b_that_differ_a_little_are_noted(world):
    add_station(world)
    doubtful = BReading(800.0, "(0018,9087)", doubt=(850.0, "Siemens (0019,xx0C)"))
    world.frames = [replace(f, b=doubtful) if f.b.value == 800.0 else f for f in world.frames]
    assert "(0018,9087) says b 800, Siemens (0019,xx0C) says 850." in notes(plan_of(world))


def test_an_incomplete_repeat_is_left_out_and_keeps_the_study_open(world):
    add_station(world)
    world.add_volume((0, 0, 0), AXIAL, 5, b=800.0, gain=1.2, repeat=("2", "", ""))
    del world.frames[-3]
    plan = plan_of(world)
    assert_right(plan, expected_gain=1.0)
    assert codes(plan) == {"INCOMPLETE_REPEAT"}
    assert [r.code for r in plan.faults] == ["INCOMPLETE_REPEAT"]
