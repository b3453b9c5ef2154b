from dataclasses import replace

import numpy as np
import pytest

from imaging.anatomy import BY_NAME
from imaging.disease import DiseaseRule, disease_mask, patient_threshold
from imaging.geometry import Geometry
from imaging.morphology import closed, grown

GRID = Geometry.axial((12, 40, 40), (5.0, 2.5, 2.5), (0.0, 0.0, 0.0))  # 0.03125 mL a voxel
PELVIS, LIVER, CANAL, SKULL = (
    BY_NAME[n].label for n in ("pelvis", "liver", "spinal_canal", "skull")
)
# Numbers of the tests' own: the defaults are tuned on phantoms and may move.
RULE = DiseaseRule(
    lowest_threshold=0.35,
    marrow_factor=0.25 / 0.3,  # with the scene's marrow of 0.3 the threshold is 0.5
    highest_threshold=1.8,
    peak_factor=1.2,
    edge_fraction=0.0,
    adc_um2_s=(300.0, 2500.0),
    marrow_like_factor=1.6,
    bone_probability=0.3,
    bone_closing_mm=6.0,
    bone_margin_mm=2.5,
    skull_margin_mm=0.0,
    brain_margin_mm=0.0,
    organ_margin_mm=5.0,
    canal_margin_mm=2.5,
    min_volume_ml=0.1,
)


def scene():
    """Pelvis in columns 5-24 of signal 0.3 with a lesion of 64 voxels, 2 mL, of signal 1.4.

    Its lowest slice has the ADC of normal marrow.
    """
    labels = np.zeros(GRID.shape, dtype=np.uint8)
    labels[2:10, 10:30, 5:25] = PELVIS
    normalised = np.full(GRID.shape, 0.2, dtype=np.float32)
    normalised[labels == PELVIS] = 0.3
    adc = np.full(GRID.shape, 1200.0, dtype=np.float32)
    adc[2] = 420.0
    lesion = np.zeros(GRID.shape, dtype=bool)
    lesion[4:8, 15:19, 10:14] = True
    normalised[lesion] = 1.4
    return normalised, adc, labels, lesion


def found(normalised, adc, labels, rule=RULE, bone=None):
    bone = labels == PELVIS if bone is None else bone
    return disease_mask(normalised, adc, bone, labels, GRID, rule)


def test_raised_signal_inside_bone_is_disease():
    normalised, adc, labels, lesion = scene()
    result = found(normalised, adc, labels)
    np.testing.assert_array_equal(result.mask, lesion)
    assert (result.removed_organ_ml, result.removed_canal_ml) == (0.0, 0.0)


@pytest.mark.parametrize("value", [250.0, 2600.0, np.nan])
def test_implausible_or_missing_adc_is_not_disease(value):
    normalised, adc, labels, lesion = scene()
    adc[lesion] = value
    assert not found(normalised, adc, labels).mask.any()


def test_raised_signal_outside_bone_is_not_disease():
    normalised, adc, labels, _ = scene()
    normalised[4:8, 15:19, 30:34] = 1.4
    assert not found(normalised, adc, labels).mask[:, :, 28:].any()


def test_bone_that_the_labels_miss_is_searched_too():
    normalised, adc, labels, lesion = scene()
    labels[lesion] = 0  # a hole in the predicted bone, as wide as closing bridges
    wide = replace(RULE, bone_closing_mm=12.0)
    np.testing.assert_array_equal(found(normalised, adc, labels, wide).mask, lesion)
    probability = np.where(lesion | (labels == PELVIS), 0.35, 0.0)
    likely = found(normalised, adc, labels, replace(RULE, bone_closing_mm=0.0), probability)
    np.testing.assert_array_equal(likely.mask, lesion)


def test_organs_and_canal_take_their_part_out_and_it_is_counted():
    normalised, adc, labels, lesion = scene()
    labels[:, :, 25:35] = LIVER
    labels[:, 30:34, 5:25] = CANAL
    normalised[labels == LIVER] = 1.4
    normalised[labels == CANAL] = 1.4
    result = found(normalised, adc, labels)
    np.testing.assert_array_equal(result.mask, lesion)
    # In 8 slices the bone's margin of one pixel (ITK's ball takes the diagonal too) reaches 22
    # rows of the liver; of the canal's 20 pixels that it reaches, two lie within 5 mm of the
    # liver and count there. Half a slice of margin is too little to reach the next slice.
    assert result.removed_organ_ml == pytest.approx(8 * (22 + 2) * 0.03125)
    assert result.removed_canal_ml == pytest.approx(8 * (20 - 2) * 0.03125)


def test_specks_and_dim_components_are_left_out():
    normalised, adc, labels, lesion = scene()
    normalised[3, 25, 20:23] = 2.0  # 3 voxels, 0.09 mL
    normalised[9, 25, 8:16] = 0.55  # over the threshold 0.5, below the peak 0.6
    np.testing.assert_array_equal(found(normalised, adc, labels).mask, lesion)
    dim = found(normalised, adc, labels, replace(RULE, peak_factor=1.0))
    assert dim.mask[9, 25, 8:16].all()


