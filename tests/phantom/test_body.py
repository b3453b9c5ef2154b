from __future__ import annotations

import hashlib

import numpy as np
import pytest

from imaging.anatomy import BONES, BY_NAME, STRUCTURES
from phantom.acquisition import Protocol, body_grid
from phantom.body import paint_body
from phantom.patient import make_patient

SEEDS = (1, 2, 14)
VERY_COARSE = Protocol(slice_mm=20.0, in_plane_mm=8.0, matrix=(44, 60))

# mL; wide, because persons differ and the grid of these tests is coarse
RANGES = {
    "skull": (350, 1050), "cervical_spine": (45, 140), "thoracic_spine": (150, 520),
    "lumbar_spine": (120, 420), "sacrum": (100, 340), "pelvis": (400, 1200), "ribs": (200, 700),
    "sternum": (35, 150), "liver": (650, 2400), "spleen": (60, 420), "kidney_left": (60, 300),
    "kidney_right": (60, 300), "bladder": (35, 560), "spinal_canal": (70, 210),
    "femur_left": (100, 480), "femur_right": (100, 480),
}  # fmt: skip


def _centre(truth, name):
    inside = np.argwhere(truth.labels == BY_NAME[name].label)
    return truth.geometry.to_patient_mm(inside.mean(axis=0))


@pytest.mark.parametrize("seed", SEEDS)
def test_every_structure_is_there_with_a_human_volume(scan, seed):
    truth = scan(seed).truth
    counts = np.bincount(truth.labels.ravel(), minlength=len(STRUCTURES))
    assert (counts[1:] > 0).all(), [s.name for s in STRUCTURES if counts[s.label] == 0]
    volumes = {s.name: counts[s.label] * truth.geometry.voxel_volume_ml for s in STRUCTURES}
    for name, (low, high) in RANGES.items():
        assert low < volumes[name] < high, name
    skeleton = sum(volumes[s.name] for s in BONES)
    assert 2000 < skeleton < 6500


@pytest.mark.parametrize("seed", SEEDS)
def test_left_is_positive_x_and_head_is_up(scan, seed):
    truth = scan(seed).truth
    for left, right in (
        ("spleen", "liver"),
        ("kidney_left", "kidney_right"),
        ("femur_left", "femur_right"),
        ("humerus_left", "humerus_right"),
    ):
        assert _centre(truth, left)[0] > _centre(truth, right)[0] + 60
    order = ["femur_left", "sacrum", "lumbar_spine", "thoracic_spine", "cervical_spine", "skull"]
    heights = [_centre(truth, name)[2] for name in order]
    assert heights == sorted(heights)
    assert _centre(truth, "sternum")[1] < _centre(truth, "thoracic_spine")[1]  # front is -y


@pytest.mark.parametrize("seed", SEEDS[:2])
def test_disease_lies_in_bone_and_bone_keeps_its_label(scan, seed):
    truth = scan(seed).truth
    bones = {s.label for s in BONES}
    assert truth.lesions
    assert set(np.unique(truth.labels[truth.lesion_labels > 0])) <= bones
    healthy = scan(seed, diseased=False).truth
    assert np.array_equal(healthy.labels, truth.labels)  # disease does not change the anatomy
    assert healthy.tdv_ml == 0


def test_truth_adds_up(scan):
    truth = scan(9).truth
    disease = truth.lesion_labels > 0
    volume = truth.geometry.voxel_volume_ml
    assert truth.tdv_ml == pytest.approx(disease.sum() * volume)
    assert truth.tdv_ml == pytest.approx(sum(lesion.volume_ml for lesion in truth.lesions))
    assert truth.gadc_um2_s == pytest.approx(np.median(truth.adc_um2_s[disease]))
    assert [lesion.label for lesion in truth.lesions] == list(range(1, len(truth.lesions) + 1))
    for lesion in truth.lesions:
        assert (truth.lesion_labels == lesion.label).sum() * volume == pytest.approx(
            lesion.volume_ml
        )


def test_asked_lesions_are_planted(scan):
    truth = scan(4, lesion_count=6).truth
    assert 3 <= len(truth.lesions) <= 6  # the smallest may fall between coarse slices


@pytest.mark.parametrize(("seed", "digest"), [(0, "31c21afc17e7c12b"), (5, "bd68a5943ae28642")])
def test_bodies_are_those_that_models_were_trained_on(seed, digest):
    person = make_patient(seed)
    body = paint_body(person, body_grid(person, VERY_COARSE))
    arrays = (body.tissue, body.labels, body.lesions.index)
    # Written down at 27da249, the commit before there was another body model.
    assert hashlib.sha256(b"".join(a.tobytes() for a in arrays)).hexdigest()[:16] == digest
