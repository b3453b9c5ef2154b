"""Coarse synthetic persons, painted once for all tests of the room."""

from __future__ import annotations

from functools import cache

import pytest

from phantom.acquisition import Acquisition, Protocol, acquire
from phantom.patient import PatientOptions, make_patient

COARSE = Protocol(slice_mm=10.0, in_plane_mm=4.0, matrix=(88, 120))
IDEAL = Protocol(slice_mm=10.0, in_plane_mm=4.0, matrix=(88, 120), noise=False)


@cache
def _scan(seed: int, protocol: Protocol, options: PatientOptions) -> Acquisition:
    return acquire(make_patient(seed, options), protocol)


@pytest.fixture(scope="session")
def scan():
    def _of(seed: int, protocol: Protocol = COARSE, **options) -> Acquisition:
        return _scan(seed, protocol, PatientOptions(**options))

    return _of


@pytest.fixture(scope="session")
def ideal():
    return IDEAL
