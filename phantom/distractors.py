"""Images that are not diffusion: what else a study contains and a reader must leave alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from imaging.geometry import Geometry
from phantom.body_models import paint_body
from phantom.tissue import Tissue

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from phantom.patient import Patient

_T2 = {
    Tissue.FAT: 220.0, Tissue.VISCERAL_FAT: 210.0, Tissue.MUSCLE: 45.0, Tissue.MARROW: 140.0,
    Tissue.CSF: 400.0, Tissue.BLADDER: 420.0, Tissue.CORTEX: 5.0, Tissue.LUNG: 8.0,
    Tissue.AIR: 0.0, Tissue.GAS: 2.0, Tissue.HEART: 60.0, Tissue.VESSEL: 15.0, Tissue.LESION: 110.0,
}  # fmt: skip


def t2_stack(patient: Patient) -> tuple[NDArray[np.float32], Geometry]:
    """T2-weighted axial slices of the pelvis, coarse: (slice, row, column) and their grid."""
    return _stack(patient, Geometry.axial((12, 72, 96), (8.0, 4.4, 4.4), (-209.0, -160.0, 890.0)))


def localizer(patient: Patient) -> tuple[NDArray[np.float32], Geometry]:
    """Three thick axial slices far apart, as scouts are: (slice, row, column) and their grid."""
    return _stack(patient, Geometry.axial((3, 64, 96), (300.0, 5.0, 5.0), (-237.0, -160.0, 850.0)))


def _stack(patient: Patient, geometry: Geometry) -> tuple[NDArray[np.float32], Geometry]:
    table = np.full(len(Tissue), 90.0, np.float32)
    for tissue, value in _T2.items():
        table[tissue] = value
    body = paint_body(patient, geometry)
    return table[body.tissue], geometry
