"""The state of a run, and its checkpoint: everything that the next step depends on."""

from __future__ import annotations

import copy
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from training.errors import TrainingError
from training.network import FoldedUNet

if TYPE_CHECKING:
    from pathlib import Path

    from torch import nn

    from training.experiment import Experiment


@dataclass
class RunState:
    """Weights that are trained, their running average, the optimiser, and how far it is.

    Batches are functions of the step, so no generator of theirs needs to be kept.
    """

    network: FoldedUNet
    average: FoldedUNet
    optimiser: torch.optim.Optimizer
    step: int = 0
    elapsed_s: float = 0.0

    @property
    def device(self) -> torch.device:
        """Where the weights lie."""
        return next(self.network.parameters()).device


def new_state(experiment: Experiment, device: torch.device | None = None) -> RunState:
    """Return a run's beginning: random weights from the experiment's seed, alike on any device."""
    torch.manual_seed(experiment.fit.seed)
    spec = experiment.model_spec()
    network = FoldedUNet(experiment.network, len(spec.channels), len(spec.classes))
    network.to(device or torch.device("cpu"))
    optimiser = torch.optim.AdamW(
        network.parameters(),
        lr=experiment.fit.learning_rate,
        weight_decay=experiment.fit.weight_decay,
    )
    return RunState(network, copy.deepcopy(network), optimiser)


def follow(average: nn.Module, network: nn.Module, decay: float, step: int) -> None:
    """Move the running average towards the network: weights and normalisation statistics alike."""
    weight = 1 - min(decay, (1 + step) / (10 + step))
    # Not by state_dict: DynUNet holds its blocks under two names each.
    with torch.no_grad():
        for ours, theirs in zip(average.parameters(), network.parameters(), strict=True):
            ours.lerp_(theirs, weight)
        for held, new in zip(average.buffers(), network.buffers(), strict=True):
            if held.is_floating_point():
                held.lerp_(new, weight)
            else:
                held.copy_(new)


def save_checkpoint(state: RunState, path: Path) -> None:
    """Write the state under its final name in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(f".{os.getpid()}.partial")
    document = {
        "network": state.network.state_dict(),
        "average": state.average.state_dict(),
        "optimiser": state.optimiser.state_dict(),
        "torch_rng": torch.get_rng_state(),
        "step": state.step,
        "elapsed_s": state.elapsed_s,
    }
    torch.save(document, partial)
    partial.replace(path)


def load_checkpoint(state: RunState, path: Path) -> None:
    """Put a checkpoint into `state`.

    Raises:
        TrainingError: `CHECKPOINT`, the file is missing or made for another network.

    """
    try:
        document: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        state.network.load_state_dict(document["network"])
        state.average.load_state_dict(document["average"])
        state.optimiser.load_state_dict(document["optimiser"])
    except (OSError, KeyError, RuntimeError, ValueError) as error:
        message = f"{path} does not fit this experiment: {error}"
        raise TrainingError(message, code="CHECKPOINT") from error
    torch.set_rng_state(document["torch_rng"])
    state.step = int(document["step"])
    state.elapsed_s = float(document["elapsed_s"])
