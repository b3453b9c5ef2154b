from __future__ import annotations

import numpy as np
import pytest

from imaging.adc import fit_adc
from imaging.errors import UnusableImages
from imaging.geometry import Geometry
from imaging.multimodal import on_grid, rigid_motion
from imaging.stations import assemble
from phantom.acquisition import Protocol, acquire, body_grid
from phantom.body import paint_body
from phantom.patient import make_patient
from phantom.t1 import T1Protocol, acquire_t1

COARSE = Protocol(slice_mm=10.0, in_plane_mm=5.0, matrix=(64, 88))


def _miss_mm(found, true, geometry):
    """Distances between where two motions put points that lie in the body."""
    axes = [np.linspace(0.2 * (n - 1), 0.8 * (n - 1), 4) for n in geometry.shape]
    index = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    points = np.c_[geometry.to_patient_mm(index), np.ones(len(index))]
    return np.linalg.norm((points @ (found - true).T)[:, :3], axis=1)


def test_t1_of_a_phantom_is_registered_within_a_voxel():
    person = make_patient(4)
    body = paint_body(person, body_grid(person, COARSE))
    volume = assemble(acquire(person, COARSE, body).stations).volume
    scan = acquire_t1(person, body, T1Protocol(5.0, 4.0))
    fit = fit_adc(volume)
    found = rigid_motion((fit.s0, volume.geometry), (scan.image, scan.geometry))
    true = np.linalg.inv(scan.to_diffusion)
    assert _miss_mm(np.eye(4), true, volume.geometry).mean() > 6
    assert _miss_mm(found, true, volume.geometry).max() < 4.0


def test_registration_is_repeatable():
    rng = np.random.default_rng(1)
    geometry = Geometry.axial((12, 24, 24), (4.0, 3.0, 3.0), (0.0, 0.0, 0.0))
    image = rng.random((12, 24, 24)).astype(np.float32)
    image[3:9, 6:18, 8:16] += 4
    first = rigid_motion((image, geometry), (8 - image, geometry))
    assert np.array_equal(first, rigid_motion((image, geometry), (8 - image, geometry)))


def test_a_known_shift_puts_a_voxel_where_it_belongs():
    geometry = Geometry.axial((4, 6, 8), (5.0, 2.0, 2.0), (0.0, 0.0, 0.0))
    image = np.zeros((4, 6, 8), np.float32)
    image[1, 2, 5] = 7.0
    motion = np.eye(4)
    motion[:3, 3] = (4.0, -2.0, 5.0)  # fixed mm → moving mm: two columns, one row back, one slice
    moved = on_grid(image, geometry, motion, geometry)
    assert np.argwhere(moved > 0).tolist() == [[0, 3, 3]]
    assert moved[0, 3, 3] == pytest.approx(7.0)


def test_voxels_that_grow_hold_the_mean_of_what_they_cover():
    fine = Geometry.axial((12, 12, 12), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0))
    coarse = Geometry.axial((4, 4, 4), (3.0, 3.0, 3.0), (1.0, 1.0, 1.0))
    noise = np.random.default_rng(2).normal(0, 1, fine.shape).astype(np.float32)
    found = on_grid(noise, fine, np.eye(4), coarse)
    picked = noise[1::3, 1::3, 1::3]
    means = noise.reshape(4, 3, 4, 3, 4, 3).mean(axis=(1, 3, 5))
    assert np.corrcoef(found.reshape(-1), means.reshape(-1))[0, 1] > 0.7  # one voxel of 27 has 0.19
    assert found.std() < 0.5 * picked.std()
    same = on_grid(noise, fine, np.eye(4), fine)
    assert np.array_equal(same, noise)


def test_scans_that_share_nothing_are_refused_with_a_code():
    here = Geometry.axial((12, 24, 24), (4.0, 3.0, 3.0), (0.0, 0.0, 0.0))
    far = Geometry.axial((12, 24, 24), (4.0, 3.0, 3.0), (0.0, 0.0, 900.0))
    image = np.random.default_rng(1).random((12, 24, 24)).astype(np.float32)
    with pytest.raises(UnusableImages, match="share too little") as caught:
        rigid_motion((image, here), (image, far))
    assert caught.value.code == "NOT_REGISTERED"
