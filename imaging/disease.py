"""Where bone disease is: a documented rule on normalised high-b signal and ADC inside bone.

This is the burden of Candito et al. (raised normalised high-b signal inside bone, organs and
canal removed), by a rule instead of a network. The bone is a search region: it must include
diseased bone, so it is closed and grown a little.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import cc3d
import numpy as np

from imaging.anatomy import BONES, ORGANS, SPINAL_CANAL
from imaging.anatomy import BY_NAME as STRUCTURE
from imaging.body import fill_slices
from imaging.morphology import closed, grown

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imaging.geometry import Geometry


@dataclass(frozen=True)
class DiseaseRule:
    """All numbers of the rule. Signal is in units of the spinal cord's (`normalisation`).

    The defaults were chosen on synthetic patients (seeds 901-920), not on people.
    """

    lowest_threshold: float = 0.35
    """Disease is at least this bright, however dark the patient's marrow is."""
    marrow_factor: float = 1.6
    """The threshold is the geometric mean of the cord's signal and this many times the signal of
    the patient's own normal marrow: half-way, in ratio, between two references of which either
    may be unusual in one patient."""
    marrow_adc_um2_s: tuple[float, float] = (200.0, 655.0)
    """ADC of normal marrow; Messiou 2011 parts normal from abnormal at 655 (`papers.md` A.5)."""
    highest_threshold: float = 1.8
    """Marrow never raises the threshold above this: what is so bright may be diffuse disease."""
    peak_factor: float = 1.3
    """A component must reach this multiple of the threshold somewhere; noise seldom does."""
    edge_fraction: float = 0.35
    """Voxels below this share of their component's peak are its blurred edge."""
    adc_um2_s: tuple[float, float] = (350.0, 2500.0)
    """Plausible ADC of disease: below is fat or noise, above is fluid."""
    marrow_like_factor: float = 2.0
    """What has the ADC of normal marrow is disease only from this multiple of the threshold on."""
    bone_probability: float = 0.7
    """Bone from this probability on, where a probability is given; closed and grown below."""
    bone_closing_mm: float = 6.0
    bone_margin_mm: float = 2.5
    skull_margin_mm: float = 0.0
    """The skull is not grown into the brain, which is as bright as disease; negative shrinks."""
    brain_margin_mm: float = 3.0
    """The skull this near to what it encloses shares its voxels with the brain."""
    organ_margin_mm: float = 5.0
    canal_margin_mm: float = 2.5
    """Around organs and canal, what is not labelled as bone itself is not disease."""
    min_volume_ml: float = 0.1


@dataclass(frozen=True, eq=False)
class DiseaseMask:
    """Disease: bool (slice, row, column); what the organs and the canal took out of it, in mL.

    `threshold` is the normalised signal that was asked for in this patient.
    """

    mask: NDArray[np.bool_] = field(repr=False)
    removed_organ_ml: float
    removed_canal_ml: float
    threshold: float = 0.0


def disease_mask(
    normalised: NDArray[np.float32],
    adc_um2_s: NDArray[np.float32],
    bone: NDArray[Any],
    labels: NDArray[np.uint8],
    geometry: Geometry,
    rule: DiseaseRule = DiseaseRule(),
) -> DiseaseMask:
    """Return the voxels of disease; all arrays (slice, row, column) on `geometry`.

    Args:
        normalised: high-b signal over the spinal cord's.
        adc_um2_s: ADC, NaN where invalid: such voxels are never disease.
        bone: where bone is, bool, or its probability as floats.
        labels: `STRUCTURES` label map; its bones count as bone too.
        geometry: the grid.
        rule: the numbers.

    """
    labelled = np.isin(labels, [b.label for b in BONES])
    threshold = patient_threshold(normalised, adc_um2_s, labels, rule)
    candidates = _raised_signal(normalised, adc_um2_s, threshold, rule)
    candidates &= _search_region(bone, labelled, labels, geometry, rule)
    organs = np.isin(labels, [o.label for o in ORGANS])
    near_organs = grown(organs, geometry, rule.organ_margin_mm) & ~(labelled & ~organs)
    canal = labels == SPINAL_CANAL.label
    near_canal = grown(canal, geometry, rule.canal_margin_mm) & ~(labelled & ~canal)
    of_organs = candidates & near_organs
    of_canal = candidates & near_canal & ~near_organs
    kept = _bright_components(
        candidates & ~near_organs & ~near_canal, normalised, geometry, rule, threshold
    )
    voxel_ml = geometry.voxel_volume_ml
    return DiseaseMask(
        kept,
        int(np.count_nonzero(of_organs)) * voxel_ml,
        int(np.count_nonzero(of_canal)) * voxel_ml,
        threshold,
    )


