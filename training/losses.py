"""Soft Dice and cross-entropy: alpha x Dice + (1 - alpha) x CE (`papers.md` A.1).

The paper's alpha is not known; Osteon's default is 0.5.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

_SMALL = 1e-5


def segmentation_loss(logits: Tensor, target: Tensor, alpha: float) -> Tensor:
    """Return the loss of a batch, all its voxels pooled.

    Dice is averaged over the foreground classes that the target holds; what the target does not
    hold is left to the cross-entropy.

    Args:
        logits: (voxel, class).
        target: probabilities (voxel, class), float, or class numbers (voxel,), integer.
        alpha: the share of Dice, 0 to 1.

    """
    log_p = functional.log_softmax(logits.float(), dim=-1)
    if target.is_floating_point():
        cross_entropy = -(target * log_p).sum(-1).mean()
        p = log_p.exp()
        shared = (p * target).sum(0)
        held = target.sum(0)
    else:
        log_p_target = log_p.gather(1, target[:, None])[:, 0]
        cross_entropy = -log_p_target.mean()
        p = log_p.exp()
        n = logits.shape[1]
        shared = torch.zeros(n, device=p.device).index_add(0, target, log_p_target.exp())
        held = torch.bincount(target, minlength=n).float()
    dice = 2 * shared / (p.sum(0) + held + _SMALL)
    present = held > 0
    present[0] = False
    loss = (1 - alpha) * cross_entropy
    if bool(present.any()):
        loss = loss + alpha * (1 - dice[present].mean())
    return loss
