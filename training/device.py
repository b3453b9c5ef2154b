"""Where a network is fitted: a graphics processor where there is one, else this processor."""

from __future__ import annotations

import torch

from training.errors import TrainingError


def choose_device(name: str) -> torch.device:
    """Return the device of "auto", "cpu", "cuda" or "cuda:1"; "auto" prefers the first "cuda".

    Raises:
        TrainingError: `DEVICE`, there is no such device here.

    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise _unknown(name) from error
    if device.type == "cpu":
        return device
    if device.type != "cuda" or (device.index or 0) >= torch.cuda.device_count():
        raise _unknown(name)
    return device


def _unknown(name: str) -> TrainingError:
    known = ["auto", "cpu", *(f"cuda:{n}" for n in range(torch.cuda.device_count()))]
    message = f"--device {name}: this machine has no such device; use {', '.join(known)}"
    return TrainingError(message, code="DEVICE")