def patient_threshold(
    normalised: NDArray[np.float32],
    adc_um2_s: NDArray[np.float32],
    labels: NDArray[np.uint8],
    rule: DiseaseRule,
) -> float:
    """Return this patient's signal threshold, in units of the cord's signal.

    Normal marrow is what has its ADC in the spine and the pelvis, where marrow is red; diseased
    marrow with a higher ADC does not count, so diffuse disease hardly raises the threshold.
    """
    low, high = rule.marrow_adc_um2_s
    marrow = np.isin(labels, _RED_MARROW) & (adc_um2_s >= low) & (adc_um2_s <= high)
    if not marrow.any():
        return 1.0
    level = float(np.median(normalised[marrow]))
    threshold = float(np.sqrt(max(level, 0.0) * rule.marrow_factor))
    return max(rule.lowest_threshold, min(threshold, rule.highest_threshold))


def _raised_signal(
    normalised: NDArray[np.float32],
    adc_um2_s: NDArray[np.float32],
    threshold: float,
    rule: DiseaseRule,
) -> NDArray[np.bool_]:
    low, high = rule.adc_um2_s
    marrow_like = adc_um2_s < rule.marrow_adc_um2_s[1]
    least = np.where(marrow_like, rule.marrow_like_factor * threshold, threshold)
    return (normalised >= least) & (adc_um2_s >= low) & (adc_um2_s <= high)


_RED_MARROW = [
    STRUCTURE[n].label
    for n in ("cervical_spine", "thoracic_spine", "lumbar_spine", "sacrum", "pelvis")
]


def _search_region(
    bone: NDArray[Any],
    labelled: NDArray[np.bool_],
    labels: NDArray[np.uint8],
    geometry: Geometry,
    rule: DiseaseRule,
) -> NDArray[np.bool_]:
    given = bone if bone.dtype == np.bool_ else bone >= rule.bone_probability
    skull = labels == STRUCTURE["skull"].label
    around_skull = grown(skull, geometry, max(rule.bone_closing_mm, rule.bone_margin_mm))
    other = (given | labelled) & ~skull
    region = grown(closed(other, geometry, rule.bone_closing_mm), geometry, rule.bone_margin_mm)
    # What only the skull's neighbourhood would add is brain or scalp.
    region &= ~around_skull | (labelled & ~skull)
    return region | _skull_without_brain(skull, geometry, rule)


def _skull_without_brain(
    skull: NDArray[np.bool_], geometry: Geometry, rule: DiseaseRule
) -> NDArray[np.bool_]:
    """Take the inner side of the skull away; the brain is what the skull encloses in a slice."""
    enclosed = fill_slices(closed(skull, geometry, rule.bone_closing_mm)) & ~skull
    near_brain = grown(enclosed, geometry, rule.brain_margin_mm)
    return grown(skull, geometry, rule.skull_margin_mm) & ~near_brain


def _bright_components(
    mask: NDArray[np.bool_],
    normalised: NDArray[np.float32],
    geometry: Geometry,
    rule: DiseaseRule,
    threshold: float,
) -> NDArray[np.bool_]:
    """Keep 26-connected components that are large enough and reach the peak somewhere."""
    parts: NDArray[Any] = cc3d.connected_components(np.ascontiguousarray(mask), connectivity=26)
    flat = parts.reshape(-1)
    inside = np.flatnonzero(flat)
    n_voxels = np.bincount(flat[inside], minlength=int(flat.max(initial=0)) + 1)
    peaks = np.zeros(n_voxels.size, dtype=np.float32)
    np.maximum.at(peaks, flat[inside], normalised.reshape(-1)[inside])
    kept = n_voxels * geometry.voxel_volume_ml >= rule.min_volume_ml * (1 - 1e-9)
    kept &= peaks >= rule.peak_factor * threshold
    kept[0] = False
    least = np.where(kept, rule.edge_fraction * peaks, np.inf).astype(np.float32)
    result = np.zeros(mask.shape, dtype=np.bool_)
    result.reshape(-1)[inside] = normalised.reshape(-1)[inside] >= least[flat[inside]]
    return result
