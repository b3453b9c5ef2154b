"""The training loop: a generator of reports, so that whoever runs it shows what it likes."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from training.checkpoint import follow, load_checkpoint, new_state, save_checkpoint
from training.device import choose_device
from training.inference import autocast, eager_predictor, slab_probability
from training.loading import batches
from training.losses import segmentation_loss
from training.network import freeze_statistics
from training.sampling import index_case
from training.schedule import learning_rate, progress
from training.tasks import TASKS

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from pathlib import Path

    from training.cases import Case
    from training.checkpoint import RunState
    from training.experiment import Experiment
    from training.loading import Batch

_GRADIENT_NORM = 1.0


@dataclass(frozen=True)
class FitPlan:
    """What a run is given beside the experiment."""

    checkpoint: Path
    max_minutes: float | None
    resume: bool
    device: str = "cpu"
    """A name that `training.device.choose_device` knows."""


@dataclass(frozen=True)
class StepReport:
    """One step: `done` from 0 to 1, and validation Dice by structure where it was measured."""

    step: int
    done: float
    elapsed_s: float
    learning_rate: float
    loss: float
    validation: dict[str, float] | None = None


def train(
    experiment: Experiment, plan: FitPlan, cases: Sequence[Case], held_out: Sequence[Case]
) -> Generator[StepReport]:
    """Fit the network, a report a step; checkpoints and validation by the clock and at the end.

    Closing the generator (or an error in it) writes a checkpoint too, so a stopped run goes on
    where it was.
    """
    fit = experiment.fit
    torch.set_num_threads(fit.threads)
    state = new_state(experiment, choose_device(plan.device))
    if plan.resume and plan.checkpoint.exists():
        load_checkpoint(state, plan.checkpoint)
    indexed = [index_case(case, experiment.task) for case in cases]
    clock = _Clock(state, fit.checkpoint_minutes, fit.validate_minutes)
    try:
        for batch in batches(experiment, indexed, state.step):
            done = progress(state.step, state.elapsed_s, fit.steps, plan.max_minutes)
            if done >= 1:
                break
            loss = take_step(experiment, state, batch, done)
            clock.tick()
            scores = None
            ended = progress(state.step, state.elapsed_s, fit.steps, plan.max_minutes) >= 1
            if clock.validation_due or ended:
                scores = validate(experiment, state, held_out)
                clock.validated()
            yield StepReport(
                state.step, done, state.elapsed_s, learning_rate(fit, done), loss, scores
            )
            if clock.checkpoint_due:
                save_checkpoint(state, plan.checkpoint)
                clock.checkpointed()
    finally:
        save_checkpoint(state, plan.checkpoint)


def take_step(experiment: Experiment, state: RunState, batch: Batch, done: float) -> float:
    """Take one step of the optimiser; return the loss before it."""
    fit = experiment.fit
    network = state.network.train()
    if done >= fit.freeze_statistics_at:
        freeze_statistics(network)
    for group in state.optimiser.param_groups:
        group["lr"] = learning_rate(fit, done)
    image, labels = batch.image.to(state.device), batch.labels.to(state.device)
    with autocast(bf16=fit.bf16, device=state.device.type):
        logits = network.voxel_logits(image)
    ordered = network.voxel_shares if labels.is_floating_point() else network.voxel_targets
    loss = segmentation_loss(logits, ordered(labels), fit.alpha)
    state.optimiser.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(network.parameters(), _GRADIENT_NORM)
    state.optimiser.step()
    state.step += 1
    follow(state.average, network, fit.ema_decay, state.step)
    return float(loss.detach())


def validate(experiment: Experiment, state: RunState, held_out: Sequence[Case]) -> dict[str, float]:
    """Return the task's mean scores of the averaged weights, on the model's grid."""
    predict = eager_predictor(state.average, bf16=experiment.fit.bf16)
    spec = experiment.model_spec()
    scores: dict[str, list[float]] = {}
    for case in held_out:
        probability = slab_probability(predict, spec, case.model_input)
        labels = probability.argmax(axis=0).astype(np.uint8)
        for name, score in TASKS[experiment.task].score(case.labels, labels).items():
            scores.setdefault(name, []).append(score)
    return {name: float(np.mean(values)) for name, values in scores.items()}


class _Clock:
    """Adds to the run's elapsed time and says when something is due."""

    def __init__(self, state: RunState, checkpoint_min: float, validate_min: float) -> None:
        self._state = state
        self._every = (checkpoint_min * 60, validate_min * 60)
        now = time.monotonic()
        self._last = now
        self._checkpoint_at = now + self._every[0]
        self._validate_at = now + self._every[1]

    def tick(self) -> None:
        now = time.monotonic()
        self._state.elapsed_s += now - self._last
        self._last = now

    @property
    def checkpoint_due(self) -> bool:
        return self._last >= self._checkpoint_at

    @property
    def validation_due(self) -> bool:
        return self._last >= self._validate_at

    def checkpointed(self) -> None:
        self._checkpoint_at = self._last + self._every[0]

    def validated(self) -> None:
        self._validate_at = self._last + self._every[1]
