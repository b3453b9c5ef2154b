"""One loop for all stages: skeletons, no labels, lesions. A stopped stage goes on where it was.

`training.fit` is made for one network with an average; here the module, the rates by part and the
loss differ by stage, and the last weights count, as in the paper (`papers.md` B.3).
"""

from __future__ import annotations

import math
import os
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch

from training.errors import TrainingError
from training.fit import StepReport
from training.focal.network import weights
from training.network import freeze_statistics

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    from torch import Tensor, nn

    from training.focal.settings import FocalExperiment, StageSettings

_GRADIENT_NORM = 1.0


@dataclass(frozen=True, eq=False)
class Stage:
    """What is fitted: `loss` gives the loss of a step's batch, always the same for one step.

    `groups` are the optimiser's, each with its own "rate".
    """

    module: nn.Module = field(repr=False)
    groups: list[dict[str, Any]] = field(repr=False)
    settings: StageSettings
    steps_per_epoch: int
    loss: Callable[[int], Tensor]

    @property
    def steps(self) -> int:
        """How many steps there are in all."""
        return self.settings.epochs * self.steps_per_epoch


def rate_factor(step: int, warmup_steps: float, steps: int) -> float:
    """Return the share of a group's rate at a step: a linear warm-up, then a half cosine to 0."""
    if step < warmup_steps:
        return (step + 1) / (warmup_steps + 1)
    share = (step - warmup_steps) / max(steps - warmup_steps, 1)
    return (1 + math.cos(math.pi * min(share, 1.0))) / 2


def fit_stage(stage: Stage, experiment: FocalExperiment, checkpoint: Path) -> Generator[StepReport]:
    """Fit a stage, a report a step; nothing is left to do where the checkpoint is at its end.

    Closing the generator (or an error in it) writes a checkpoint too.

    Raises:
        TrainingError: `CHECKPOINT`, it is not of this stage.

    """
    torch.set_num_threads(experiment.threads)
    torch.manual_seed(experiment.seed)
    state = _State(stage)
    if checkpoint.exists():
        state.load(checkpoint)
    due = time.monotonic() + 60 * experiment.checkpoint_minutes
    try:
        while state.step < stage.steps:
            yield state.take_step()
            if time.monotonic() >= due:
                state.save(checkpoint)
                due = time.monotonic() + 60 * experiment.checkpoint_minutes
    finally:
        state.save(checkpoint)


def read_weights(checkpoint: Path) -> dict[str, Tensor]:
    """Return the weights that a stage left, by name.

    Raises:
        TrainingError: `CHECKPOINT`, there are none.

    """
    held: dict[str, Tensor] = _read(checkpoint)["weights"]
    return held


def fitted_seconds(checkpoint: Path) -> float:
    """Return how long a stage was fitted, over all its parts.

    Raises:
        TrainingError: `CHECKPOINT`, there is none.

    """
    return float(_read(checkpoint)["elapsed_s"])


class _State:
    """Everything that the next step depends on."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.step = 0
        self.elapsed_s = 0.0
        kinds = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}
        if stage.settings.optimiser not in kinds:
            message = f"optimiser must be adam or adamw, not {stage.settings.optimiser!r}"
            raise TrainingError(message, code="EXPERIMENT")
        kind = kinds[stage.settings.optimiser]
        self.optimiser = kind(stage.groups, lr=0.0, weight_decay=stage.settings.weight_decay)

    def take_step(self) -> StepReport:
        began = time.monotonic()
        stage, settings = self.stage, self.stage.settings
        done = self.step / stage.steps
        stage.module.train()
        if done >= settings.freeze_statistics_at:
            freeze_statistics(stage.module)
        share = rate_factor(self.step, settings.warmup_epochs * stage.steps_per_epoch, stage.steps)
        for group in self.optimiser.param_groups:
            group["lr"] = group["rate"] * share
        loss = stage.loss(self.step)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(stage.module.parameters(), _GRADIENT_NORM)
        self.optimiser.step()
        self.step += 1
        self.elapsed_s += time.monotonic() - began
        rate = max(float(group["lr"]) for group in self.optimiser.param_groups)
        ended = self.step / stage.steps
        return StepReport(self.step, ended, self.elapsed_s, rate, float(loss.detach()))

    def save(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(f".{os.getpid()}.partial")
        cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
        document = {
            "weights": weights(self.stage.module),
            "optimiser": self.optimiser.state_dict(),
            "rng": [torch.get_rng_state(), *cuda],
            "step": self.step,
            "steps": self.stage.steps,
            "elapsed_s": self.elapsed_s,
        }
        torch.save(document, partial)
        partial.replace(path)

    def load(self, path: Path) -> None:
        document = _read(path)
        held, ours = document["weights"], weights(self.stage.module)
        shapes = {name: value.shape for name, value in held.items()}
        if shapes != {n: v.shape for n, v in ours.items()} or document["steps"] != self.stage.steps:
            message = f"{path} is of another network or another schedule; delete it to begin anew"
            raise TrainingError(message, code="CHECKPOINT")
        for name, value in ours.items():
            value.copy_(held[name])
        self.optimiser.load_state_dict(document["optimiser"])
        torch.set_rng_state(document["rng"][0])
        if torch.cuda.is_available() and len(document["rng"]) > 1:
            torch.cuda.set_rng_state_all(document["rng"][1:])
        self.step = int(document["step"])
        self.elapsed_s = float(document["elapsed_s"])


def _read(path: Path) -> dict[str, Any]:
    try:
        document: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, ValueError) as error:
        message = f"{path} cannot be read as weights of a stage: {error}"
        raise TrainingError(message, code="CHECKPOINT") from error
    return document
