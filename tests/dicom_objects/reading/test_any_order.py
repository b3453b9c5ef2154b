"""Any orientation, order, repeats and losses: the right volume or a refusal, never a wrong one."""

import itertools
import random
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from dicom_objects.reading.limits import FitLimits
from dicom_objects.reading.study_plan import plan_study
from tests.dicom_objects.reading.made_frames import AXES, SLICE_MM, World, assert_right, gains

ANY_TILT = FitLimits(oblique_max_degrees=90.0)
SIGNED = [tuple(s * c for c in axis) for axis in AXES for s in (1, -1)]
ORIENTATIONS = [(*row, *column) for row in SIGNED for column in SIGNED if not np.dot(row, column)]
REFUSALS = {
    "INCOMPLETE_REPEAT",
    "MISSING_SLICES",
    "TOO_FEW_SLICES",
    "UNEVEN_SLICES",
    "DUPLICATE_SLICES",
    "SHELL_GEOMETRY_MISMATCH",
    "ONE_SHELL_ONLY",
    "NO_DIFFUSION",
    "DIRECTIONS_ONLY",
}
quick = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
def world(tmp_path):
    return World(tmp_path / "pixels.raw")


def start_again(world):
    world.frames.clear()
    world.stored.clear()
    return world


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_all_48_axis_orientations(world, orientation, descending):
    for b in (50.0, 800.0):
        world.add_volume((10, -20, 30), orientation, 5, b=b)
    world.write()
    frames = world.frames[::-1] if descending else world.frames
    plan = plan_study(frames, ANY_TILT)
    assert [s.stacks[0].geometry.shape for s in plan.stations] == [(5, 8, 6)]
    assert_right(plan, expected_gain=1.0)
    axial = abs(np.cross(orientation[:3], orientation[3:])[2]) == 1
    refused = {r.code for r in plan_study(frames).refusals}
    assert refused == (set() if axial else {"OBLIQUE_TOO_LARGE"})


@dataclass(frozen=True)
class Sending:
    """How a study was sent."""

    orientation: tuple
    n_slices: int
    n_repeats: int
    """Of the high b-value."""
    told_apart: bool
    dropped: frozenset
    """Of (volume, slice); volume 0 is the low b-value."""
    copied: frozenset
    resent: frozenset
    seed: int


@st.composite
def sendings(draw):
    base = Rotation.from_matrix(np.stack([*axes(draw(st.sampled_from(ORIENTATIONS)))], axis=1))
    tilt = Rotation.from_euler("xyz", [draw(st.floats(-25, 25)) for _ in range(3)], degrees=True)
    turned = (tilt * base).as_matrix()
    n_slices, n_repeats = draw(st.integers(2, 7)), draw(st.integers(1, 3))
    every = list(itertools.product(range(n_repeats + 1), range(n_slices)))
    some = st.frozensets(st.sampled_from(every), max_size=3)
    return Sending(
        tuple(np.round([*turned[:, 0], *turned[:, 1]], 6)),
        n_slices,
        n_repeats,
        draw(st.booleans()),
        draw(some),
        draw(some),
        draw(some),
        draw(st.integers(0, 10**6)),
    )


def axes(orientation):
    row, column = np.array(orientation[:3]), np.array(orientation[3:])
    return row, column, np.cross(row, column)


def send(world, sending):
    """Return the frames of a sending in any order."""
    start_again(world)
    sent = []
    for volume in range(sending.n_repeats + 1):
        number = str(volume) if sending.told_apart else ""
        frames = world.add_volume(
            (5, -10, 15),
            sending.orientation,
            sending.n_slices,
            b=800.0 if volume else 50.0,
            gain=1.0 + 0.1 * max(0, volume - 1),
            repeat=(number, "", ""),
        )
        for k, frame in enumerate(frames):
            if (volume, k) not in sending.dropped:
                sent.append(frame)
                sent += [world.copy(frame)] if (volume, k) in sending.copied else []
                sent += [frame] if (volume, k) in sending.resent else []
    world.write()
    random.Random(sending.seed).shuffle(sent)
    return sent


