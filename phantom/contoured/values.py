"""One person's tissue values in the contoured model: flat spreads, other marrow.

Means are those of `phantom.tissue` (published values); what varies around them is not.
"""

from __future__ import annotations

import numpy as np

from phantom.tissue import TABLE, Tissue, TissueValues


def draw_tissues(rng: np.random.Generator) -> TissueValues:
    """Draw one person's values: flat spreads, and a marrow that may be fatty, mixed or red."""
    rows = [TABLE[t] for t in Tissue]
    flat = rng.uniform(-1.9, 1.9, (2, len(rows)))
    s0 = np.array([p.s0 * np.exp(p.s0_spread * f) for p, f in zip(rows, flat[0], strict=True)])
    adc = np.array(
        [p.adc_um2_s * (1 + 1.15 * p.adc_spread * f) for p, f in zip(rows, flat[1], strict=True)]
    )
    s0 = 60.0 * (s0 / 60.0) ** rng.uniform(0.85, 1.15)
    s0[Tissue.MARROW] *= rng.choice([0.65, 1.0, 1.45], p=[0.35, 0.45, 0.2])
    adc[Tissue.LESION], s0[Tissue.LESION] = rows[-1].adc_um2_s, rows[-1].s0
    perfusion = np.array([p.perfusion for p in rows]) * rng.uniform(0.2, 1.8, len(rows))
    grain = rng.uniform(0.7, 1.5)
    return TissueValues(
        s0.astype(np.float32),
        adc.astype(np.float32),
        perfusion.astype(np.float32),
        np.array([p.s0_texture * grain for p in rows], dtype=np.float32),
        np.array([p.adc_texture * grain for p in rows], dtype=np.float32),
    )
