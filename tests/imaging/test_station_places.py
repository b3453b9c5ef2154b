"""Stations of any place, spacing, matrix and tilt against a body that is a formula in mm."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imaging.diffusion import DiffusionVolume, Station
from imaging.errors import UnusableImages
from imaging.geometry import Geometry
from imaging.joints import joint_notes
from imaging.stations import assemble
from tests.imaging.bodies import cut, whole_body

EXTENT_MM = (300.0, 240.0)
"""Of every station, along x and y."""


def body_at(points_mm, b):
    """Signal of a soft-edged cylinder whose tissue varies over centimetres, at LPS mm."""
    x, y, z = np.moveaxis(points_mm, -1, 0)
    inside = 1 / (1 + np.exp(12 * ((x / 110) ** 2 + (y / 85) ** 2 - 1)))
    s0 = 300 + 70 * np.sin(x / 22) * np.cos(y / 27) + 50 * np.sin(z / 35)
    return inside * s0 * np.exp(-b * 1e-6 * (1100 + 300 * np.cos(x / 40 + z / 50)))


def grid(first_z_mm, n_slices, spacing_mm=(5.0, 4.0, 4.0), tilt_deg=0.0, at_mm=(0.0, 0.0)):
    """Slices whose centre runs straight up from `at_mm`, tilted about the x axis."""
    rows, columns = (round(e / s) for e, s in zip(EXTENT_MM[::-1], spacing_mm[1:], strict=True))
    c, s = np.cos(np.radians(tilt_deg)), np.sin(np.radians(tilt_deg))
    turn = np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
    axes = turn @ np.array([[0, 0, 1], [0, 1, 0], [1, 0, 0]]) * np.array(spacing_mm)
    affine = np.eye(4)
    affine[:3, :3] = axes
    middle = axes @ [0, (rows - 1) / 2, (columns - 1) / 2]
    affine[:3, 3] = np.array([*at_mm, first_z_mm]) - middle
    return Geometry((n_slices, rows, columns), affine)


def sampled(geometry, name, gain=1.0):
    points = geometry.to_patient_mm(np.moveaxis(np.indices(geometry.shape), 0, -1))
    images = {b: (gain * body_at(points, b)).astype(np.float32) for b in (50.0, 900.0)}
    return Station(name, DiffusionVolume(geometry, images))


def worst_error(made, stations):
    """Largest difference from the formula where a station shows the inner body, relative."""
    geometry = made.volume.geometry
    points = geometry.to_patient_mm(np.moveaxis(np.indices(geometry.shape), 0, -1))
    x, y, _ = np.moveaxis(points, -1, 0)
    inner = (x / 95) ** 2 + (y / 70) ** 2 < 1
    shown = np.zeros(geometry.shape, dtype=bool)
    for station in stations:
        grid = station.volume.geometry
        index = grid.to_index(points)
        # A slice reaches half its thickness; what lies between two stations counts as shown.
        reach = np.array([1.0, 0.0, 0.0])
        shown |= ((index >= -reach) & (index <= np.array(grid.shape) - 1 + reach)).all(axis=-1)
    shown[[0, -1]] = False  # half a slice beyond the last centre is held, not extrapolated
    assert np.count_nonzero(shown & inner) > 10_000
    return float(np.abs(made.volume.images[50.0] / body_at(points, 50.0) - 1)[inner & shown].max())


@settings(deadline=None, max_examples=15)
@given(
    offset=st.floats(-0.5, 0.5),
    slice_mm=st.sampled_from([4.0, 5.0, 6.0]),
    pixel_mm=st.sampled_from([3.0, 4.0, 5.0]),
    at_mm=st.tuples(st.floats(-6, 6), st.floats(-6, 6)),
    tilt_deg=st.floats(-30, 30),
    gain=st.floats(0.7, 1.4),
)
def test_whatever_the_grids_the_volume_is_the_body(
    offset, slice_mm, pixel_mm, at_mm, tilt_deg, gain
):
    spacing = (slice_mm, pixel_mm, pixel_mm)
    stations = [
        sampled(grid(0.0, 20, tilt_deg=tilt_deg), "a", gain),
        sampled(grid(80 + 5 * offset, 20, tilt_deg=tilt_deg), "b"),
        sampled(grid(162.0, 18, spacing, tilt_deg, at_mm), "c", 1.2),
    ]
    made = assemble(stations)
    assert worst_error(made, stations) < 0.05
    lower, upper = made.joints
    assert lower.gain == pytest.approx(1 / gain, rel=0.02)
    assert upper.gain == pytest.approx(1.2, rel=0.02)
    for joint in made.joints:
        assert joint.correlation > 0.97
        # A smooth cylinder says less about place along itself than about place across it.
        assert np.abs(joint.shift_mm[:2]).max() < 2.5
        assert joint.residual_step < 0.03


def test_stations_a_third_of_a_slice_apart_are_placed_by_position():
    # The offsets of a real scanner's table: 1 mm modulo 3 (multistation_table_moves).
    starts = (-101.1, -51.1 + 1, -1.1 + 2)
    stations = [sampled(grid(z, 20, (3.0, 4.0, 4.0)), f"s{z}") for z in starts]
    made = assemble(stations)
    assert worst_error(made, stations) < 0.02
    # 20 slices of 3 mm reach 60 mm; the tables moved by 51 mm, so 9 mm are seen twice.
    assert [j.overlap_mm for j in made.joints] == pytest.approx([9.0, 9.0])
    # From half a slice below the first to half above the last: 60 + 51 + 51 mm are 54 slices.
    assert made.volume.geometry.shape[0] == 54


def test_a_spacing_at_the_limit_is_within_it_at_any_tilt():
    # The cosines of 18.98 degrees leave a row spacing of 5.000000000000001 mm.
    made = assemble([sampled(grid(0.0, 10, (5.0, 5.0, 5.0), 18.984990109970546), "a")])
    assert made.volume.geometry.shape[0] == 10


def test_touching_stations_of_coarser_slices_than_the_middle_one_are_no_gap():
    # The facing slices of the coarse two lie 7 mm apart, 1.75 slices of the fine ones.
    coarse = [sampled(grid(z, 10, (7.0, 4.0, 4.0)), f"s{z:g}") for z in (0.0, 70.0)]
    first = 70 + 63 + (7 + 4) / 2
    fine = [sampled(grid(first + 40.0 * k, 10, (4.0, 4.0, 4.0)), f"f{k}") for k in range(3)]
    made = assemble([*coarse, *fine])
    assert [j.overlap_mm for j in made.joints] == pytest.approx([0.0] * 4)
    assert made.volume.geometry.spacing_mm[0] == 4.0
    assert worst_error(made, [*coarse, *fine]) < 0.06


def test_finer_stations_leave_no_dark_slice_on_the_grid_of_a_coarser_middle_one():
    fine, coarse = (4.0, 4.0, 4.0), (8.0, 4.0, 4.0)
    stations = [
        sampled(grid(0.0, 20, fine), "below"),
        sampled(grid(80.0 + 1.5, 10, coarse), "middle"),
        sampled(grid(80.0 + 1.5 + 76.3, 20, fine), "above"),
    ]
    made = assemble(stations)
    assert made.volume.geometry.spacing_mm[0] == 8.0
    assert (made.volume.images[50.0].max(axis=(1, 2)) > 200).all()
    assert worst_error(made, stations) < 0.06


def test_a_small_gap_is_bridged_and_a_larger_one_refused():
    def three(gap_mm):
        upper = 100.0 + gap_mm
        zs = (0.0, upper, 2 * upper)
        return [sampled(grid(z, 20), f"s{z:g}") for z in zs]

    made = assemble(three(2.4))
    assert [j.overlap_mm for j in made.joints] == pytest.approx([-2.4, -2.4])
    assert worst_error(made, three(2.4)) < 0.05
    with pytest.raises(UnusableImages, match="3 mm of the body are missing") as caught:
        assemble(three(2.6))
    assert caught.value.code == "STATION_GAP"


def test_a_slice_that_no_station_reaches_is_interpolated():
    # The third station sets the grid: its slice at 98.7 mm is more than half a slice away from
    # the lowest station's end at 95 mm and from the next one's begin at 102.45 mm.
    starts = (0.0, 102.45, 203.7, 303.7)
    stations = [sampled(grid(z, 20), f"s{z:g}") for z in starts]
    made = assemble(stations)
    z_mm = made.volume.geometry.to_patient_mm([[k, 0, 0] for k in range(80)])[:, 2]
    assert np.abs(z_mm - 98.7).min() < 0.01
    assert (made.volume.images[50.0].max(axis=(1, 2)) > 200).all()
    assert worst_error(made, stations) < 0.05


def test_the_order_of_stations_does_not_change_a_bit():
    body, _, _ = whole_body(60, noise=4.0)
    parts = [cut(body, 0, 18, "a", 1.2), cut(body, 14, 32, "b"), cut(body, 28, 60, "c", 0.8)]
    volumes = [assemble(order).volume for order in permutations(parts)]
    for volume in volumes[1:]:
        for b in volume.b_values:
            np.testing.assert_array_equal(volume.images[b], volumes[0].images[b])


@pytest.mark.parametrize("flipped", [(True, False, False), (False, True, True), (True, True, True)])
def test_stations_from_head_to_feet_give_the_same_volume(flipped):
    body, _, _ = whole_body(60, noise=4.0)
    ends = ((0, 18), (14, 32), (28, 60))
    turned = [cut(body, *e, "s", flipped=f) for e, f in zip(ends, flipped, strict=True)]
    straight = assemble([cut(body, *e, "s") for e in ends]).volume
    np.testing.assert_array_equal(assemble(turned).volume.high_b, straight.high_b)


def test_one_oblique_station_is_itself():
    station = sampled(grid(0.0, 12, tilt_deg=25.0), "a")
    made = assemble([station])
    assert made.volume.geometry.matches(station.volume.geometry)
    np.testing.assert_array_equal(made.volume.high_b, station.volume.high_b)
    assert (made.joints, joint_notes(made.joints)) == ((), ())
