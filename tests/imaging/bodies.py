"""Small bodies for tests: an ellipse of texture that varies slowly along z."""

import numpy as np

from imaging.diffusion import DiffusionVolume, Station
from imaging.geometry import Geometry

SPACING_MM = (5.0, 4.0, 4.0)
IN_PLANE = (48, 56)
ORIGIN_MM = (-112.0, -96.0, -300.0)
B_VALUES = (50.0, 600.0, 900.0)


def whole_body(n_slices=60, noise=0.0, seed=0):
    """Noise is the sigma of Rician noise; tissue signal at b 0 is around 300."""
    rng = np.random.default_rng(seed)
    geometry = Geometry.axial((n_slices, *IN_PLANE), SPACING_MM, ORIGIN_MM)
    z, y, x = np.meshgrid(*[np.linspace(-1, 1, n) for n in geometry.shape], indexing="ij")
    inside = (x / 0.8) ** 2 + (y / 0.7) ** 2 < 1
    s0 = np.where(inside, 300 + 80 * np.sin(9 * x) * np.cos(7 * y) + 60 * np.sin(5 * z), 0.0)
    adc = np.where(inside, 1000 + 400 * np.cos(6 * x + 3 * z), 1000.0)
    images = {}
    for b in B_VALUES:
        signal = s0 * np.exp(-b * adc * 1e-6)
        real = signal + noise * rng.standard_normal(geometry.shape)
        imaginary = noise * rng.standard_normal(geometry.shape)
        images[b] = np.hypot(real, imaginary).astype(np.float32)
    return DiffusionVolume(geometry, images), inside, adc


def cut(volume, start, stop, name="s", gain=1.0, *, flipped=False):
    """Take slices start:stop as a station, optionally from head to feet."""
    order = slice(None, None, -1) if flipped else slice(None)
    images = {
        b: (image[start:stop] * np.float32(gain))[order] for b, image in volume.images.items()
    }
    rows, columns = volume.geometry.shape[1:]
    geometry = volume.geometry.crop((start, 0, 0), (stop, rows, columns))
    if flipped:
        affine = geometry.affine.copy()
        affine[:3, 3] = geometry.to_patient_mm((stop - start - 1, 0, 0))
        affine[:3, 0] *= -1
        geometry = Geometry(geometry.shape, affine)
    return Station(name, DiffusionVolume(geometry, images))
