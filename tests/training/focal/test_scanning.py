from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import training.focal.scanning
from imaging.geometry import Geometry
from phantom.t1 import T1Scan
from tests.training.focal.test_cases import COARSE
from training.focal.cases import Wanted, focal_scan
from training.focal.scanning import missed_motion, scan_patient

QUICK = dataclasses.replace(
    COARSE, in_plane_mm=0.0, matrix=(), pixels_mm=(4.0, 4.8), misses=(1.0, 0.5)
)


@pytest.fixture
def quick(experiment):
    return dataclasses.replace(experiment, cohort=QUICK, spacing_mm=(10.0, 5.0, 5.0))


def test_who_is_fitted_is_scanned_quickly_and_nobody_else(quick, monkeypatch):
    asked = []

    def noted(experiment, seed, *, diseased, quickly):
        del experiment, diseased
        asked.append((seed, quickly))
        raise InterruptedError

    monkeypatch.setattr("training.focal.cases.scan_patient", noted)
    cohort = dataclasses.replace(
        QUICK, diseased_seeds="3101-3102", as_served_seeds="3102", validation_seeds="3109"
    )
    experiment = dataclasses.replace(quick, cohort=cohort)
    for seed in (3101, 3102, 3109):
        with pytest.raises(InterruptedError):
            focal_scan(experiment, Wanted(seed, diseased=True))
    assert asked == [(3101, True), (3102, False), (3109, False)]


def test_a_quick_scan_is_not_registered_and_has_the_pixels_that_were_asked(quick, monkeypatch):
    monkeypatch.setattr(training.focal.scanning, "registered_input", None)
    scans = scan_patient(quick, 3101, diseased=True, quickly=True)
    grid = scans.truth.geometry
    assert 4.0 <= grid.spacing_mm[1] == grid.spacing_mm[2] <= 4.8
    assert 400 < grid.shape[2] * grid.spacing_mm[2] < 560
    assert scans.given.geometry.spacing_mm == pytest.approx((10.0, 5.0, 5.0))
    t1, b1000 = scans.given.array
    shared = np.corrcoef((t1 > 0.1).ravel(), (b1000 > 0.1).ravel())[0, 1]
    assert shared > 0.3  # they show one body at one place


def test_the_error_of_the_motion_is_the_seeds_and_as_large_as_was_asked():
    grid = Geometry.axial((20, 30, 30), (10.0, 10.0, 10.0), (-150.0, -150.0, 0.0))
    truth = np.eye(4)
    truth[:3, 3] = (5.0, -3.0, 2.0)
    t1 = T1Scan(np.zeros((1, 1, 1), np.float32), grid, truth)
    middle = np.append(grid.to_patient_mm((np.array(grid.shape) - 1) / 2), 1)
    motions = [missed_motion(t1, grid, seed, QUICK) for seed in range(400)]
    misses = np.array([truth @ m @ middle - middle for m in motions])[:, :3]
    assert misses.std(axis=0) == pytest.approx((1.0, 1.0, 1.0), rel=0.12)
    turns = np.degrees([m[0, 1] for m in motions])
    assert np.std(turns) == pytest.approx(0.5, rel=0.12)
    assert np.array_equal(motions[7], missed_motion(t1, grid, 7, QUICK))
    none = dataclasses.replace(QUICK, misses=(0.0, 0.0))
    assert missed_motion(t1, grid, 1, none) == pytest.approx(np.linalg.inv(truth))
