"""Models whose answers are known, and one that its input makes misbehave, as export writes them."""

import warnings
from pathlib import Path

import torch

from tests.workers.served import write_model
from training.triton import triton_config
from workers.inference.installing import add_version, record_answer
from workers.inference.repository import load_spec
from workers.inference.torchscript import TorchScriptModel

NOT_NUMBERS, SLOW, REFUSES, OTHER_SHAPE, NO_PROBABILITIES = 2.5, 3.5, 4.5, 5.5, 6.5
"""Largest values of the input that make `Moody` misbehave; up to 1 it answers channel 0."""


class Moody(torch.nn.Module):
    """Class 1 is channel 0, as long as the input stays in [0, 1]."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        level = int(x.max().item())
        first = x[:, 0:1].clamp(0.0, 1.0)
        answer = torch.cat([1.0 - first, first], 1)
        if level == 2:
            answer = answer / torch.zeros_like(answer)
        if level == 3:
            work = torch.ones(600, 600)
            for _ in range(300):
                work = torch.mm(work, work).clamp(0.0, 1.0)
            answer = answer * work[0, 0]
        if level == 4:
            answer = torch.cat([answer, x[:, :, :1]], 1)
        if level == 5:
            answer = torch.cat([answer, first * 0.0], 1)
        if level == 6:
            answer = answer * 2.0
        return answer


class Network(torch.nn.Module):
    """Three convolutions with random weights and a softmax."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        torch.manual_seed(seed)
        first, second = torch.nn.Conv3d(2, 8, 3, padding=1), torch.nn.Conv3d(8, 8, 3, padding=1)
        last = torch.nn.Conv3d(8, 2, 1)
        self.layers = torch.nn.Sequential(first, torch.nn.ReLU(), second, torch.nn.ReLU(), last)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.softmax(8.0 * self.layers(4.0 * x), 1)


def write_repository(repository: Path) -> Path:
    """Write `moody`, and `network` in two versions of which the first serves."""
    write_served(repository / "moody", scripted(Moody()))
    write_served(repository / "network", Network(1))
    second = write_model(repository.parent / "second", Network(2), version="2")
    assert add_version(second, repository / "network") == 2
    model = TorchScriptModel(repository / "network", threads=1, version=2)
    record_answer(repository / "network", 2, model.known_answer)
    return repository


def write_served(folder: Path, module: torch.nn.Module) -> Path:
    """Write a model as export does: with Triton's configuration and the known answer."""
    write_model(folder, module, name=folder.name)
    (folder / "config.pbtxt").write_text(triton_config(load_spec(folder)))
    record_answer(folder, 1, TorchScriptModel(folder, threads=1).known_answer)
    return folder


def scripted(module: torch.nn.Module) -> torch.nn.Module:
    """Compile, branches and loops included; a trace would follow one path only."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"`torch\.jit\.", DeprecationWarning)
        return torch.jit.script(module.eval())
