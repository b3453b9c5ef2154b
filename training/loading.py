"""Batches, made in background threads, each a function of (seed, step)."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from training.augmentation import MARGIN, apply, change_signal, decide
from training.sampling import choose_centre, corner, cut
from training.tasks import TASKS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from training.cases import Case
    from training.experiment import Experiment
    from training.sampling import IndexedCase, Triple

_AHEAD = 3


@dataclass(frozen=True, eq=False)
class Batch:
    """Image float32 (n, C, K, J, I), labels, and the step they are for.

    Labels are class numbers, int64 (n, K, J, I), or probabilities, float32 (n, class, K, J, I).
    """

    step: int
    image: Tensor
    labels: Tensor


def make_batch(experiment: Experiment, cases: Sequence[IndexedCase], step: int) -> Batch:
    """Make the batch of a step; the same step always gives the same batch."""
    fit = experiment.fit
    pairs = [_patch(experiment, cases, (fit.seed, step, n)) for n in range(fit.batch)]
    image = torch.stack([image for image, _ in pairs])
    labels = torch.stack([labels for _, labels in pairs])
    return Batch(step, image, labels if labels.is_floating_point() else labels.long())


def batches(
    experiment: Experiment, cases: Sequence[IndexedCase], first_step: int
) -> Iterator[Batch]:
    """Yield the batches from `first_step` on, a few made ahead in the background."""
    with ThreadPoolExecutor(experiment.fit.loaders, thread_name_prefix="loader") as pool:
        waiting: deque[Future[Batch]] = deque()
        step = first_step
        try:
            while True:
                while len(waiting) < _AHEAD:
                    waiting.append(pool.submit(make_batch, experiment, cases, step))
                    step += 1
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def _patch(
    experiment: Experiment, cases: Sequence[IndexedCase], key: tuple[int, int, int]
) -> tuple[Tensor, Tensor]:
    rng = np.random.default_rng(key)
    indexed = cases[int(rng.integers(len(cases)))]
    fit, grid = experiment.fit, experiment.grid
    centre = choose_centre(indexed, fit.rare_share, rng)
    decision = decide(experiment.augmentation, rng)
    k, j, i = (int(np.ceil(n * m)) for n, m in zip(fit.patch, MARGIN, strict=True))
    image = torch.from_numpy(cut(indexed.case.image, centre, (k, j, i)).astype(np.float32))
    labels = _labels(indexed.case, centre, (k, j, i), len(TASKS[experiment.task].classes))
    moved, named = apply(decision, image, labels, fit.patch, grid.spacing_mm)
    return change_signal(decision, moved, grid.channels), named


def _labels(case: Case, centre: Triple, size: Triple, classes: int) -> Tensor:
    if case.soft is None:
        return torch.from_numpy(cut(case.labels, centre, size))
    return torch.from_numpy(case.soft.part(corner(centre, size, case.soft.shape), size, classes))
