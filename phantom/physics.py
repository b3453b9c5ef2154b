"""From tissue to signal: S0 and diffusivity maps, and the diffusion-weighted signal they give."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from imaging.anatomy import BY_NAME
from phantom.fields import Field, smooth_noise
from phantom.tissue import Tissue

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from phantom.body import Body
    from phantom.patient import Patient

_PSEUDO_DIFFUSION_UM2_S = 15000.0
_NORMAL_B900 = 18.0
# Red marrow lies in the axial skeleton; long bones and skull are fatty, hence darker under STIR.
_MARROW_BY_REGION = {
    "skull": 0.55, "humerus_left": 0.5, "humerus_right": 0.5, "femur_left": 0.5,
    "femur_right": 0.5, "clavicles": 0.75, "scapulae": 0.7, "pelvis": 0.9, "sternum": 1.0,
    "ribs": 0.9, "sacrum": 0.95, "cervical_spine": 1.0,
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class TissueMaps:
    """S0 (relative), diffusivity in µm²/s and perfusion fraction of every voxel."""

    s0: Field = field(repr=False)
    adc_um2_s: Field = field(repr=False)
    perfusion: Field = field(repr=False)

    def signal(self, b_s_mm2: float) -> Field:
        """Signal at a b-value: diffusion and a small perfusing share (IVIM)."""
        decay: Field = np.exp(self.adc_um2_s * np.float32(-b_s_mm2 * 1e-6))
        flow = np.float32(np.exp(-b_s_mm2 * _PSEUDO_DIFFUSION_UM2_S * 1e-6))
        decay += self.perfusion * (flow - decay)
        decay *= self.s0
        return decay


def tissue_maps(body: Body, patient: Patient) -> TissueMaps:
    """Give every voxel its tissue's values with texture."""
    values, tissue = patient.tissues, body.tissue
    rng = np.random.default_rng(patient.streams["texture"])
    spacing = body.geometry.spacing_mm
    fine = smooth_noise(tissue.shape, (4 / spacing[0], 5 / spacing[1], 5 / spacing[2]), rng)
    fine *= np.float32(0.75)
    fine += np.float32(0.65) * smooth_noise(
        tissue.shape, (30 / spacing[0], 30 / spacing[1], 30 / spacing[2]), rng
    )
    s0 = values.s0[tissue]
    s0 *= _marrow_table()[np.where(tissue == Tissue.MARROW, body.labels, 0)]
    adc = values.adc_um2_s[tissue]
    _set_lesions(body, patient, s0, adc)
    s0 *= np.maximum(1 + values.s0_texture[tissue] * fine, np.float32(0.2))
    other = fine[::-1, :, ::-1]  # independent enough, and free
    adc *= np.maximum(1 + values.adc_texture[tissue] * other, np.float32(0.5))
    return TissueMaps(s0, adc, values.perfusion[tissue])


def _marrow_table() -> NDArray[np.float32]:
    table = np.ones(256, np.float32)
    for name, factor in _MARROW_BY_REGION.items():
        table[BY_NAME[name].label] = factor
    return table


def _set_lesions(body: Body, patient: Patient, s0: Field, adc: Field) -> None:
    """Lesions have their own ADC, and S0 so that their b900 stands out of the person's marrow."""
    grown = body.lesions
    if not grown.adc_um2_s:
        return
    values = patient.tissues
    marrow = float(values.s0[Tissue.MARROW] * np.exp(-9e-4 * values.adc_um2_s[Tissue.MARROW]))
    own_adc = np.array([0.0, *grown.adc_um2_s], dtype=np.float32)
    contrast = np.array([0.0, *grown.contrast], dtype=np.float32)
    own_s0 = np.minimum(max(marrow, _NORMAL_B900) * contrast * np.exp(9e-4 * own_adc), 620.0)
    where = grown.index > 0
    adc[where] = own_adc[grown.index[where]]
    s0[where] = own_s0.astype(np.float32)[grown.index[where]]
