"""A served model that is quick and knows bone by the ADC of marrow, so that disease is found.

It draws search regions, no anatomy: the numbers of a study that it measured mean nothing, but all
of them are there: disease, lesions, regions, organs, and bones that two visits can be matched by.
"""

import warnings
from pathlib import Path

import torch
from torch.nn.functional import max_pool3d, pad

from imaging.anatomy import BY_NAME, STRUCTURES
from tests.acceptance.quick_model import write_anatomy

_UPWARDS = ("pelvis", "lumbar_spine", "thoracic_spine", "background")
"""Of the slab's slices a quarter each, from the feet to the head, where the brain is no disease."""


class MarrowIsBone(torch.nn.Module):
    """Bone is around marrow's ADC, 250 to 650 µm²/s; fluid, from 2000, is bladder or canal.

    The canal is fluid in the middle of the back that goes on for 30 cm. The numbers were tried
    until the cord in it passed its checks at both visits of `scenes.acquisitions`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.classes = len(STRUCTURES)
        self.bones = [BY_NAME[name].label for name in _UPWARDS]
        self.bladder = BY_NAME["bladder"].label
        self.canal = BY_NAME["spinal_canal"].label

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        adc, s0 = x[:, 0], x[:, 1]
        fluid = ((adc > 2.0) & (s0 > 1.0)).float()
        canal = self._tube(fluid)
        bladder = fluid * (1.0 - canal)
        marrow = ((adc > 0.25) & (adc < 0.65) & (s0 > 0.25)).float()
        bone = max_pool3d(marrow[:, None], [1, 3, 3], 1, [0, 1, 1])[:, 0]
        bone = bone * (1.0 - canal) * (1.0 - bladder)
        quarter = torch.arange(x.shape[2]) * len(self.bones) // x.shape[2]
        parts = [torch.zeros_like(bone)] * self.classes
        for number, label in enumerate(self.bones):
            parts[label] = bone * (quarter == number).float()[None, :, None, None] * 0.98
        parts[self.bladder] = bladder * 0.98
        parts[self.canal] = canal * 0.98
        parts[0] = 1.0 - torch.stack(parts[1:], 1).sum(1)
        return torch.stack(parts, 1)

    def _tube(self, fluid: torch.Tensor) -> torch.Tensor:
        middle = (torch.arange(fluid.shape[3]) - fluid.shape[3] // 2).abs() < 2
        behind = torch.arange(fluid.shape[2]) * 100 // fluid.shape[2] > 64
        column = (fluid * middle.float() * behind.float()[:, None])[:, None]
        column = max_pool3d(column, [1, 5, 3], 1, [0, 2, 1])
        # Closed over 17 cm, for coarse pixels lose the canal where it is thin.
        column = -max_pool3d(
            -max_pool3d(column, [17, 1, 1], 1, [8, 0, 0]), [17, 1, 1], 1, [8, 0, 0]
        )
        tube = -max_pool3d(-column, [31, 1, 1], 1, [15, 0, 0])
        tube = max_pool3d(tube, [31, 1, 1], 1, [15, 0, 0])
        return -max_pool3d(pad(-tube, [0, 0, 0, 1]), [1, 2, 1], 1)[:, 0]


def write_models(repository: Path, module: torch.nn.Module) -> Path:
    """Write a repository whose anatomy is `module`."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"`torch\.jit\.", DeprecationWarning)
        scripted = torch.jit.script(module.eval())
    return write_anatomy(repository, "marrow-is-bone", scripted, [10.0, 5.0, 5.0], slab_slices=96)
