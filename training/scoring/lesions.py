"""True and predicted lesions of one exam, by the rules of Wuts et al. (`papers.md` B.4).

Lesions and predictions are 26-connected components. A prediction detects a lesion when they share
any voxel; a prediction that shares none with any lesion is a false positive. A lesion's Dice and
NSD compare it with all predictions that touch it, each taken whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from imaging.lesions import find_lesions
from training.scoring.overlap import overlap
from training.scoring.surfaces import score_surfaces

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from imaging.geometry import Geometry


@dataclass(frozen=True)
class LesionScore:
    """A true lesion; what follows `detected` is None where it was missed.

    `confidence` is the largest of the predictions that touch it.
    """

    volume_ml: float
    detected: bool
    confidence: float | None = None
    dice: float | None = None
    nsd: tuple[float, ...] | None = None


@dataclass(frozen=True)
class PredictionScore:
    """A predicted lesion; `true` where it shares a voxel with a lesion."""

    volume_ml: float
    confidence: float
    true: bool


@dataclass(frozen=True)
class ExamLesions:
    """All lesions and predictions of an exam, largest first.

    `shared_ml` holds (position in `lesions`, position in `predictions`, volume in both) of every
    pair that touches.
    """

    lesions: tuple[LesionScore, ...]
    predictions: tuple[PredictionScore, ...]
    shared_ml: tuple[tuple[int, int, float], ...]


def score_lesions(
    truth: NDArray[np.bool_],
    prediction: NDArray[np.bool_],
    confidence: NDArray[np.float32],
    geometry: Geometry,
) -> ExamLesions:
    """Match the components of two bool masks (slice, row, column) on `geometry`.

    Args:
        truth: true lesions.
        prediction: predicted lesions, already cut at a threshold.
        confidence: what ranks a prediction by its largest value, such as the probability.
        geometry: the grid.

    """
    true = find_lesions(truth, geometry, 0.0)
    predicted = find_lesions(prediction, geometry, 0.0)
    pairs, shared = _touching(true, predicted)
    true_sizes = np.bincount(true.reshape(-1))
    sizes = np.bincount(predicted.reshape(-1))
    peaks = np.full(sizes.size, -np.inf, dtype=np.float32)
    np.maximum.at(peaks, predicted[prediction], confidence[prediction])
    hits = {int(p) for p in pairs[:, 1]}
    voxel_ml = geometry.voxel_volume_ml
    boxes = (ndimage.find_objects(true), ndimage.find_objects(predicted))
    matched = _Matched(true, predicted, peaks, geometry.spacing_mm, boxes)
    return ExamLesions(
        tuple(
            matched.score(k, [int(p) for p in pairs[pairs[:, 0] == k, 1]], n * voxel_ml)
            for k, n in enumerate(true_sizes[1:].tolist(), start=1)
        ),
        tuple(
            PredictionScore(n * voxel_ml, float(peaks[k]), k in hits)
            for k, n in enumerate(sizes[1:].tolist(), start=1)
        ),
        tuple(
            (int(lesion) - 1, int(prediction) - 1, int(n) * voxel_ml)
            for (lesion, prediction), n in zip(pairs, shared, strict=True)
        ),
    )


def count_detections(
    truth: NDArray[np.bool_], prediction: NDArray[np.bool_], geometry: Geometry
) -> tuple[int, int, int, int]:
    """Return lesions, those detected, predictions, those that are true: counts without shapes."""
    true = find_lesions(truth, geometry, 0.0)
    predicted = find_lesions(prediction, geometry, 0.0)
    pairs, _ = _touching(true, predicted)
    lesions, predictions = int(true.max(initial=0)), int(predicted.max(initial=0))
    return lesions, len(set(pairs[:, 0])), predictions, len(set(pairs[:, 1]))


@dataclass(frozen=True, eq=False)
class _Matched:
    """Component labels of both masks, the box of each, and the confidence of every prediction."""

    true: NDArray[np.uint16]
    predicted: NDArray[np.uint16]
    peaks: NDArray[np.float32]
    spacing_mm: tuple[float, float, float]
    boxes: Sequence[Sequence[tuple[slice, ...]]]

    def score(self, lesion: int, touching: list[int], volume_ml: float) -> LesionScore:
        if not touching:
            return LesionScore(volume_ml, detected=False)
        box = _around([self.boxes[0][lesion - 1], *(self.boxes[1][k - 1] for k in touching)])
        mask = self.true[box] == lesion
        found = np.isin(self.predicted[box], touching)
        return LesionScore(
            volume_ml,
            detected=True,
            confidence=float(self.peaks[touching].max()),
            dice=overlap(mask, found).dice,
            nsd=score_surfaces(mask, found, self.spacing_mm).nsd,
        )


def _around(boxes: Sequence[tuple[slice, ...]]) -> tuple[slice, ...]:
    return tuple(
        slice(min(s.start for s in along), max(s.stop for s in along))
        for along in zip(*boxes, strict=True)
    )


def _touching(
    true: NDArray[np.uint16], predicted: NDArray[np.uint16]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the pairs (lesion, prediction) that share voxels as (n, 2), and how many."""
    both = (true > 0) & (predicted > 0)
    pairs = np.stack([true[both], predicted[both]], axis=1).astype(np.int64)
    unique, counts = np.unique(pairs, axis=0, return_counts=True)
    return unique, counts
