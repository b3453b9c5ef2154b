from __future__ import annotations

import numpy as np
import pytest

from imaging.focal import FocalInput
from imaging.focal_lesions import FOCAL_CLASSES, FocalLesions, focal_labels, threshold_of
from imaging.geometry import Geometry
from imaging.measurement import MeasurementSettings, measure_lesions
from imaging.model import ModelInput, ModelSpec
from imaging.provenance import ModelIdentity

GRID = Geometry.axial((8, 20, 20), (5.0, 4.0, 4.0), (0.0, 0.0, 0.0))  # 0.08 mL a voxel


def _spec(**thresholds: float) -> ModelSpec:
    return ModelSpec(
        "focal", "1", (), GRID.spacing_mm, "SPL", 8, 2, (1, 1, 1), FOCAL_CLASSES, "", thresholds
    )


@pytest.fixture
def scene():
    """A lesion of 8 voxels, one of 4 and a single voxel; half of the body without T1."""
    lesion = np.full(GRID.shape, 0.1, np.float32)
    lesion[2:4, 4:6, 4:6] = 0.9
    lesion[6, 4:8, 10] = 0.8
    lesion[0, 0, 0] = 1.0
    lesion[2:4, 15:17, 15:17] = 0.9  # where T1 shows nothing
    shown = np.ones(GRID.shape, np.bool_)
    shown[:, 12:] = False
    given = ModelInput(np.zeros((2, *GRID.shape), np.float32), GRID)
    adc = np.full(GRID.shape, 900.0, np.float32)
    adc[2, 4, 4] = np.nan
    return np.stack([1 - lesion, lesion]), FocalInput(given, shown, 0.0), adc


def test_lesions_are_numbered_where_t1_and_adc_are(scene):
    labels = focal_labels(*scene, GRID, 0.5)
    assert labels.dtype == np.uint16
    assert np.bincount(labels.reshape(-1))[1:].tolist() == [7, 4]  # 0.08 mL is below 0.1 mL
    assert labels[2, 4, 4] == 0
    assert not labels[:, 12:].any()


def test_a_higher_threshold_leaves_the_weaker_out(scene):
    assert focal_labels(*scene, GRID, 0.85).max() == 1


def test_a_high_threshold_does_not_shrink_a_lesion_on_the_way_to_the_images():
    """A block of 4 coarse voxels along each axis is 8 fine ones but for its corners."""
    coarse = Geometry.axial((8, 10, 10), (10.0, 8.0, 8.0), (2.0, 2.0, 2.5))
    fine = Geometry.axial((16, 20, 20), (5.0, 4.0, 4.0), (0.0, 0.0, 0.0))
    lesion = np.zeros(coarse.shape, np.float32)
    lesion[2:6, 3:7, 3:7] = 0.998
    looked = FocalInput(
        ModelInput(np.zeros((2, *coarse.shape), np.float32), coarse),
        np.ones(coarse.shape, np.bool_),
        0.0,
    )
    adc = np.full(fine.shape, 900.0, np.float32)
    counts = [
        np.count_nonzero(focal_labels(np.stack([1 - lesion, lesion]), looked, adc, fine, t))
        for t in (0.5, 0.995)
    ]
    assert counts == [8**3 - 8, 8**3 - 8]


def test_the_threshold_is_the_declared_one():
    assert threshold_of(_spec(lesion=0.35)) == 0.35
    assert threshold_of(_spec()) == 0.5


def test_focal_lesions_are_measured_as_lesions_are_and_named_apart(scene):
    labels = focal_labels(*scene, GRID, 0.5)
    anatomy = np.zeros(GRID.shape, np.uint8)
    first, second = measure_lesions(scene[2], anatomy, labels, GRID, MeasurementSettings(), "F")
    assert (first.name, second.name) == ("F01", "F02")
    assert first.volume_ml == pytest.approx(7 * 0.08)
    assert second.diameter_mm == pytest.approx(16.0)
    assert first.adc.median == 900.0


def test_the_list_says_that_it_is_no_burden(scene):
    identity = ModelIdentity("focal", "0.1.0", "ab")
    labels = focal_labels(*scene, GRID, 0.5)
    found = FocalLesions(identity, 0.55, (), labels, 0.6, 3.0)
    assert found.definition == "focal"
    assert found.in_words() == (
        "focal lesions by network focal 0.1.0, probability from 0.55 on, from 0.1 mL on; "
        "no part of TDV and gADC"
    )
