import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imaging.adc import fit_adc
from imaging.diffusion import DiffusionVolume, Station
from imaging.errors import UnusableImages
from imaging.geometry import Geometry
from imaging.joints import Joint, joint_notes
from imaging.stations import assemble, cut_station
from tests.imaging.bodies import SPACING_MM, cut, whole_body

CUTS = ((0, 18), (14, 32), (28, 46), (42, 60))
BODIES = [whole_body(60, noise=4.0, seed=s)[0] for s in range(len(CUTS))]
CLEAN, INSIDE, _ = whole_body(60)


def stations(gains=(1.0, 1.0, 1.0, 1.0), flipped=(), bodies=BODIES):
    """Four stations, each with noise of its own."""
    return [
        cut(body, *ends, f"s{n}", gain, flipped=n in flipped)
        for n, (body, ends, gain) in enumerate(zip(bodies, CUTS, gains, strict=True))
    ]


@settings(deadline=None, max_examples=15)
@given(
    gains=st.lists(st.floats(0.7, 1.4), min_size=4, max_size=4),
    order=st.permutations(range(4)),
    flipped=st.sets(st.integers(0, 3)),
)
def test_gains_are_recovered_in_any_order_and_direction(gains, order, flipped):
    given_stations = stations(gains, flipped)
    made = assemble([given_stations[n] for n in order])
    assert [j.lower for j in made.joints] == ["s0", "s1", "s2"]
    for n, joint in enumerate(made.joints):
        assert joint.gain == pytest.approx(gains[n + 1] / gains[n], rel=0.02)
        assert joint.residual_step < 0.05
        assert joint.overlap_mm == 20.0
    assert made.volume.geometry.matches(CLEAN.geometry)
    # The middle station keeps its signal; all others follow it.
    bright = INSIDE & (CLEAN.images[50.0] > 150)
    ratio = made.volume.images[50.0][bright] / CLEAN.images[50.0][bright] / gains[2]
    assert np.median(ratio) == pytest.approx(1.0, rel=0.02)
    assert np.percentile(np.abs(ratio - 1), 95) < 0.08


def test_adc_does_not_see_the_gains():
    made = assemble(stations((1.4, 0.7, 1.0, 1.3), bodies=[CLEAN] * 4))
    np.testing.assert_allclose(
        fit_adc(made.volume).adc_um2_s[INSIDE], fit_adc(CLEAN).adc_um2_s[INSIDE], rtol=2e-3
    )


def test_masks_are_cut_back_exactly():
    given_stations = stations(flipped={1, 3})
    made = assemble(given_stations)
    mask = np.random.default_rng(0).random(made.volume.geometry.shape) > 0.5
    for n, placement in enumerate(made.placements):
        first, stop = CUTS[n]
        assert (placement.station, placement.first_slice) == (f"s{n}", first)
        expected = mask[first:stop][::-1] if n in {1, 3} else mask[first:stop]
        np.testing.assert_array_equal(cut_station(mask, placement), expected)
        assert placement.flipped == (n in {1, 3})
        assert placement.n_slices == stop - first


def test_stations_that_only_touch_are_joined_without_a_hole():
    parts = [cut(CLEAN, 0, 20, "a", 1.0), cut(CLEAN, 20, 40, "b", 1.3)]
    made = assemble(parts)
    assert made.volume.geometry.shape[0] == 40
    assert made.joints[0].overlap_mm == 0.0
    assert made.joints[0].gain == pytest.approx(1.3, rel=0.05)
    np.testing.assert_allclose(made.volume.high_b[20:], parts[1].volume.high_b)


def test_one_station_is_itself():
    made = assemble([cut(CLEAN, 0, 20, "a")])
    assert made.joints == ()
    np.testing.assert_array_equal(made.volume.high_b, CLEAN.high_b[:20])


def moved(station, offset_mm=(0.0, 0.0, 0.0), scale=(1.0, 1.0, 1.0)):
    geometry = station.volume.geometry
    affine = geometry.affine.copy()
    affine[:3, :3] *= np.array(scale)
    affine[:3, 3] += offset_mm
    grid = Geometry(geometry.shape, affine)
    return Station(station.name, DiffusionVolume(grid, station.volume.images))