def test_the_threshold_lies_between_cord_and_marrow_within_limits():
    normalised, _, labels, lesion = scene()
    adc = np.where(lesion, 1200.0, 420.0)

    def threshold(factor, adc=adc, labels=labels):
        return patient_threshold(normalised * np.float32(factor), adc, labels, RULE)

    # Marrow of 0.3 x factor: the square root of 0.25 x factor, between 0.35 and 1.8.
    assert threshold(1.0) == pytest.approx(0.5)
    assert threshold(4.0) == pytest.approx(1.0)
    assert threshold(16.0) == pytest.approx(1.8)
    assert threshold(0.25) == pytest.approx(0.35)
    # Without normal marrow (diseased all over, or not found) the cord alone is the reference.
    assert threshold(4.0, adc=adc * 3) == pytest.approx(1.0)
    assert threshold(4.0, labels=labels * 0) == pytest.approx(1.0)


def test_what_diffuses_like_normal_marrow_must_be_brighter():
    normalised, adc, labels, lesion = scene()
    adc[lesion] = 600.0
    normalised[lesion] = 0.79  # the threshold is 0.5, and 0.8 for marrow-like ADC
    assert not found(normalised, adc, labels).mask.any()
    normalised[lesion] = 0.81
    np.testing.assert_array_equal(found(normalised, adc, labels).mask, lesion)


def test_the_blurred_edge_of_a_lesion_is_trimmed():
    normalised, adc, labels, lesion = scene()
    edge = lesion.copy()
    edge[4:8, 19, 10:14] = True
    normalised[4:8, 19, 10:14] = 0.6
    whole = found(normalised, adc, labels, replace(RULE, edge_fraction=0.4))  # 0.56
    np.testing.assert_array_equal(whole.mask, edge)
    trimmed = found(normalised, adc, labels, replace(RULE, edge_fraction=0.5))  # 0.7
    np.testing.assert_array_equal(trimmed.mask, lesion)


def test_the_skull_is_not_grown_into_the_brain():
    normalised, adc, labels, _ = scene()
    labels[labels == PELVIS] = 0
    labels[2:10, 10:30, 5:8] = SKULL
    labels[2:10, 10:30, 20:23] = SKULL
    normalised[2:10, 12:28, 8:20] = 2.0  # brain
    bone = labels == SKULL
    assert not found(normalised, adc, labels, bone=bone).mask.any()
    grown_rule = replace(RULE, skull_margin_mm=2.5)
    assert found(normalised, adc, labels, grown_rule, bone).mask.any()


def test_the_inner_side_of_the_skull_is_left_to_the_brain():
    normalised, adc, labels, _ = scene()
    normalised[:] = 0.2
    labels[:] = 0
    labels[2:10, 8:32, 8:32] = SKULL
    labels[2:10, 12:28, 12:28] = 0
    normalised[2:10, 10:30, 10:30] = 2.0  # brain, and the half of the skull that it blurs into
    normalised[2:10, 8:10, 14:20] = 2.0  # disease of the outer half
    bone = labels == SKULL
    assert found(normalised, adc, labels, RULE, bone).mask[2:10, 10:12, 12:28].all()
    apart = replace(RULE, brain_margin_mm=5.0)
    mask = found(normalised, adc, labels, apart, bone).mask
    assert mask[2:10, 8:10, 14:20].all()
    assert not mask[2:10, 10:12, 12:28].any()


def test_growing_counts_in_millimetres():
    point = np.zeros(GRID.shape, dtype=bool)
    point[6, 20, 20] = True
    made = grown(point, GRID, 5.0)  # 1 slice and 2 pixels of 2.5 mm
    assert made[5:8, 20, 20].all()
    assert made[6, 18:23, 20].all()
    assert not made[6, 17, 20]
    assert not made[4, 20, 20]
    assert not made[6, 18, 18]
    np.testing.assert_array_equal(grown(point, GRID, 1.0), point)


def test_growing_stops_at_the_edge_and_shrinking_undoes_it():
    block = np.zeros(GRID.shape, dtype=bool)
    block[4:9, 10:20, 0:10] = True
    wide = grown(block, GRID, 5.0)
    assert wide[6, 15, 0:12].all()
    assert not wide[6, 15, 12:].any()
    np.testing.assert_array_equal(grown(wide, GRID, -5.0)[:, :, 2:], block[:, :, 2:])


def test_closing_fills_a_gap_and_keeps_the_outline():
    block = np.zeros(GRID.shape, dtype=bool)
    block[4:9, 10:20, 10:25] = True
    gap = block.copy()
    gap[:, :, 17] = False
    filled = closed(gap, GRID, 2.5)
    assert filled[4:9, 11:19, 17].all()
    assert not (filled & ~block).any()
    assert (filled >= gap).all()
