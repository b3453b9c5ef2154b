from math import log

import numpy as np
import pytest

from imaging.anatomy import BONES, BY_NAME
from imaging.disease import DiseaseMask
from imaging.geometry import Geometry
from imaging.lesions import find_lesions
from imaging.measurement import MeasurementSettings, measure

GRID = Geometry.axial((20, 30, 30), (5.0, 2.0, 2.0), (-30.0, -30.0, 100.0))  # 0.02 mL a voxel
LUMBAR, PELVIS, SACRUM = (BY_NAME[n].label for n in ("lumbar_spine", "pelvis", "sacrum"))


def scene():
    """Lumbar spine over pelvis; one lesion across both and a little beyond, one in the pelvis."""
    labels = np.zeros(GRID.shape, dtype=np.uint8)
    labels[10:18, 10:20, 10:20] = LUMBAR  # 800 voxels, 16 mL
    labels[2:10, 5:25, 5:25] = PELVIS  # 3200 voxels, 64 mL
    mask = np.zeros(GRID.shape, dtype=bool)
    mask[9:14, 12:16, 14:22] = True  # 160 voxels: slice 9 pelvis 32, 10-13 lumbar 96, outside 32
    mask[3, 6, 6:12] = True  # 6 voxels, 0.12 mL
    adc = np.full(GRID.shape, 1000.0, dtype=np.float32)
    adc[9] = 800.0
    adc[3] = 1500.0
    return adc, labels, mask


def measured(adc, labels, mask, settings=None):
    disease = DiseaseMask(mask, removed_organ_ml=1.5, removed_canal_ml=0.25)
    lesions = find_lesions(mask, GRID)
    return measure(adc, labels, disease, lesions, GRID, settings or MeasurementSettings())


def test_totals_worked_out_by_hand():
    found = measured(*scene())
    assert found.tdv_ml == pytest.approx(166 * 0.02)
    assert found.log_tdv == pytest.approx(log(3.32))
    assert found.adc.median == 1000.0
    assert found.adc.mean == pytest.approx((32 * 800 + 128 * 1000 + 6 * 1500) / 166)
    assert found.classes.low_ml == pytest.approx(0.64)
    assert found.classes.intermediate_ml == pytest.approx(2.56)
    assert found.classes.high_ml == pytest.approx(0.12)
    assert found.thresholds_um2_s == (900.0, 1400.0)
    assert (found.removed_organ_ml, found.removed_canal_ml) == (1.5, 0.25)
    assert found.n_lesions == 2


def test_regions_add_up_and_stray_voxels_follow_their_lesion():
    found = measured(*scene())
    rows = {r.name: r for r in found.regions}
    assert [r.name for r in found.regions] == [b.name for b in BONES] + ["whole_skeleton"]
    # 96 voxels inside the lumbar spine and the 32 beyond it.
    assert rows["lumbar_spine"].disease_volume_ml == pytest.approx(128 * 0.02)
    assert rows["pelvis"].disease_volume_ml == pytest.approx(38 * 0.02)
    assert rows["whole_skeleton"].disease_volume_ml == pytest.approx(found.tdv_ml)
    assert rows["whole_skeleton"].n_lesions == 2
    assert (rows["lumbar_spine"].n_lesions, rows["pelvis"].n_lesions) == (1, 1)
    assert rows["lumbar_spine"].bone_volume_ml == pytest.approx(16.0)
    assert rows["whole_skeleton"].bone_volume_ml == pytest.approx(80.0)
    assert rows["pelvis"].adc.minimum == 800.0
    assert rows["skull"].coverage is None
    assert rows["skull"].adc is None
    assert rows["pelvis"].coverage == 1.0
    assert rows["whole_skeleton"].coverage == pytest.approx(2 / len(BONES))


def test_lesions_worked_out_by_hand():
    first, second = measured(*scene()).lesions
    assert (first.label, first.name, first.region) == (1, "L01", "lumbar_spine")
    assert first.volume_ml == pytest.approx(3.2)
    assert first.evaluable
    # Middle of slices 9-13, rows 12-15, columns 14-21 from the origin (-30, -30, 100).
    assert first.centroid_mm == pytest.approx((-30 + 35, -30 + 27, 100 + 55))
    assert first.classes.low_ml == pytest.approx(0.64)
    assert (second.name, second.region, second.evaluable) == ("L02", "pelvis", False)
    assert second.adc.median == 1500.0
    assert second.diameter_mm == pytest.approx(12.0)


def test_half_a_millilitre_is_evaluated():
    adc, labels, _ = scene()
    mask = np.zeros(GRID.shape, dtype=bool)
    mask[3, 6, 5:25] = True
    mask[3, 7, 5:10] = True  # 25 voxels, 0.5 mL exactly
    assert measured(adc, labels, mask).lesions[0].evaluable


def test_thresholds_are_settings():
    found = measured(*scene(), MeasurementSettings(thresholds_um2_s=(500.0, 900.0)))
    assert found.classes.intermediate_ml == pytest.approx(0.64)
    assert found.thresholds_um2_s == (500.0, 900.0)


def test_a_lesion_that_touches_no_bone_belongs_to_the_nearest():
    adc, labels, _ = scene()
    labels[0:2, 0:3, 0:3] = SACRUM
    mask = np.zeros(GRID.shape, dtype=bool)
    mask[15, 22, 10:16] = True
    (lesion,) = measured(adc, labels, mask).lesions
    assert lesion.region == "lumbar_spine"