@quick
@given(sending=sendings())
def test_a_study_is_right_or_refused(world, sending):
    plan = plan_study(send(world, sending), ANY_TILT)
    # What is left of several repeats may be one volume: right, though each slice has its gain.
    single = all(len(stack.volumes) == 1 for s in plan.stations for stack in s.stacks)
    pieced = bool(sending.dropped) and (single or not sending.told_apart)
    assert_right(plan, by_slice=pieced)
    assert {r.code for r in plan.faults} <= REFUSALS
    if not plan.stations:
        assert plan.faults
    if not sending.dropped:
        (station,) = plan.stations
        assert station.stacks[0].geometry.shape[0] == sending.n_slices
        means = [1.0, 1.0 + 0.1 * (sending.n_repeats - 1) / 2]
        for stack, mean in zip(station.stacks, means, strict=True):
            assert len(stack.volumes) == (1 if stack.b < 100 else sending.n_repeats)
            assert np.median(gains(stack)) == pytest.approx(mean, abs=0.001)


@quick
@given(sending=sendings())
def test_a_slice_missing_inside_is_never_papered_over(world, sending):
    plan = plan_study(send(world, sending), ANY_TILT)
    for station in plan.stations:
        spacing = station.stacks[0].geometry.spacing_mm[0]
        lost = {k for k in range(sending.n_slices) if (0, k) in sending.dropped}
        kept = sorted(set(range(sending.n_slices)) - lost)
        # Every second slice gone everywhere is a coarser volume; nothing in it is wrong.
        steps = set(np.diff(kept))
        assert len(steps) == 1
        assert spacing == pytest.approx(SLICE_MM * steps.pop(), rel=1e-4)
        assert station.stacks[0].geometry.shape[0] == len(kept)


@quick
@given(
    dropped=st.frozensets(st.tuples(st.integers(0, 2), st.integers(0, 4)), max_size=2),
    seed=st.integers(0, 10**6),
    with_copies=st.booleans(),
)
def test_directions_make_a_whole_trace_or_none(world, dropped, seed, with_copies):
    start_again(world)
    sent = world.add_volume((0, 0, 0), (*AXES[0], *AXES[1]), 5, b=0.0)
    for number, gradient in enumerate(AXES):
        frames = world.add_volume(
            (0, 0, 0),
            (*AXES[0], *AXES[1]),
            5,
            b=800.0,
            gain=(0.5, 1.0, 1.2)[number],
            gradient=gradient,
            directionality="DIRECTIONAL",
            image_type=("ORIGINAL", "PRIMARY"),
        )
        sent += [f for k, f in enumerate(frames) if (number, k) not in dropped]
    sent += [world.copy(frame) for frame in sent[::3]] if with_copies else []
    world.write()
    random.Random(seed).shuffle(sent)
    plan = plan_study(sent)
    if dropped:
        assert not plan.stations
        assert {r.code for r in plan.faults} <= REFUSALS
    else:
        (station,) = plan.stations
        trace = station.stacks[1]
        assert np.ptp(gains(trace)) < 0.002
        assert np.median(gains(trace)) == pytest.approx((0.5 * 1.0 * 1.2) ** (1 / 3), abs=0.001)


@quick
@given(
    n_stations=st.integers(2, 4),
    step=st.floats(12.0, 24.0),
    own_frame_of_reference=st.booleans(),
    own_series=st.booleans(),
    seed=st.integers(0, 10**6),
)
def test_stations_come_back_as_they_were(
    world, n_stations, step, own_frame_of_reference, own_series, seed
):
    start_again(world)
    sent = []
    for number, b in itertools.product(range(n_stations), (50.0, 800.0)):
        frames = world.add_volume(
            (0, 0, number * step),
            (*AXES[0], *AXES[1]),
            5,
            b=b,
            gain=1.0 + 0.1 * number,
            repeat=(str(number), "", ""),
            series_uid=f"1.2.{number if own_series else 0}",
        )
        uid = f"1.2.3.{number}" if own_frame_of_reference else "1.2.3"
        sent += [in_frame_of_reference(f, uid) for f in frames]
    world.write()
    random.Random(seed).shuffle(sent)
    plan = plan_study(sent)
    assert not plan.faults
    assert_right(plan)
    assert [s.stacks[0].geometry.shape[0] for s in plan.stations] == [5] * n_stations
    found = [s.stacks[0].geometry.origin_mm[2] for s in plan.stations]
    assert found == pytest.approx([number * step for number in range(n_stations)])


def in_frame_of_reference(frame, uid):
    return replace(frame, plane=replace(frame.plane, frame_of_reference_uid=uid))
