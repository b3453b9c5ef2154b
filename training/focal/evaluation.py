"""Out-of-fold predictions, the threshold that other folds choose, and the scores of every exam."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from monai.inferers.utils import sliding_window_inference

from training.assessment.operating_point import (
    THRESHOLDS,
    HeldOutCounts,
    choose_threshold,
    counts_by_threshold,
)
from training.focal.cases import SKELETON_CLASSES
from training.focal.stages import fast
from training.folds import Folds
from training.scoring.case import CaseResult
from training.scoring.lesions import score_lesions
from training.scoring.overlap import overlap
from training.timing import timed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from torch import Tensor, nn

    from training.assessment.operating_point import OperatingPoint
    from training.cases import Case
    from training.focal.settings import FocalExperiment

_WINDOWS_AT_ONCE = 4
_MOST_TIMES_THE_VOLUME = 5.0
"""Ours: a threshold that predicts more than this times the true volume is not looked at."""


@dataclass(frozen=True)
class Assessed:
    """One initialisation: every exam at the threshold that the other folds chose.

    `stored` is the threshold over all folds: what a model that ships would be given.
    """

    exams: tuple[CaseResult, ...]
    threshold_by_fold: tuple[float, ...]
    stored: OperatingPoint


def lesion_probability(
    network: nn.Module, case: Case, experiment: FocalExperiment
) -> NDArray[np.float32]:
    """Return the probability of a lesion (slice, row, column), by sliding windows."""
    lesion: NDArray[np.float32] = class_probability(network, case, experiment)[1]
    return lesion


def class_probability(
    network: nn.Module, case: Case, experiment: FocalExperiment
) -> NDArray[np.float32]:
    """Return the probability of every class (class, slice, row, column), by sliding windows.

    Windows overlap by the experiment's share and count alike; softmax comes before their mean,
    since a served model holds it.
    """
    network.eval()
    device = next(network.parameters()).device

    def chance(windows: Tensor) -> Tensor:
        with fast(experiment):
            logits = network(windows)
        return torch.softmax(logits.float(), dim=1)

    image = torch.from_numpy(case.image.astype(np.float32))[None].to(device)
    with torch.no_grad():
        answer: Any = sliding_window_inference(
            image, experiment.patch, _WINDOWS_AT_ONCE, chance, overlap=experiment.overlap
        )
    found: NDArray[np.float32] = answer[0].cpu().numpy()
    return found


def skeleton_dice(
    network: nn.Module, cases: Sequence[Case], experiment: FocalExperiment
) -> dict[str, list[float]]:
    """Return the Dice of every region, and of all as one mask, on the cases that hold it."""
    found: dict[str, list[float]] = {"skeleton": []}
    for case in cases:
        answer = class_probability(network, case, experiment).argmax(axis=0)
        found["skeleton"].append(overlap(case.labels > 0, answer > 0).dice)
        for number, name in enumerate(SKELETON_CLASSES[1:], start=1):
            true = case.labels == number
            if true.any():
                found.setdefault(name, []).append(overlap(true, answer == number).dice)
    return found


def assess(
    cases: Sequence[Case], probabilities: Sequence[NDArray[np.float32]], folds: Folds, source: str
) -> Assessed:
    """Choose thresholds by maximal patient F2 and score every exam.

    The threshold of a fold is chosen on out-of-fold predictions of the other folds' patients, so
    no exam takes part in the choice of its own threshold (the paper's tuning fold was trained on).
    """
    held_out = [_held_out(c, p, folds) for c, p in zip(cases, probabilities, strict=True)]
    thresholds = tuple(_choose(held_out, folds, fold).threshold for fold in range(folds.n))
    exams = tuple(
        _score(case, probability, thresholds[folds.fold_of[case.name]], source)
        for case, probability in zip(cases, probabilities, strict=True)
    )
    return Assessed(exams, thresholds, _choose(held_out, folds, None))


@dataclass(frozen=True)
class _HeldOut:
    """An exam's counts at every threshold, the voxels predicted there, and the true voxels."""

    counts: HeldOutCounts
    predicted: tuple[int, ...]
    true: int


def _held_out(case: Case, probability: NDArray[np.float32], folds: Folds) -> _HeldOut:
    truth = case.labels > 0
    found = counts_by_threshold(probability, truth, case.model_input.geometry)
    return _HeldOut(
        HeldOutCounts(case.name, folds.fold_of[case.name], found),
        tuple(int(np.count_nonzero(probability >= t)) for t in THRESHOLDS),
        int(np.count_nonzero(truth)),
    )


def _choose(held_out: Sequence[_HeldOut], folds: Folds, without: int | None) -> OperatingPoint:
    """Choose on all folds but one.

    A single component that covers the body touches every lesion, and any shared voxel detects:
    the paper's F2 would call it perfect. So thresholds that predict far too much are left out.
    """
    others = {case: fold for case, fold in folds.fold_of.items() if fold != without}
    kept = [h for h in held_out if h.counts.case in others]
    most = _MOST_TIMES_THE_VOLUME * sum(h.true for h in kept)
    last = len(THRESHOLDS) - 1
    usable = [
        k for k in range(len(THRESHOLDS)) if k == last or sum(h.predicted[k] for h in kept) <= most
    ]
    counts = [
        HeldOutCounts(h.counts.case, h.counts.model_fold, tuple(h.counts.counts[k] for k in usable))
        for h in kept
    ]
    chosen_from = [THRESHOLDS[k] for k in usable]
    return choose_threshold(counts, Folds(folds.n, others, folds.patient_of), chosen_from)


def _score(
    case: Case, probability: NDArray[np.float32], threshold: float, source: str
) -> CaseResult:
    grid, truth = case.model_input.geometry, case.labels > 0
    lesions, time = timed(lambda: score_lesions(truth, probability >= threshold, probability, grid))
    return CaseResult(
        case=case.name,
        patient=case.name,
        structures={},
        lesion_source=source,
        lesions=lesions,
        disease=None,
        tdv_ml=math.fsum(p.volume_ml for p in lesions.predictions),
        true_tdv_ml=math.fsum(le.volume_ml for le in lesions.lesions),
        gadc_um2_s=None,
        true_gadc_um2_s=None,
        reference_accepted=False,
        network_seconds=0.0,
        scoring_seconds=time.wall_s,
        bf16=False,
    )