def test_no_disease():
    adc, labels, mask = scene()
    found = measured(adc, labels, mask & False)
    assert (found.tdv_ml, found.log_tdv, found.adc, found.lesions) == (0.0, None, None, ())


def test_a_lesion_without_adc_is_a_defect_and_not_a_guess():
    adc, labels, mask = scene()
    with pytest.raises(ValueError, match="no voxel with a valid ADC"):
        measured(np.full_like(adc, np.nan), labels, mask)


def test_groups_of_met_rads_add_up_to_the_whole():
    found = measured(*scene())
    rows = {r.name: r for r in found.met_rads}
    assert len(rows) == 7
    assert rows["metrads_lumbosacral_spine"].disease_volume_ml == pytest.approx(128 * 0.02)
    assert rows["metrads_pelvis"].disease_volume_ml == pytest.approx(38 * 0.02)
    assert sum(r.disease_volume_ml for r in found.met_rads) == pytest.approx(found.tdv_ml)
    assert sum(r.n_lesions for r in found.met_rads) == found.n_lesions
    assert sum(r.bone_volume_ml for r in found.met_rads) == pytest.approx(80.0)
    # The lumbar spine is whole, the sacrum is not in the labels: half of the group is covered.
    assert rows["metrads_lumbosacral_spine"].coverage == pytest.approx(0.5)
    assert rows["metrads_skull"].coverage is None


def test_published_bins_stand_beside_the_classes():
    found = measured(*scene())
    crpc, mhnpc = found.binnings
    # 32 voxels at 800, 128 at 1000, 6 at 1500.
    assert crpc.bins.name == "crpc_mdv"
    assert crpc.volumes_ml == pytest.approx((0.64, 2.56, 0.12))
    assert mhnpc.volumes_ml == pytest.approx((0.64, 2.68))
    assert crpc.outside_ml == 0.0


def test_shares_of_the_classes():
    lesion = measured(*scene()).lesions[0]
    assert lesion.classes.shares == pytest.approx((0.2, 0.8, 0.0))  # 32 of 160 voxels are low
    assert measured(*scene()).regions[0].classes.shares is None


def test_a_body_without_a_skull_is_partial_and_says_so():
    found = measured(*scene())
    assert found.coverage_status == "partial"
    assert "skull" in found.coverage.missing
    assert "pelvis" not in found.coverage.missing


def boxed(shape, spacing_mm, affine=None):
    """A box of `shape` voxels in bone, measured; returns the one lesion and the voxel volume."""
    size = tuple(n + 4 for n in shape)
    grid = Geometry.axial(size, spacing_mm, (0.0, 0.0, 0.0))
    if affine is not None:
        grid = Geometry(size, affine)
    mask = np.zeros(size, dtype=bool)
    mask[tuple(slice(2, n + 2) for n in shape)] = True
    labels = np.where(mask, np.uint8(PELVIS), np.uint8(0))
    adc = np.full(size, 1000.0, dtype=np.float32)
    disease = DiseaseMask(mask, 0.0, 0.0)
    found = measure(adc, labels, disease, find_lesions(mask, grid), grid, MeasurementSettings())
    return found.lesions[0]


def test_a_box_of_anisotropic_voxels_worked_out_by_hand():
    lesion = boxed((4, 8, 10), (5.0, 2.0, 1.5))
    assert lesion.volume_ml == pytest.approx(20 * 16 * 15 / 1000)
    # Between the outermost centres: 15, 14 and 13.5 mm, and one voxel along that direction.
    inner = np.array([15.0, 14.0, 13.5])
    end = np.linalg.norm(inner / np.linalg.norm(inner) * [5.0, 2.0, 1.5])
    assert lesion.diameter_mm == pytest.approx(np.linalg.norm(inner) + end)
    # The box's own diagonal is hypot(20, 16, 15) = 29.7 mm; the measure stays within a voxel.
    assert abs(lesion.diameter_mm - np.linalg.norm([20, 16, 15])) < 3.0


def test_a_rod_of_oblique_voxels_keeps_volume_and_length():
    turn = np.radians(30)
    affine = np.eye(4)
    # Slices of 5 mm tilted by 30 degrees about x, pixels of 2 mm.
    affine[:3, 0] = np.array([0, -np.sin(turn), np.cos(turn)]) * 5.0
    affine[:3, 1] = np.array([0, np.cos(turn), np.sin(turn)]) * 2.0
    affine[:3, 2] = np.array([1, 0, 0]) * 2.0
    lesion = boxed((6, 1, 1), (5.0, 2.0, 2.0), affine)
    assert lesion.volume_ml == pytest.approx(6 * 5 * 2 * 2 / 1000)
    assert lesion.diameter_mm == pytest.approx(30.0)


def test_sheared_voxels_count_by_positions():
    # Each slice moves 3 mm back: the slice step is (0, 3, 5), its volume still 5 x 2 x 2.
    affine = np.eye(4)
    affine[:3, :3] = [[0, 0, 2], [3, 2, 0], [5, 0, 0]]
    lesion = boxed((10, 1, 1), (5.0, 2.0, 2.0), affine)
    assert lesion.volume_ml == pytest.approx(10 * 20 / 1000)
    assert lesion.diameter_mm == pytest.approx(10 * np.hypot(3, 5))
