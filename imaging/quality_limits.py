"""From where on a finding about the images is worth a note: every threshold in one value."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class QualityLimits:
    """Limits of ours, set on synthetic acquisitions with and without the flaw (seeds 901-910).

    b-value habits are those of `clinical_and_console.md` A1.
    """

    fat_signal: float = 0.3
    """High-b signal, in units of the spinal cord's, that suppressed fat does not reach."""
    fat_adc_um2_s: float = 600.0
    """Fat diffuses little; with noise its ADC is still below this."""
    fat_share: float = 0.03
    """Share of the rim of 100 mm of the body that looks like fat that was not suppressed. Without
    a failure up to 0.02 was seen, with a plain one 0.05 to 0.3."""
    fat_density: float = 1 / 3
    """Share of a voxel's 26 neighbours in the rim that must look the same: noise is scattered."""
    rim_mm: float = 15.0
    """Depth of the rim under the skin."""
    motion_mm: float = 5.0
    """Shift between lowest and highest b-value; the scanner's own distortions reach 4 mm."""
    least_signal_to_noise: float = 2.0
    """Median of the body at the highest b over the noise; noise alone gives 1.2."""
    air_distance_mm: float = 20.0
    """Air nearer to the body holds ghosts and blurred signal."""
    lowest_b: tuple[float, float] = (50.0, 100.0)
    """Habitual lowest b-value in s/mm²; b 0 adds perfusion to the ADC."""
    highest_b: tuple[float, float] = (800.0, 1000.0)
    """Habitual highest b-value in s/mm²; the contrast of disease depends on it."""


USUAL_LIMITS = QualityLimits()
