"""Tissues: apparent S0 under STIR, diffusivity, perfusion fraction and texture.

S0 is relative (muscle 60). Diffusivities from Jafar 2016 (liver, kidney, spleen, gallbladder,
pancreas), IEO 2021 (normal marrow 422 +/- 67 µm²/s) and Messiou 2011 (bone metastases 1054 +/-
456 µm²/s), all as collected in papers.md A.5 and E.6; the others are textbook orders of size.
Fat is nearly nulled by STIR.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np


class Tissue(IntEnum):
    """What a voxel of the body is made of."""

    AIR = 0
    FAT = 1
    MUSCLE = 2
    VISCERAL_FAT = 3
    LUNG = 4
    HEART = 5
    VESSEL = 6
    CORTEX = 7
    MARROW = 8
    CARTILAGE = 9
    DISC = 10
    CORD = 11
    CSF = 12
    BRAIN = 13
    EYE = 14
    GLAND = 15
    NODE = 16
    LIVER = 17
    SPLEEN = 18
    KIDNEY = 19
    BLADDER = 20
    GALLBLADDER = 21
    PANCREAS = 22
    STOMACH = 23
    BOWEL_WALL = 24
    BOWEL_CONTENT = 25
    GAS = 26
    PROSTATE = 27
    UTERUS = 28
    TESTIS = 29
    BREAST = 30
    GANGLION = 31
    LESION = 32


@dataclass(frozen=True)
class Property:
    """S0 (relative), diffusivity in µm²/s, perfusion fraction; spreads are relative deviations."""

    s0: float
    adc_um2_s: float
    perfusion: float = 0.0
    s0_spread: float = 0.18
    adc_spread: float = 0.07
    s0_texture: float = 0.08
    adc_texture: float = 0.04


TABLE: dict[Tissue, Property] = {
    Tissue.AIR: Property(0.0, 0.0),
    Tissue.FAT: Property(6.0, 250.0, s0_spread=0.4, s0_texture=0.25),
    Tissue.MUSCLE: Property(60.0, 1580.0, 0.02, 0.12, 0.06, 0.12),
    Tissue.VISCERAL_FAT: Property(7.0, 400.0, s0_spread=0.4, s0_texture=0.3),
    Tissue.LUNG: Property(5.0, 1400.0, s0_spread=0.4, s0_texture=0.4),
    Tissue.HEART: Property(38.0, 2300.0, 0.1, 0.35, 0.1, 0.3),
    Tissue.VESSEL: Property(30.0, 2600.0, 0.1, 0.35, 0.1, 0.2),
    Tissue.CORTEX: Property(4.0, 600.0, s0_spread=0.3, s0_texture=0.2),
    Tissue.MARROW: Property(50.0, 422.0, 0.0, 0.3, 0.16, 0.18, 0.08),
    Tissue.CARTILAGE: Property(45.0, 1500.0),
    Tissue.DISC: Property(75.0, 1550.0, 0.0, 0.3, 0.1, 0.1),
    Tissue.CORD: Property(190.0, 1080.0, 0.0, 0.12, 0.06, 0.06),
    Tissue.CSF: Property(480.0, 2900.0, 0.0, 0.15, 0.05, 0.12),
    Tissue.BRAIN: Property(300.0, 820.0, 0.02, 0.12, 0.05, 0.12, 0.06),
    Tissue.EYE: Property(500.0, 2800.0),
    Tissue.GLAND: Property(175.0, 1150.0, 0.04, 0.25, 0.1),
    Tissue.NODE: Property(230.0, 1000.0, 0.02, 0.25, 0.15),
    Tissue.LIVER: Property(92.0, 1180.0, 0.07, 0.2, 0.08, 0.07),
    Tissue.SPLEEN: Property(215.0, 820.0, 0.03, 0.2, 0.08, 0.05),
    Tissue.KIDNEY: Property(270.0, 1850.0, 0.07, 0.15, 0.06, 0.1),
    Tissue.BLADDER: Property(800.0, 2900.0, 0.0, 0.15, 0.04, 0.04, 0.02),
    Tissue.GALLBLADDER: Property(480.0, 2700.0, 0.0, 0.3),
    Tissue.PANCREAS: Property(130.0, 1550.0, 0.06),
    Tissue.STOMACH: Property(230.0, 2600.0, 0.0, 0.4, 0.1, 0.2),
    Tissue.BOWEL_WALL: Property(115.0, 1400.0, 0.04, 0.3, 0.12, 0.25),
    Tissue.BOWEL_CONTENT: Property(190.0, 2000.0, 0.0, 0.5, 0.15, 0.35),
    Tissue.GAS: Property(1.0, 1000.0),
    Tissue.PROSTATE: Property(190.0, 1400.0, 0.03, 0.2, 0.1, 0.15, 0.08),
    Tissue.UTERUS: Property(190.0, 1400.0, 0.03, 0.2, 0.1, 0.2, 0.08),
    Tissue.TESTIS: Property(240.0, 1100.0),
    Tissue.BREAST: Property(130.0, 1850.0, 0.0, 0.4, 0.1, 0.3),
    Tissue.GANGLION: Property(190.0, 1350.0),
    Tissue.LESION: Property(260.0, 1054.0, 0.0, 0.0, 0.0, 0.10, 0.08),
}


@dataclass(frozen=True, eq=False)
class TissueValues:
    """One person's values, arrays indexed by `Tissue`."""

    s0: np.ndarray[tuple[int], np.dtype[np.float32]]
    adc_um2_s: np.ndarray[tuple[int], np.dtype[np.float32]]
    perfusion: np.ndarray[tuple[int], np.dtype[np.float32]]
    s0_texture: np.ndarray[tuple[int], np.dtype[np.float32]]
    adc_texture: np.ndarray[tuple[int], np.dtype[np.float32]]


def draw_tissues(rng: np.random.Generator, marrow_factor: float) -> TissueValues:
    """Draw one person's tissue values; `marrow_factor` scales marrow S0: red is brighter."""
    rows = [TABLE[t] for t in Tissue]
    normal = np.clip(rng.standard_normal((2, len(rows))), -2.2, 2.2)
    s0 = np.array([p.s0 * np.exp(p.s0_spread * n) for p, n in zip(rows, normal[0], strict=True)])
    adc = np.array(
        [p.adc_um2_s * (1 + p.adc_spread * n) for p, n in zip(rows, normal[1], strict=True)]
    )
    weighting = rng.uniform(0.8, 1.15)  # a longer echo time spreads tissues apart
    s0 = 60.0 * (s0 / 60.0) ** weighting
    s0[Tissue.MARROW] *= marrow_factor
    perfusion = np.array([p.perfusion for p in rows]) * rng.uniform(0.4, 1.5, len(rows))
    return TissueValues(
        s0.astype(np.float32),
        adc.astype(np.float32),
        perfusion.astype(np.float32),
        np.array([p.s0_texture for p in rows], dtype=np.float32),
        np.array([p.adc_texture for p in rows], dtype=np.float32),
    )
