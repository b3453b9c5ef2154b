"""Whether neighbours show the same body at the same place, and what is said where they do not."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest

from imaging.diffusion import DiffusionVolume, Station
from imaging.errors import UnusableImages
from imaging.geometry import Geometry
from imaging.joints import Joint, joint_notes
from imaging.stations import assemble
from tests.imaging.bodies import SPACING_MM, cut, whole_body

SCANNERS = Path("/work/shared/scanners/multistation_table_moves")
QUIET = Joint("a", "b", 20.0, 1.2, 0.03, steps={50.0: 0.0, 900.0: 0.03}, correlation=0.97)


def codes(*joints):
    return [note.code for note in joint_notes(joints)]


def framed(station, uid):
    geometry = station.volume.geometry
    grid = Geometry(geometry.shape, geometry.affine, uid)
    return Station(station.name, DiffusionVolume(grid, station.volume.images))


@pytest.fixture(scope="module")
def body():
    return whole_body(40, noise=3.0)[0]


def test_what_remains_at_each_b_is_reported_with_its_sign(body):
    lower, upper = cut(body, 0, 22, "a"), cut(body, 16, 40, "b", 1.25)
    images = {
        b: i * np.float32(1.06 if b == 900.0 else 1.0) for b, i in upper.volume.images.items()
    }
    upper = Station("b", DiffusionVolume(upper.volume.geometry, images))
    (joint,) = assemble([lower, upper]).joints
    assert joint.gain == pytest.approx(1.25, rel=0.01)
    assert joint.steps[50.0] == 0.0
    assert joint.steps[600.0] == pytest.approx(0.0, abs=0.01)
    assert joint.steps[900.0] == pytest.approx(0.06, abs=0.01)
    assert joint.residual_step == abs(joint.steps[900.0])
    assert codes(joint) == []


def test_stations_of_two_frames_that_show_one_body_are_joined_with_a_remark(body):
    parts = [framed(cut(body, 0, 22, "a"), "1.2.1"), framed(cut(body, 16, 40, "b"), "1.2.2")]
    (joint,) = assemble(parts).joints
    assert not joint.same_frame
    assert joint.correlation > 0.95
    (note,) = joint_notes([joint])
    assert (note.code, note.severity) == ("STATION_FRAME", "info")


def test_several_confirmed_frames_are_one_remark_that_gives_the_worst():
    joints = [replace(QUIET, same_frame=False, correlation=c) for c in (0.97, 0.88, 0.93)]
    (note,) = joint_notes([*joints, QUIET])
    assert (note.code, note.severity, note.measured) == ("STATION_FRAME", "info", 0.88)


def test_stations_of_two_frames_that_only_touch_are_joined_with_a_warning(body):
    parts = [framed(cut(body, 0, 20, "a"), "1.2.1"), framed(cut(body, 20, 40, "b"), "1.2.2")]
    (joint,) = assemble(parts).joints
    assert (joint.correlation, joint.shift_mm) == (None, None)
    (note,) = joint_notes([joint])
    assert (note.code, note.severity) == ("STATION_FRAME", "warning")


def other_place(body):
    """The same slices, but a body that lies elsewhere in them."""
    images = {b: np.roll(i, (12, 14), axis=(1, 2)) for b, i in body.images.items()}
    return DiffusionVolume(body.geometry, images)


def test_stations_of_two_frames_that_do_not_fit_are_refused(body):
    upper = cut(other_place(body), 16, 40, "b")
    with pytest.raises(UnusableImages, match=r"a and b name different frames") as caught:
        assemble([framed(cut(body, 0, 22, "a"), "1.2.1"), framed(upper, "1.2.2")])
    assert caught.value.code == "STATION_FRAME_MISMATCH"


def test_stations_of_one_frame_that_do_not_fit_are_joined_with_warnings(body):
    (joint,) = assemble([cut(body, 0, 22, "a"), cut(other_place(body), 16, 40, "b")]).joints
    assert joint.correlation < 0.8
    assert {"STATION_MISMATCH"} <= set(codes(joint))


@pytest.mark.parametrize(
    "pixels", [(0, 0, 0), (3, 0, 0), (0, -2, 0), (2, 1, 0), (0, 1, 1), (0, 0, -1)]
)
def test_whole_voxels_of_shift_are_found_with_their_direction(body, pixels):
    columns, rows, slices = pixels
    images = {
        b: np.roll(i, (slices, rows, columns), axis=(0, 1, 2)) for b, i in body.images.items()
    }
    moved = DiffusionVolume(body.geometry, images)
    (joint,) = assemble([cut(body, 0, 23, "a"), cut(moved, 15, 38, "b")]).joints
    # LPS of an axial stack: columns to the left, rows to the back, slices to the head.
    wanted = np.array(pixels) * SPACING_MM[::-1]
    np.testing.assert_allclose(joint.shift_mm, wanted, atol=0.25 * min(SPACING_MM))
    assert joint.shift_length_mm == pytest.approx(np.linalg.norm(joint.shift_mm))


def test_a_joint_without_signal_has_no_correlation(body):
    images = {b: np.zeros_like(i) for b, i in body.images.items()}
    empty = DiffusionVolume(body.geometry, images)
    (joint,) = assemble([cut(empty, 0, 22, "a"), cut(empty, 16, 40, "b")]).joints
    assert (joint.correlation, joint.shift_mm, joint.measured) == (None, None, False)
    assert joint.steps == {}


@pytest.mark.parametrize(
    ("joint", "wanted"),
    [
        (QUIET, []),
        (replace(QUIET, residual_step=0.14), ["SIGNAL_STEP"]),
        (replace(QUIET, measured=False), ["SIGNAL_STEP_UNKNOWN"]),
        (replace(QUIET, shift_mm=(0.0, 4.9, 0.0)), []),
        (replace(QUIET, shift_mm=(3.0, 4.0, 1.0)), ["STATION_SHIFT"]),
        (replace(QUIET, correlation=0.79), ["STATION_MISMATCH"]),
    ],
)
def test_only_what_matters_is_noted(joint, wanted):
    assert codes(joint) == wanted


def scanned(name):
    """Read one series of real slices; the low b is the image, the high one half of it."""
    files = [pydicom.dcmread(p) for p in (SCANNERS / name).iterdir()]
    files.sort(key=lambda d: float(d.ImagePositionPatient[2]))
    cosines = np.array(files[0].ImageOrientationPatient, dtype=float)
    ends = [np.array(d.ImagePositionPatient, dtype=float) for d in (files[0], files[-1])]
    affine = np.eye(4)
    affine[:3, 0] = (ends[1] - ends[0]) / (len(files) - 1)
    affine[:3, 1] = cosines[3:] * float(files[0].PixelSpacing[0])
    affine[:3, 2] = cosines[:3] * float(files[0].PixelSpacing[1])
    affine[:3, 3] = ends[0]
    image = np.stack([d.pixel_array for d in files]).astype(np.float32)
    grid = Geometry(image.shape, affine, files[0].FrameOfReferenceUID)
    return Station(name, DiffusionVolume(grid, {50.0: image, 900.0: image / 2}))


real = pytest.mark.skipif(not SCANNERS.is_dir(), reason="the pack of real scanners is not here")


@real
def test_a_moved_table_of_a_real_scanner_is_joined_by_position():
    moved, still = "philips_2201_Dual-echo_FH-60_table_moved", "philips_1301_Dual-echo_iso"
    made = assemble([scanned(still), scanned(moved)])
    # -74 to -22 mm in slices of 4 mm, six of them seen twice (geometry_check of the pack).
    assert made.volume.geometry.shape[0] == 14
    assert made.volume.geometry.origin_mm[2] == pytest.approx(-74.0)
    (joint,) = made.joints
    assert joint.overlap_mm == pytest.approx(24.0)
    assert joint.correlation == pytest.approx(0.9997, abs=1e-4)
    assert np.abs(joint.shift_mm).max() < 1.0
    assert codes(joint) == ["STATION_FRAME"]


@real
def test_real_stations_of_one_frame_a_millimetre_off_each_other_are_joined():
    names = ("ge_03_Ax_fMRI_FF_I21.1_S05.9", "ge_02_Ax_fMRI_FF_I11.1_S15.9")
    made = assemble([scanned(n) for n in (*names, "ge_04_Ax_fMRI_FF_I01.1_S25.9")])
    assert [j.overlap_mm for j in made.joints] == pytest.approx([20.0, 20.0], abs=0.01)
    assert min(j.correlation for j in made.joints) > 0.85
    assert not codes(*made.joints)


@real
@pytest.mark.parametrize("name", ["ge_03_Ax_fMRI_FF_I21.1_S05.9", "ge_04_Ax_fMRI_FF_I01.1_S25.9"])
def test_a_head_first_station_is_not_merged_with_feet_first_ones(name):
    with pytest.raises(UnusableImages, match="different frames of reference") as caught:
        assemble([scanned(name), scanned("ge_06_Ax_fMRI_HF_I11.1_S15.9")])
    assert caught.value.code == "STATION_FRAME_MISMATCH"
