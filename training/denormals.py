"""Numbers too small for a normal float are 0: on a CPU each of them costs a trap.

A network that is sure gives millions of vanishing probabilities, and then most of a step is traps.
"""

from __future__ import annotations

import torch


def flush_denormals() -> None:
    """Let this process count them as 0; before torch starts its threads, which inherit it."""
    torch.set_flush_denormal(True)