def test_a_station_between_the_grid_lines_is_resampled_and_cut_back():
    lower = cut(CLEAN, 0, 20, "a")
    upper = moved(cut(CLEAN, 16, 36, "b"), (0.9, 0.0, 1.6))
    made = assemble([lower, upper])
    assert made.joints[0].gain == pytest.approx(1.0, rel=0.03)
    assert made.volume.images[50.0][5:-1].any(axis=(1, 2)).all()
    placement = made.placements[0]
    assert placement.regrid is not None
    mask = np.zeros(made.volume.geometry.shape, dtype=bool)
    mask[2:10, 12:30, 14:30] = True
    back = cut_station(mask, placement)
    assert back.shape == lower.volume.geometry.shape
    assert back.sum() == pytest.approx(mask.sum(), rel=0.15)


def shells(station, *b_values):
    images = {b: station.volume.images[b] for b in b_values}
    return Station(station.name, DiffusionVolume(station.volume.geometry, images))


def test_b_values_that_all_stations_share_are_kept():
    a, b = cut(CLEAN, 0, 20, "a"), cut(CLEAN, 16, 36, "b")
    assert assemble([a, shells(b, 50.0, 900.0)]).volume.b_values == (50.0, 900.0)


def turned(station):
    affine = station.volume.geometry.affine.copy()
    affine[:3, 2] *= -1
    grid = Geometry(station.volume.geometry.shape, affine)
    return Station(station.name, DiffusionVolume(grid, station.volume.images))


def tilted(station, degrees):
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    affine = station.volume.geometry.affine.copy()
    affine[:3, :3] = np.array([[1, 0, 0], [0, c, -s], [0, s, c]]) @ affine[:3, :3]
    grid = Geometry(station.volume.geometry.shape, affine)
    return Station(station.name, DiffusionVolume(grid, station.volume.images))


A, B = cut(CLEAN, 0, 20, "a"), cut(CLEAN, 16, 36, "b")


@pytest.mark.parametrize(
    ("parts", "code", "words"),
    [
        ([], "NO_STATION", "no station"),
        ([A, cut(CLEAN, 24, 40, "b")], "STATION_GAP", "20 mm .* between stations a and b"),
        ([shells(A, 50.0, 900.0), shells(B, 600.0)], "SHELL_GEOMETRY_MISMATCH", "a: 50, 900"),
        ([A, turned(B)], "ORIENTATION_MIX", "turned against each other"),
        ([tilted(A, 40)], "OBLIQUE_TOO_LARGE", "tilted by 40"),
        ([A, moved(B, scale=(1.0, 0.4, 0.4))], "SPACING_RANGE", "twofold"),
        ([moved(A, scale=(1.0, 1.4, 1.4))], "SPACING_RANGE", "too coarse"),
        ([moved(A, scale=(3.0, 1.0, 1.0))], "SPACING_RANGE", "too coarse"),
        ([A, cut(CLEAN, 1, 21, "b")], "STATION_DUPLICATE", "same part"),
    ],
)
def test_what_cannot_be_joined_is_refused_with_a_code(parts, code, words):
    with pytest.raises(UnusableImages, match=words) as caught:
        assemble(parts)
    assert caught.value.code == code


def test_slices_are_placed_by_position_and_not_by_count():
    # A gap of 1.4 slices between centres is still contiguous; of 1.6 it is not.
    near = moved(cut(CLEAN, 20, 36, "b"), (0.0, 0.0, 0.4 * SPACING_MM[0]))
    assert assemble([A, near]).volume.geometry.shape[0] == 36
    with pytest.raises(UnusableImages):
        assemble([A, moved(cut(CLEAN, 20, 36, "b"), (0.0, 0.0, 0.6 * SPACING_MM[0]))])


def test_a_joint_without_body_is_said_to_be_unmeasured():
    images = {b: image.copy() for b, image in CLEAN.images.items()}
    for image in images.values():
        image[14:22] = 0
    empty = DiffusionVolume(CLEAN.geometry, images)
    (joint,) = assemble([cut(empty, 0, 20, "a"), cut(empty, 16, 36, "b", 1.3)]).joints
    assert (joint.gain, joint.measured) == (1.0, False)
    (note,) = joint_notes([joint])
    assert note.code == "SIGNAL_STEP_UNKNOWN"


def test_only_notable_steps_are_noted():
    quiet = Joint("a", "b", 20.0, 1.2, 0.03)
    loud = Joint("b", "c", 20.0, 1.2, 0.14)
    (note,) = joint_notes([quiet, loud])
    assert (note.code, note.measured) == ("SIGNAL_STEP", 0.14)
    assert "14%" in note.text
