from __future__ import annotations

import torch

from training.denormals import flush_denormals


def test_what_is_too_small_for_a_normal_float_is_0():
    small = torch.tensor([1e-30], dtype=torch.float32)
    try:
        torch.set_flush_denormal(False)
        assert float(small * 1e-10) > 0
        flush_denormals()
        assert float(small * 1e-10) == 0
    finally:
        torch.set_flush_denormal(False)
