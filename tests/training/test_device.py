from __future__ import annotations

import pytest
import torch

from training.device import choose_device
from training.errors import TrainingError


def test_auto_is_cuda_where_it_is_and_else_the_processor(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_device("auto") == torch.device("cpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert choose_device("auto") == torch.device("cuda")


def test_a_device_that_is_not_there_is_refused_with_those_that_are(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    assert choose_device("cuda:0") == torch.device("cuda:0")
    for name in ("cuda:1", "tpu", "meta"):
        with pytest.raises(TrainingError, match="use auto, cpu, cuda:0") as caught:
            choose_device(name)
        assert caught.value.code == "DEVICE"
