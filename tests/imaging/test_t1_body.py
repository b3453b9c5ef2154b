from __future__ import annotations

import numpy as np
import pytest

from imaging.diffusion import DiffusionVolume, Station
from imaging.errors import UnusableImages
from imaging.geometry import Geometry
from imaging.t1_body import assemble_t1

# What the signal is at (x, y, z) mm: unlike its neighbours, so that a place is right or wrong.
GRADIENT = np.array([1.0, 3.0, 0.5])


def _station(name: str, geometry: Geometry) -> Station:
    index = np.stack(np.meshgrid(*map(np.arange, geometry.shape), indexing="ij"), axis=-1)
    signal = 1000 + geometry.to_patient_mm(index) @ GRADIENT
    return Station(name, DiffusionVolume(geometry, {0.0: signal.astype(np.float32)}))


def _coronal(z_top_mm: float, slice_mm: float) -> Geometry:
    """Slices from front to back, rows downwards, columns to the left."""
    affine = np.eye(4)
    affine[:3, 0] = (0, slice_mm, 0)
    affine[:3, 1] = (0, 0, -4.0)
    affine[:3, 2] = (3.0, 0, 0)
    affine[:3, 3] = (-60.0, -50.0, z_top_mm)
    return Geometry((round(100 / slice_mm), 30, 40), affine)


def _right(image) -> None:
    """Every voxel that is not of the edge holds the signal of its place."""
    inner = np.stack(
        np.meshgrid(*[np.arange(1, n - 1) for n in image.geometry.shape], indexing="ij"), axis=-1
    )
    expected = 1000 + image.geometry.to_patient_mm(inner) @ GRADIENT
    assert image.image[tuple(np.moveaxis(inner, -1, 0))] == pytest.approx(expected, rel=1e-3)


def test_axial_stations_become_one_body_in_any_order():
    low, high = (
        _station(name, Geometry.axial((10, 20, 24), (5.0, 4.0, 4.0), (-48.0, -40.0, z)))
        for name, z in (("low", 0.0), ("high", 40.0))
    )
    found = assemble_t1([high, low])
    assert found.geometry.shape == (18, 20, 24)
    _right(found)


def test_coronal_stations_are_turned():
    found = assemble_t1(
        [_station("low", _coronal(100.0, 5.0)), _station("up", _coronal(200.0, 5.0))]
    )
    assert found.geometry.spacing_mm == pytest.approx((4.0, 5.0, 3.0))
    assert found.geometry.shape == (55, 20, 40)
    _right(found)


def test_thick_coronal_slices_are_interpolated():
    found = assemble_t1([_station("whole", _coronal(100.0, 10.0))])
    assert found.geometry.spacing_mm == pytest.approx((4.0, 5.0, 3.0))
    _right(found)


def test_stations_that_do_not_meet_are_refused_as_diffusion_is():
    gap = [
        _station(name, Geometry.axial((5, 20, 24), (5.0, 4.0, 4.0), (-48.0, -40.0, z)))
        for name, z in (("low", 0.0), ("high", 90.0))
    ]
    with pytest.raises(UnusableImages) as caught:
        assemble_t1(gap)
    assert caught.value.code == "STATION_GAP"
