"""The bone regions of MET-RADS-P, as sums of the regions that are measured.

`clinical_and_console.md` A4 and A7: seven bone regions; the sacrum is labelled apart from the
pelvis so that this grouping can be built beside the finer one.
"""

from __future__ import annotations

from dataclasses import dataclass

from imaging.anatomy import BY_NAME, Structure


@dataclass(frozen=True)
class BoneGroup:
    """Bones that are counted together."""

    name: str
    title: str
    members: tuple[Structure, ...]


def _group(name: str, title: str, *members: str) -> BoneGroup:
    return BoneGroup(name, title, tuple(BY_NAME[m] for m in members))


MET_RADS: tuple[BoneGroup, ...] = (
    _group("metrads_skull", "Skull", "skull"),
    _group("metrads_cervical_spine", "Cervical spine", "cervical_spine"),
    _group("metrads_thoracic_spine", "Thoracic spine", "thoracic_spine"),
    _group("metrads_lumbosacral_spine", "Lumbosacral spine", "lumbar_spine", "sacrum"),
    _group("metrads_pelvis", "Pelvis", "pelvis"),
    _group("metrads_thorax", "Thorax", "ribs", "sternum", "clavicles", "scapulae"),
    _group("metrads_limbs", "Limbs", "humerus_left", "humerus_right", "femur_left", "femur_right"),
)
