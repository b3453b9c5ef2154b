"""Enhanced and legacy converted objects: one frame each, read from the right level only."""

import hashlib

import numpy as np
import pytest
from pydicom.uid import LegacyConvertedEnhancedMRImageStorage

from dicom_objects.reading.pixels import load_image
from tests.dicom_objects.reading.forms import (
    EXPECTED,
    enhanced,
    frame_groups,
    item,
    needs_scanners,
    read_one,
    real_frames,
    shared_groups,
)

STORED = np.arange(3 * 4 * 5, dtype=np.uint16).reshape(3, 4, 5)
DIRECTION = (0.6, 0.0, 0.8)


def groups():
    return [frame_groups(0.0, 0.0), frame_groups(5.0, 800.0, DIRECTION), frame_groups(10.0, 800.0)]


def test_each_frame_has_its_own_values_and_pixels(tmp_path):
    frames = read_one(enhanced(STORED, groups()), tmp_path)
    assert [f.frame_number for f in frames] == [1, 2, 3]
    assert [f.b.value for f in frames] == [0.0, 800.0, 800.0]
    assert {f.b.source for f in frames} == {"MRDiffusionSequence (0018,9087)"}
    assert [f.directionality for f in frames] == ["NONE", "DIRECTIONAL", "DIRECTIONAL"]
    assert [f.gradient for f in frames] == [None, DIRECTION, None]
    assert [f.plane.position_mm for f in frames] == [(1, 2, 0), (1, 2, 5), (1, 2, 10)]
    assert {f.plane.spacing_mm for f in frames} == {(2.0, 3.0)}
    assert {f.plane.frame_of_reference_uid for f in frames} == {"1.2.4"}
    assert {f.echo_time_ms for f in frames} == {66.5}
    assert {f.repeat for f in frames} == {("7", "3", "20260101120000", "1")}
    assert "DIFFUSION" in frames[0].image_type
    np.testing.assert_array_equal(load_image(frames), STORED * 2.0 - 4.0)
    np.testing.assert_array_equal(load_image(frames[::-1][:2]), STORED[:0:-1] * 2.0 - 4.0)


def test_a_frames_own_group_wins_over_the_shared_one(tmp_path):
    own = groups()
    own[1].PixelMeasuresSequence = [item(PixelSpacing=[1, 1])]
    frames = read_one(enhanced(STORED, own), tmp_path)
    assert [f.plane.spacing_mm for f in frames] == [(2, 3), (1, 1), (2, 3)]


def test_an_empty_own_value_gives_way_to_the_shared_one(tmp_path):
    own = groups()
    own[1].PixelMeasuresSequence = [item(PixelSpacing=None)]
    own[2].PixelMeasuresSequence = []
    frames = read_one(enhanced(STORED, own), tmp_path)
    assert {f.plane.spacing_mm for f in frames} == {(2.0, 3.0)}


def test_copies_in_private_sequences_and_at_the_top_are_not_read(tmp_path):
    own = groups()
    for one in own:
        block = one.private_block(0x2005, "Philips MR Imaging DD 005", create=True)
        copy = item(DiffusionBValue=None, ImagePositionPatient=[9, 9, 9], PixelSpacing=[8, 8])
        block.add_new(0x0F, "SQ", [copy])
    dataset = enhanced(STORED, own)
    dataset.ImagePositionPatient = [7, 7, 7]
    dataset.DiffusionBValue = 50.0
    frames = read_one(dataset, tmp_path)
    assert [f.plane.position_mm[2] for f in frames] == [0, 5, 10]
    assert [f.b.value for f in frames] == [0.0, 800.0, 800.0]


def test_legacy_converted_keeps_the_vendors_b_value_among_the_unassigned(tmp_path):
    own = []
    for k, b in enumerate(("0", "700", "700")):
        one = frame_groups(5.0 * k, 0.0)
        del one.MRDiffusionSequence
        left = item(EchoTime=71.0, SequenceName="*ep_b700t")
        block = left.private_block(0x0019, "SIEMENS MR HEADER", create=True)
        block.add_new(0x0C, "IS", b)
        one.UnassignedPerFrameConvertedAttributesSequence = [left]
        own.append(one)
    shared = shared_groups()
    del shared.MREchoSequence
    directed = item()
    words = directed.private_block(0x0019, "SIEMENS MR HEADER", create=True)
    words.add_new(0x0D, "CS", "ISOTROPIC")
    shared.UnassignedSharedConvertedAttributesSequence = [directed]
    dataset = enhanced(STORED, own, shared, LegacyConvertedEnhancedMRImageStorage)
    frames = read_one(dataset, tmp_path)
    assert [f.b.value for f in frames] == [0.0, 700.0, 700.0]
    assert {f.b.source for f in frames} == {"Siemens (0019,xx0C)"}
    assert {f.directionality for f in frames} == {"ISOTROPIC"}
    assert {f.echo_time_ms for f in frames} == {71.0}
    assert {f.sequence_name for f in frames} == {"*ep_b700t"}


def test_a_frame_without_its_position_has_no_plane(tmp_path):
    own = groups()
    del own[1].PlanePositionSequence
    frames = read_one(enhanced(STORED, own), tmp_path)
    assert [f.plane is None for f in frames] == [False, True, False]


@pytest.mark.parametrize("count", [0, 2])
def test_frames_and_groups_that_do_not_match_are_a_problem(tmp_path, count):
    (frame,) = read_one(enhanced(STORED, groups()[:count]), tmp_path)
    code, sentence = frame.problem
    assert code == "ENHANCED_INCOMPLETE"
    assert f"3 frames with functional groups for {count}" in sentence
    assert frame.plane is None


@needs_scanners
def test_canons_enhanced_and_classic_forms_are_the_same_volumes():
    case = "canon_v61_enhanced_and_classic"
    for folder in ("7000_classic", "7000_enhanced"):
        frames = real_frames(case, folder)
        for volume in EXPECTED[case]["equality_check"]["volumes"]:
            mine = sorted(
                (f for f in frames if _belongs(f, volume)),
                key=lambda f: np.dot(_normal(f), f.plane.position_mm),
            )
            stored = load_image(mine).astype("<i4")
            assert hashlib.sha256(stored.tobytes()).hexdigest() == volume["sha256"]


def _belongs(frame, volume):
    if frame.b.value != volume["b"]:
        return False
    return not volume["direction"] or np.allclose(frame.gradient, volume["direction"], atol=1e-3)


def _normal(frame):
    return np.cross(frame.plane.orientation[:3], frame.plane.orientation[3:])


@needs_scanners
def test_xa30_sends_one_volume_an_object():
    frames = real_frames("siemens_xa30_enhanced", "10_DWI_dir80_PA")
    assert len(frames) == 21 * 39
    assert len({f.sop_instance_uid for f in frames}) == 21
    assert {f.b.value for f in frames} == {0.0, 2500.0}
    assert len({f.gradient for f in frames if f.b.value}) == 20
