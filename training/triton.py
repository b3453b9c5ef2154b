"""Triton's `config.pbtxt` of a served model."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from imaging.model import ModelSpec

_TEMPLATE = """\
name: "{name}"
backend: "pytorch"
max_batch_size: 1
version_policy {{ specific {{ versions: [ 1 ] }} }}
input [
  {{ name: "INPUT__0" data_type: TYPE_FP32 dims: [ {channels}, -1, -1, -1 ] }}
]
output [
  {{ name: "OUTPUT__0" data_type: TYPE_FP32 dims: [ {classes}, -1, -1, -1 ] }}
]
parameters {{ key: "DISABLE_OPTIMIZED_EXECUTION" value {{ string_value: "true" }} }}
"""


def triton_config(spec: ModelSpec) -> str:
    """Return the text: one slab a request, three free axes (slice, row, column).

    The PyTorch backend wants inputs named `INPUT__<n>` and outputs `OUTPUT__<n>`. Only the versions
    that are named are loaded. TorchScript's optimiser is off, as in the worker: its profiling runs
    cost more than a study gains, and both then run the same float32 operations.
    """
    return _TEMPLATE.format(name=spec.name, channels=len(spec.channels), classes=len(spec.classes))
