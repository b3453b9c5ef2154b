"""Triton's `config.pbtxt` of a served model."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from imaging.model import ModelSpec

_TEMPLATE = """\
name: "{name}"
backend: "pytorch"
max_batch_size: 1
input [
  {{ name: "INPUT__0" data_type: TYPE_FP32 dims: [ {channels}, -1, -1, -1 ] }}
]
output [
  {{ name: "OUTPUT__0" data_type: TYPE_FP32 dims: [ {classes}, -1, -1, -1 ] }}
]
"""


def triton_config(spec: ModelSpec) -> str:
    """Return the text: one slab a request, three free axes (slice, row, column).

    The PyTorch backend wants inputs named `INPUT__<n>` and outputs `OUTPUT__<n>`.
    """
    return _TEMPLATE.format(name=spec.name, channels=len(spec.channels), classes=len(spec.classes))
