"""Every structure, and the groups that papers report, scored against the truth."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from imaging.anatomy import BONES, BY_NAME, ORGANS, SPINAL_CANAL, STRUCTURES
from training.scoring.overlap import overlap
from training.scoring.surfaces import TOLERANCES_MM, score_surfaces, union_box

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from imaging.geometry import Geometry

GROUPS: dict[str, tuple[int, ...]] = {
    "skeleton": tuple(s.label for s in BONES),
    "skeleton_without_ribs": tuple(s.label for s in BONES if s.name != "ribs"),
    "kidneys": (BY_NAME["kidney_left"].label, BY_NAME["kidney_right"].label),
}
"""Groups scored as one mask: a bone named as another bone agrees."""
_SINGLE: dict[str, tuple[int, ...]] = {s.name: (s.label,) for s in STRUCTURES[1:]}
NAMES = (
    "skeleton",
    "skeleton_without_ribs",
    "organs",
    SPINAL_CANAL.name,
    *(b.name for b in BONES),
    *(o.name for o in ORGANS if not o.name.startswith("kidney")),
    "kidneys",
    "kidney_left",
    "kidney_right",
)
"""The rows of a structure table, in order; `organs` is the mean over `ORGANS`."""


@dataclass(frozen=True)
class StructureScore:
    """One structure of one case; None where a number is undefined.

    `nsd` at 1, 2 and 3 mm. The medians are those of the measured ADC map inside the predicted and
    inside the true mask, so their difference is the segmentation's alone.
    """

    dice: float
    precision: float | None
    recall: float | None
    nsd: tuple[float, ...]
    surface_distance_mm: float | None
    volume_ml: float
    true_volume_ml: float
    adc_um2_s: float | None
    true_adc_um2_s: float | None


def score_structures(
    truth: NDArray[np.uint8],
    labels: NDArray[np.uint8],
    adc_um2_s: NDArray[np.float32],
    geometry: Geometry,
) -> dict[str, StructureScore]:
    """Score two `STRUCTURES` label maps (slice, row, column) on `geometry`.

    What neither map holds is left out, as a structure outside the field of view is.
    """
    found = {}
    for name in NAMES:
        members = (GROUPS | _SINGLE).get(name)
        if members is not None:
            score = score_mask(_holds(truth, members), _holds(labels, members), adc_um2_s, geometry)
            found[name] = score
    organs = [found[o.name] for o in ORGANS if found[o.name] is not None]
    found["organs"] = _mean_of([s for s in organs if s is not None])
    return {name: score for name in NAMES if (score := found[name]) is not None}


def score_mask(
    truth: NDArray[np.bool_],
    prediction: NDArray[np.bool_],
    adc_um2_s: NDArray[np.float32],
    geometry: Geometry,
) -> StructureScore | None:
    """Score one bool mask; None where both are empty."""
    box = union_box(truth, prediction)
    if box is None:
        return None
    true, predicted, adc = truth[box], prediction[box], adc_um2_s[box]
    counts = overlap(true, predicted)
    surfaces = score_surfaces(true, predicted, geometry.spacing_mm)
    return StructureScore(
        dice=counts.dice,
        precision=counts.precision,
        recall=counts.recall,
        nsd=surfaces.nsd,
        surface_distance_mm=surfaces.distance_mm,
        volume_ml=counts.predicted * geometry.voxel_volume_ml,
        true_volume_ml=counts.true * geometry.voxel_volume_ml,
        adc_um2_s=_median(adc[predicted]),
        true_adc_um2_s=_median(adc[true]),
    )


def _holds(labels: NDArray[np.uint8], members: Sequence[int]) -> NDArray[np.bool_]:
    table = np.zeros(256, dtype=np.bool_)
    table[list(members)] = True
    held: NDArray[np.bool_] = table[labels]
    return held


def _median(values: NDArray[np.float32]) -> float | None:
    finite = values[np.isfinite(values)]
    return float(np.median(finite)) if finite.size else None


def _mean_of(scores: Sequence[StructureScore]) -> StructureScore | None:
    """Return the mean over structures; volumes add up, ADC has no mean over organs."""
    if not scores:
        return None
    return StructureScore(
        dice=math.fsum(s.dice for s in scores) / len(scores),
        precision=_mean(s.precision for s in scores),
        recall=_mean(s.recall for s in scores),
        nsd=tuple(
            math.fsum(s.nsd[k] for s in scores) / len(scores) for k in range(len(TOLERANCES_MM))
        ),
        surface_distance_mm=_mean(s.surface_distance_mm for s in scores),
        volume_ml=math.fsum(s.volume_ml for s in scores),
        true_volume_ml=math.fsum(s.true_volume_ml for s in scores),
        adc_um2_s=None,
        true_adc_um2_s=None,
    )


def _mean(values: Iterable[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return math.fsum(known) / len(known) if known else None
