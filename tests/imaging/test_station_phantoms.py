"""Joints between stations of phantoms, whose gains and shifts the tests choose themselves."""

import numpy as np
import pytest

from imaging.diffusion import DiffusionVolume, Station
from imaging.geometry import Geometry
from imaging.resampling import resample
from imaging.stations import assemble
from phantom.acquisition import Protocol, acquire
from phantom.patient import make_patient
from tests.imaging.bodies import cut

SIGMA = 2.5
"""Of the noise in each receiver channel; muscle has S0 60, so SNR is 5 to 30 in tissue."""
DRAWS = 8
"""Three joints each."""


@pytest.fixture(scope="module")
def body():
    """A person without noise, gains or coil bias, so that the test knows every difference."""
    protocol = Protocol((50.0, 900.0), in_plane_mm=4.0, matrix=(96, 120), overlap=0, noise=False)
    return assemble_plainly(acquire(make_patient(11), protocol).stations)


def assemble_plainly(stations):
    first = stations[0].volume.geometry
    images = {
        b: np.concatenate([s.volume.images[b] for s in stations])
        for b in stations[0].volume.b_values
    }
    shape = next(iter(images.values())).shape
    return DiffusionVolume(Geometry(shape, first.affine), images)


def noisy(station, rng):
    def magnitude(image):
        noise = SIGMA * rng.standard_normal((2, *image.shape), dtype=np.float32)
        return np.hypot(image + noise[0], noise[1])

    images = {b: magnitude(image) for b, image in station.volume.images.items()}
    return Station(station.name, DiffusionVolume(station.volume.geometry, images))


def scanned(body, rng, overlap):
    """Cut four stations anywhere, each with a gain from 0.7 to 1.4 and noise of its own."""
    n = body.geometry.shape[0]
    ends = [n * k // 4 + int(rng.integers(-6, 7)) for k in (1, 2, 3)]
    starts = [0, *(e - overlap for e in ends)]
    gains = rng.uniform(0.7, 1.4, 4)
    parts = zip(starts, [*ends, n], gains, strict=True)
    return [noisy(cut(body, a, b, f"s{a}", g), rng) for a, b, g in parts], gains


def errors(body, overlap):
    found = []
    for draw in range(DRAWS):
        stations, gains = scanned(body, np.random.default_rng(draw), overlap)
        joints = assemble(stations).joints
        assert all(j.measured for j in joints)
        found += [j.gain / (gains[k + 1] / gains[k]) - 1 for k, j in enumerate(joints)]
    return np.abs(found)


@pytest.mark.parametrize("overlap", [1, 6])
def test_gains_from_an_overlap_are_recovered_within_two_percent(body, overlap):
    found = errors(body, overlap)
    print(f"overlap {overlap}: worst of {found.size} gains {found.max():.2%}")  # noqa: T201
    assert found.max() < 0.02


def test_gains_between_facing_slices_are_recovered_as_well_as_anatomy_allows(body):
    # Nothing is seen twice: what tissue does within 5 mm is what cannot be told from a gain.
    found = errors(body, 0)
    share = np.mean(found < 0.02)
    print(  # noqa: T201 - how near is worth knowing, not only whether
        f"facing slices: median {np.median(found):.2%}, within 2 % {share:.0%}, "
        f"worst {found.max():.2%} of {found.size}"
    )
    assert np.median(found) < 0.01
    assert share > 0.85
    assert found.max() < 0.06


@pytest.mark.parametrize(
    "shift_mm",
    [(0.0, 0.0, 0.0), (7.3, -4.1, 0.0), (-2.6, 5.2, 0.0), (0.0, 3.0, 5.0), (1.4, -9.0, -3.5)],
)
def test_a_shift_between_stations_is_found_within_half_a_voxel(body, shift_mm):
    rng = np.random.default_rng(5)
    geometry = body.geometry
    affine = geometry.affine.copy()
    affine[:3, 3] -= shift_mm
    # What lay at p - shift is shown at p, as if the person had moved by the shift.
    before = Geometry(geometry.shape, affine)
    moved = {b: resample(image, geometry, before) for b, image in body.images.items()}
    for end in (60, 100, 140):
        lower = noisy(cut(body, end - 50, end, "lower"), rng)
        upper = noisy(cut(DiffusionVolume(geometry, moved), end - 6, end + 30, "upper", 1.2), rng)
        (joint,) = assemble([lower, upper]).joints
        off = np.abs(np.array(joint.shift_mm) - shift_mm)
        assert (off <= np.array(geometry.spacing_mm[::-1]) / 2).all()
