import numpy as np
import pytest

from imaging.anatomy import BONES, BY_NAME
from imaging.bone_groups import MET_RADS
from imaging.coverage import (
    TYPICAL_HEIGHT_MM,
    body_coverage,
    coverage_note,
    region_coverage,
)
from imaging.geometry import Geometry

GRID = Geometry.axial((20, 30, 30), (5.0, 2.0, 2.0), (-30.0, -30.0, 100.0))  # 0.02 mL a voxel
LUMBAR = BY_NAME["lumbar_spine"].label


def test_a_region_cut_by_the_end_of_the_images_is_covered_in_part():
    labels = np.zeros(GRID.shape, dtype=np.uint8)
    labels[0:10, 5:25, 5:25] = BY_NAME["femur_left"].label  # 50 mm of about 200
    labels[12:20, 5:25, 5:25] = LUMBAR  # 40 mm of about 180, cut at the top
    labels[11, 0, 0:3] = BY_NAME["sacrum"].label  # three voxels are a model's error
    coverage = region_coverage(labels, GRID)
    assert coverage["femur_left"] == pytest.approx(0.25)
    assert coverage["lumbar_spine"] == pytest.approx(40 / 180)
    assert coverage["sacrum"] is None


WHOLE = dict.fromkeys(TYPICAL_HEIGHT_MM, 1.0)


def test_a_whole_body_is_complete_though_thighs_are_cut():
    found = body_coverage(WHOLE | {"femur_left": 0.55, "femur_right": 0.5})
    assert (found.status, found.missing, found.cut) == ("complete", (), ())


@pytest.mark.parametrize(
    ("shares", "missing", "cut"),
    [
        ({"skull": None}, ("skull",), ()),
        ({"skull": 0.79}, (), ("skull",)),
        ({"femur_left": 0.49}, (), ("femur_left",)),
        ({"skull": None, "cervical_spine": 0.5}, ("skull",), ("cervical_spine",)),
    ],
)
def test_a_partial_body_names_what_is_missing_and_what_is_cut(shares, missing, cut):
    found = body_coverage(WHOLE | shares)
    assert (found.status, found.missing, found.cut) == ("partial", missing, cut)


def test_the_groups_of_met_rads_hold_every_bone_once():
    members = [bone.name for group in MET_RADS for bone in group.members]
    assert sorted(members) == sorted(bone.name for bone in BONES)
    by_name = {g.name: [m.name for m in g.members] for g in MET_RADS}
    # clinical_and_console.md A7.
    assert by_name["metrads_thorax"] == ["ribs", "sternum", "clavicles", "scapulae"]
    assert by_name["metrads_lumbosacral_spine"] == ["lumbar_spine", "sacrum"]


def test_the_note_names_the_regions_and_a_whole_body_has_none():
    assert coverage_note(body_coverage(WHOLE)) is None
    note = coverage_note(body_coverage(WHOLE | {"skull": None, "cervical_spine": 0.3}))
    assert (note.code, note.severity, note.measured) == ("PARTIAL_COVERAGE", "warning", 2.0)
    assert "not covered: Skull; cut: Cervical spine" in note.text
