"""The ADC fit beside the least-squares solver that a script would use."""

from __future__ import annotations

import numpy as np

from benchmarks.timing import interleaved
from imaging.adc import fit_adc
from imaging.diffusion import DiffusionVolume
from imaging.geometry import Geometry

SHAPE = (100, 192, 192)
B_VALUES = (50.0, 600.0, 900.0)
ROUNDS = 5


def _volume() -> DiffusionVolume:
    rng = np.random.default_rng(0)
    adc = rng.uniform(300, 2500, SHAPE).astype(np.float32)
    s0 = rng.uniform(200, 1000, SHAPE).astype(np.float32)
    images = {b: s0 * np.exp(-b * adc * np.float32(1e-6)) for b in B_VALUES}
    return DiffusionVolume(Geometry.axial(SHAPE, (5, 2, 2), (0, 0, 0)), images)


def _lstsq(volume: DiffusionVolume) -> np.ndarray:
    design = np.array([[1.0, -b * 1e-6] for b in volume.b_values])
    logs = np.log(np.stack([i.reshape(-1) for i in volume.images.values()]).astype(np.float64))
    solution = np.linalg.lstsq(design, logs, rcond=None)[0]
    return solution[1].reshape(volume.geometry.shape)


def main() -> None:
    """Print seconds, ratio and the largest difference of the two."""
    volume = _volume()
    seconds = interleaved(
        {"osteon": lambda: fit_adc(volume), "lstsq": lambda: _lstsq(volume)}, ROUNDS
    )
    ratio = seconds["lstsq"] / seconds["osteon"]
    difference = np.nanmax(np.abs(fit_adc(volume).adc_um2_s - _lstsq(volume)))
    print(f"ADC and S0 of {SHAPE} voxels, b {B_VALUES}, median of {ROUNDS} rounds in turn")
    print(f"  osteon fit_adc      {seconds['osteon']:7.3f} s")
    print(f"  numpy.linalg.lstsq  {seconds['lstsq']:7.3f} s   {ratio:.1f} times as long")
    print(f"  largest difference on noise-free signal {difference:.2g} um2/s")
