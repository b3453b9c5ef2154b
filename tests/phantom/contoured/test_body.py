"""What must be true of a body, whoever drew it; tests/phantom/test_body.py asks it of the other."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from imaging.anatomy import BONES, BY_NAME, STRUCTURES
from phantom.acquisition import Protocol, body_grid
from phantom.body_models import BODY_MODELS, paint_body
from phantom.patient import BodyModelName, PatientOptions, make_patient
from phantom.t1 import T1Protocol, acquire_t1
from phantom.tissue import Tissue

CONTOURED = {"body_model": BodyModelName.CONTOURED}
SEEDS = (2, 4)

# mL; wide, because persons differ and the grid of these tests is coarse
RANGES = {
    "skull": (350, 1050), "cervical_spine": (35, 140), "thoracic_spine": (120, 520),
    "lumbar_spine": (90, 420), "sacrum": (100, 340), "pelvis": (300, 1200), "ribs": (180, 700),
    "sternum": (25, 150), "liver": (650, 2400), "spleen": (40, 420), "kidney_left": (60, 300),
    "kidney_right": (50, 300), "bladder": (35, 560), "spinal_canal": (70, 240),
    "femur_left": (80, 480), "femur_right": (80, 480),
}  # fmt: skip


def _centre(truth, name):
    inside = np.argwhere(truth.labels == BY_NAME[name].label)
    return truth.geometry.to_patient_mm(inside.mean(axis=0))


@pytest.mark.parametrize("seed", SEEDS)
def test_every_structure_is_there_in_its_place_with_a_human_volume(scan, seed):
    truth = scan(seed, **CONTOURED).truth
    counts = np.bincount(truth.labels.ravel(), minlength=len(STRUCTURES))
    volumes = {s.name: counts[s.label] * truth.geometry.voxel_volume_ml for s in STRUCTURES}
    for name, (low, high) in RANGES.items():
        assert low < volumes[name] < high, name
    for left, right in (("spleen", "liver"), ("kidney_left", "kidney_right"),
                        ("femur_left", "femur_right"), ("humerus_left", "humerus_right")):  # fmt: skip  # noqa: E501
        assert _centre(truth, left)[0] > _centre(truth, right)[0] + 60
    order = ["femur_left", "sacrum", "lumbar_spine", "thoracic_spine", "cervical_spine", "skull"]
    heights = [_centre(truth, name)[2] for name in order]
    assert heights == sorted(heights)
    assert _centre(truth, "sternum")[1] < _centre(truth, "thoracic_spine")[1]  # front is -y


def test_the_skeleton_hangs_together_and_organs_lie_inside():
    person = make_patient(4, PatientOptions(**CONTOURED))
    grid = body_grid(person, Protocol(in_plane_mm=4.0, matrix=(88, 120)))
    body = paint_body(person, grid)
    soft = np.isin(body.tissue, [Tissue.DISC, Tissue.CARTILAGE])
    bones = np.isin(body.labels, [s.label for s in BONES])
    near = ndimage.binary_dilation(bones | soft, iterations=2)  # joints have a gap
    parts, _ = ndimage.label(near)
    sizes = np.bincount(parts.ravel())[1:]
    assert sizes.max() / sizes.sum() > 0.99
    trunk = ndimage.binary_fill_holes(body.tissue > 0)
    for name in ("liver", "spleen", "kidney_left", "kidney_right", "bladder"):
        organ = body.labels == BY_NAME[name].label
        assert (ndimage.distance_transform_edt(trunk, grid.spacing_mm)[organ] > 8).all(), name


def test_it_is_another_body_of_the_same_seed(scan):
    one, two = scan(4).truth, scan(4, **CONTOURED).truth
    assert one.geometry.shape != two.geometry.shape or not np.array_equal(one.labels, two.labels)
    assert scan(4, **CONTOURED).body_model == "contoured"
    with pytest.raises(ValueError, match="no habitus"):
        _ = make_patient(4, PatientOptions(**CONTOURED)).habitus
    assert set(BODY_MODELS) == set(BodyModelName)


def test_disease_lies_in_bone_and_leaves_the_anatomy_alone(scan):
    truth = scan(2, lesion_count=12, **CONTOURED).truth
    assert len(truth.lesions) >= 8
    bones = {s.label for s in BONES}
    assert set(np.unique(truth.labels[truth.lesion_labels > 0])) <= bones
    healthy = scan(2, diseased=False, **CONTOURED).truth
    assert np.array_equal(healthy.labels, truth.labels)
    assert healthy.tdv_ml == 0
    assert truth.tdv_ml == pytest.approx(sum(lesion.volume_ml for lesion in truth.lesions))


def test_it_has_a_t1_scan_too():
    person = make_patient(2, PatientOptions(**CONTOURED))
    body = paint_body(
        person, body_grid(person, Protocol(slice_mm=20, in_plane_mm=8, matrix=(44, 60)))
    )
    image = acquire_t1(person, body, T1Protocol(8.0, 6.0, noise=False)).image
    assert image.max() > 150
    assert image.min() >= 0
