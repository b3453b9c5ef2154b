"""The structures that Osteon names: one table shared by truth, models, measurements and DICOM.

The regions are the superset that maps to MET-RADS-P and MY-RADS. Array values in label maps are
the positions in `STRUCTURES`; 0 is background.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a structure is to the measurement."""

    BACKGROUND = "background"
    BONE = "bone"
    ORGAN = "organ"
    CANAL = "canal"


@dataclass(frozen=True)
class Structure:
    """One structure: `label` in label maps, `name` in files and tables, `title` for people."""

    label: int
    name: str
    title: str
    kind: Kind


_ROWS: tuple[tuple[str, str, Kind], ...] = (
    ("background", "Background", Kind.BACKGROUND),
    ("skull", "Skull", Kind.BONE),
    ("cervical_spine", "Cervical spine", Kind.BONE),
    ("thoracic_spine", "Thoracic spine", Kind.BONE),
    ("lumbar_spine", "Lumbar spine", Kind.BONE),
    ("sacrum", "Sacrum", Kind.BONE),
    ("pelvis", "Pelvis", Kind.BONE),
    ("ribs", "Ribs", Kind.BONE),
    ("sternum", "Sternum", Kind.BONE),
    ("clavicles", "Clavicles", Kind.BONE),
    ("scapulae", "Scapulae", Kind.BONE),
    ("humerus_left", "Left humerus", Kind.BONE),
    ("humerus_right", "Right humerus", Kind.BONE),
    ("femur_left", "Left femur", Kind.BONE),
    ("femur_right", "Right femur", Kind.BONE),
    ("liver", "Liver", Kind.ORGAN),
    ("spleen", "Spleen", Kind.ORGAN),
    ("kidney_left", "Left kidney", Kind.ORGAN),
    ("kidney_right", "Right kidney", Kind.ORGAN),
    ("bladder", "Urinary bladder", Kind.ORGAN),
    ("spinal_canal", "Spinal canal", Kind.CANAL),
)

STRUCTURES: tuple[Structure, ...] = tuple(Structure(label, *row) for label, row in enumerate(_ROWS))
BY_NAME: dict[str, Structure] = {s.name: s for s in STRUCTURES}
BONES: tuple[Structure, ...] = tuple(s for s in STRUCTURES if s.kind is Kind.BONE)
ORGANS: tuple[Structure, ...] = tuple(s for s in STRUCTURES if s.kind is Kind.ORGAN)
SPINAL_CANAL: Structure = BY_NAME["spinal_canal"]
