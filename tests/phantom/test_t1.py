from __future__ import annotations

import hashlib
from functools import cache

import numpy as np
import pytest

from imaging.resampling import resample
from phantom.acquisition import Protocol, acquire, body_grid
from phantom.body import paint_body
from phantom.patient import make_patient
from phantom.t1 import T1Protocol, acquire_t1, t1_signal
from phantom.tissue import Tissue

COARSE = Protocol(slice_mm=20.0, in_plane_mm=8.0, matrix=(44, 60))
SMALL = T1Protocol(slice_mm=8.0, in_plane_mm=6.0)


@cache
def painted(seed=3):
    person = make_patient(seed)
    return person, paint_body(person, body_grid(person, COARSE))


def test_the_diffusion_scan_is_what_it_was_before_there_was_t1():
    person, body = painted()
    acquire_t1(person, body, SMALL)
    found = acquire(person, COARSE)
    truth = found.truth.labels.tobytes() + found.truth.lesion_labels.tobytes()
    # Written down at 1f0ee77, the commit before phantom/t1.py.
    assert hashlib.sha256(truth).hexdigest() == (
        "adc76b9b0652486c59d5c6d69b93f826e6bba6542204ca2d57eb9d503d9f4065"
    )
    # Sums, since another processor may round the exponential otherwise.
    sums = [float(s.volume.high_b.sum(dtype=np.float64)) for s in found.stations]
    assert sums == pytest.approx(
        [89750.875323, 100922.765937, 95302.040964, 79306.897139, 92253.349512], rel=1e-6
    )


def test_a_body_that_is_given_is_the_one_that_would_be_painted():
    person, body = painted()
    given, made = acquire(person, COARSE, body), acquire(person, COARSE)
    assert np.array_equal(given.truth.labels, made.truth.labels)
    for one, two in zip(given.stations, made.stations, strict=True):
        assert np.array_equal(one.volume.high_b, two.volume.high_b)


def test_equal_persons_give_equal_scans_and_others_another_motion():
    person, body = painted()
    one, two = acquire_t1(person, body, SMALL), acquire_t1(person, body, SMALL)
    assert np.array_equal(one.image, two.image)
    other, other_body = painted(4)
    moved = acquire_t1(other, other_body, SMALL).to_diffusion
    assert not np.allclose(one.to_diffusion, moved)


def test_fat_is_bright_marrow_between_and_lesions_dark():
    _, body = painted()
    signal = t1_signal(body, np.random.default_rng(1))
    by_tissue = {t: float(np.median(signal[body.tissue == t])) for t in Tissue if t in body.tissue}
    assert by_tissue[Tissue.FAT] > 1.4 * by_tissue[Tissue.MARROW]
    assert by_tissue[Tissue.MARROW] > 1.3 * by_tissue[Tissue.MUSCLE]
    assert by_tissue[Tissue.MARROW] > 1.3 * by_tissue[Tissue.LESION]
    assert by_tissue[Tissue.CORTEX] < 0.3 * by_tissue[Tissue.MUSCLE]


def test_the_grid_is_its_own_and_covers_the_body_and_motion_is_small():
    person, body = painted()
    scan = acquire_t1(person, body, SMALL)
    assert scan.geometry.spacing_mm == pytest.approx((8.0, 6.0, 6.0))
    assert not scan.geometry.matches(body.geometry)
    corners = scan.geometry.to_patient_mm([(0, 0, 0), np.array(scan.geometry.shape) - 1])
    ends = body.geometry.to_patient_mm([(0, 0, 0), np.array(body.geometry.shape) - 1])
    assert np.abs(corners - ends).max() <= 8.0
    turn = scan.to_diffusion[:3, :3]
    assert turn @ turn.T == pytest.approx(np.eye(3))
    angle = np.degrees(np.arccos((np.trace(turn) - 1) / 2))
    assert 0 < angle <= np.sqrt(3) * 1.0 + 1e-6


def test_moved_back_by_the_truth_it_lies_on_the_body():
    person, body = painted()
    ideal = T1Protocol(slice_mm=8.0, in_plane_mm=6.0, noise=False)
    scan = acquire_t1(person, body, ideal)
    fat = (body.tissue == Tissue.FAT).astype(np.float32)
    placed = type(scan.geometry)(scan.geometry.shape, scan.to_diffusion @ scan.geometry.affine)
    back = resample(scan.image, placed, body.geometry)
    unmoved = resample(scan.image, scan.geometry, body.geometry)
    agreement, before = (np.corrcoef(i.ravel(), fat.ravel())[0, 1] for i in (back, unmoved))
    assert agreement > 0.5  # fat is a thin layer on voxels of 8 mm
    assert agreement > before + 0.05
