"""Disease from a network's probability, and the input that the network is given."""

import numpy as np
import pytest

from imaging.adc import fit_adc
from imaging.anatomy import BY_NAME, SPINAL_CANAL
from imaging.burden import DISEASE_CLASSES, Seen, burden_mask, disease_input
from imaging.diffusion import DiffusionVolume
from imaging.errors import ModelMismatch
from imaging.geometry import Geometry
from imaging.labelling import Anatomy
from imaging.model import Channel, ModelSpec

GRID = Geometry.axial((6, 32, 32), (5.0, 2.0, 2.0), (0.0, 0.0, 0.0))  # 0.02 mL a voxel


def spec(*quantities, thresholds=None):
    return ModelSpec(
        name="disease",
        version="1",
        channels=tuple(Channel(q, "fixed", 1.0, 4.0) for q in quantities),
        spacing_mm=(5.0, 2.0, 2.0),
        orientation="SPL",
        slab_slices=8,
        slab_overlap=0,
        divisor=(1, 1, 1),
        classes=DISEASE_CLASSES,
        sha256="",
        thresholds=thresholds or {},
    )


@pytest.fixture
def seen():
    """A body of signal 100 with ADC 1000, a bone, an organ and the canal beside each other."""
    body = np.zeros(GRID.shape, np.float32)
    body[:, 4:28, 4:28] = 100.0
    images = {50.0: body * np.float32(np.exp(-0.05)), 900.0: body * np.float32(np.exp(-0.9))}
    fit = fit_adc(DiffusionVolume(GRID, images))
    labels = np.zeros(GRID.shape, np.uint8)
    labels[:, 8:12, 8:20] = BY_NAME["pelvis"].label
    labels[:, 12:16, 8:20] = BY_NAME["liver"].label
    labels[:, 16:20, 8:20] = SPINAL_CANAL.label
    bone = (labels == BY_NAME["pelvis"].label).astype(np.float32) * np.float32(0.75)
    return Seen(fit, np.full(GRID.shape, 1.5, np.float32), Anatomy(labels, bone), GRID)


def answer(disease):
    return np.stack([1.0 - disease, disease]).astype(np.float32)


def test_organs_and_canal_are_taken_out_and_told(seen):
    disease = np.zeros(GRID.shape, np.float32)
    disease[2, 8:20, 10] = 0.8  # four voxels each of bone, organ and canal
    found = burden_mask(answer(disease), GRID, seen, spec("s0"))
    assert np.array_equal(np.argwhere(found.mask), [[2, row, 10] for row in range(8, 12)])
    assert found.removed_organ_ml == pytest.approx(4 * 0.02)
    assert found.removed_canal_ml == pytest.approx(4 * 0.02)
    assert found.threshold == 0.5


def test_the_threshold_is_the_declaration_s(seen):
    disease = np.zeros(GRID.shape, np.float32)
    disease[2, 8, 10], disease[2, 9, 10] = 0.35, 0.25
    lower = spec("s0", thresholds={"disease": 0.3})
    assert burden_mask(answer(disease), GRID, seen, lower).mask.sum() == 1
    assert burden_mask(answer(disease), GRID, seen, spec("s0")).mask.sum() == 0


def test_a_voxel_without_valid_adc_is_never_disease(seen):
    disease = np.ones(GRID.shape, np.float32)
    found = burden_mask(answer(disease), GRID, seen, spec("s0"))
    assert not found.mask[np.isnan(seen.fit.adc_um2_s)].any()
    assert found.mask[2, 9, 10]


def test_probability_comes_back_from_a_coarser_grid(seen):
    coarse = Geometry.axial((6, 16, 16), (5.0, 4.0, 4.0), (1.0, 1.0, 0.0))
    disease = np.zeros(coarse.shape, np.float32)
    disease[2, 4:6, 4:10] = 1.0  # rows 8-11, columns 8-19 of the fine grid
    found = burden_mask(answer(disease), coarse, seen, spec("s0"))
    assert found.mask[2].sum() == pytest.approx(4 * 12, abs=4)


def test_the_network_is_given_signal_adc_and_bone(seen):
    given = disease_input(seen, spec("normalised_high_b", "bone_probability", "adc_um2_s"))
    assert given.array[0] == pytest.approx(np.full_like(given.array[0], 1.5))
    assert given.array[1].max() == pytest.approx(0.75)
    assert given.array[2].max() == pytest.approx(4.0)  # clipped


def test_an_unknown_channel_is_refused_by_name(seen):
    with pytest.raises(ModelMismatch, match="fat_fraction"):
        disease_input(seen, spec("fat_fraction"))
