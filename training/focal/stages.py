"""The three stages: skeletal and self-supervised pre-training, and fine-tuning for lesions."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import torch
from monai.losses.dice import DiceCELoss

from training.device import choose_device
from training.focal.cases import SKELETON_CLASSES
from training.focal.fit import Stage, read_weights
from training.focal.network import DECODER, ENCODER, HEAD, build_network, rate_groups, transfer
from training.focal.patches import aimed_centre, any_centre, change, take_patch
from training.focal.pretext import Pretext, make_views, pretext_loss
from training.focal.sampler import epoch_plan, index_lesions
from training.focal.settings import CHANNELS, LESION_CLASSES
from training.inference import autocast, has_bf16

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from torch import Tensor, nn

    from training.cases import Case
    from training.focal.network import Loaded
    from training.focal.settings import FocalExperiment, StageSettings

    Pair = tuple[Tensor, Tensor]

COMES_OVER = {"sap": (ENCODER, DECODER), "ssl": (ENCODER,), "random": ()}
"""Parts of the pre-trained network by initialisation; the head is always new (`papers.md` B.3)."""


def skeleton_stage(experiment: FocalExperiment, cases: Sequence[Case]) -> Stage:
    """Return the stage that learns skeletal regions and background of healthy people."""
    network = _network(experiment, len(SKELETON_CLASSES))
    settings = experiment.skeleton

    def pairs(step: int) -> list[Pair]:
        keys = [(experiment.seed, 1, step, n) for n in range(settings.batch)]
        return [_anywhere(experiment, cases, key, settings.aimed_share) for key in keys]

    loss = _segmentation(experiment, network, pairs, settings)
    groups = rate_groups(network, settings.rates)
    return Stage(network, groups, settings, _scans_per_epoch(settings, cases), loss)


def ssl_stage(experiment: FocalExperiment, cases: Sequence[Case]) -> Stage:
    """Return the stage that learns from healthy people without labels."""
    network = _network(experiment, len(LESION_CLASSES))
    patch = torch.zeros((1, len(CHANNELS), *experiment.patch), device=_device(experiment))
    torch.manual_seed(experiment.seed)
    module = Pretext(network, experiment.pretext, patch).to(patch.device)
    settings = experiment.ssl

    def loss(step: int) -> Tensor:
        keys = [(experiment.seed, 2, step, n) for n in range(settings.batch)]
        patches = torch.stack([_anywhere(experiment, cases, key)[0] for key in keys])
        rng = np.random.default_rng((experiment.seed, 3, step))
        views = make_views(patches, experiment.pretext.masked_share, rng).to(patch.device)
        with fast(experiment):
            answers = module(views.image)
        return pretext_loss(answers, views, experiment.pretext)

    groups = [{"params": list(module.parameters()), "name": "all", "rate": settings.rates[0]}]
    return Stage(module, groups, settings, _scans_per_epoch(settings, cases), loss)


def lesion_stage(
    experiment: FocalExperiment, cases: Sequence[Case], pretrained: Mapping[str, Tensor]
) -> tuple[Stage, Loaded]:
    """Return the stage that learns lesions from `pretrained` weights, and what came over.

    `experiment.initialisation` says which parts come over and how fast they may move.
    """
    network = _network(experiment, len(LESION_CLASSES))
    loaded = transfer(pretrained, network, COMES_OVER[experiment.initialisation])
    settings, patch = experiment.lesions.stage, experiment.patch
    indexed = [index_lesions(case, patch) for case in cases]
    share = experiment.lesions.bright_share
    planned = lru_cache(2)(lambda epoch: epoch_plan(indexed, patch, experiment.seed, epoch, share))
    per_epoch = max(-(-len(planned(0)) // settings.batch), 1)

    def pairs(step: int) -> list[Pair]:
        epoch, place = divmod(step, per_epoch)
        found = []
        for n, p in enumerate(planned(epoch)[place * settings.batch :][: settings.batch]):
            rng = np.random.default_rng((experiment.seed, 4, step, n))
            image, labels = take_patch(cases[p.case], p.centre, patch)
            found.append(change(image, labels, experiment.augmentation, rng))
        return found

    loss = _segmentation(experiment, network, pairs, settings)
    groups = rate_groups(network, experiment.rates())
    return Stage(network, groups, settings, per_epoch, loss), loaded


def lesion_network(experiment: FocalExperiment, checkpoint: Path) -> nn.Module:
    """Return the lesion network that a finished stage left.

    Raises:
        TrainingError: `CHECKPOINT`, there is none, or it is of another network.

    """
    network = _network(experiment, len(LESION_CLASSES))
    transfer(read_weights(checkpoint), network, (ENCODER, DECODER, HEAD))
    return network


def skeleton_network(experiment: FocalExperiment, checkpoint: Path) -> nn.Module:
    """Return the network of skeletal regions that SAP's pre-training left.

    Raises:
        TrainingError: `CHECKPOINT`, there is none, or it is of another network.

    """
    network = _network(experiment, len(SKELETON_CLASSES))
    transfer(read_weights(checkpoint), network, (ENCODER, DECODER, HEAD))
    return network


def dice_ce(settings: StageSettings) -> DiceCELoss:
    """Return Dice and cross-entropy as published (`papers.md` B.3), or with Dice over the batch."""
    return DiceCELoss(
        include_background=False,
        to_onehot_y=True,
        softmax=True,
        batch=settings.dice_over_batch,
        smooth_nr=1e-5,
        smooth_dr=1e-5,
    )


def _network(experiment: FocalExperiment, classes: int) -> nn.Module:
    network = build_network(experiment.network, len(CHANNELS), classes, experiment.seed)
    return network.to(_device(experiment))


def _segmentation(
    experiment: FocalExperiment,
    network: nn.Module,
    pairs: Callable[[int], list[Pair]],
    settings: StageSettings,
) -> Callable[[int], Tensor]:
    criterion = dice_ce(settings)
    device = _device(experiment)

    def loss(step: int) -> Tensor:
        found = pairs(step)
        image, labels = (torch.stack(list(part)).to(device) for part in zip(*found, strict=True))
        with fast(experiment):
            logits = network(image)
        value: Tensor = criterion(logits.float(), labels)
        return value

    return loss


def _anywhere(
    experiment: FocalExperiment,
    cases: Sequence[Case],
    key: tuple[int, ...],
    aimed_share: float = 0.0,
) -> tuple[Tensor, Tensor]:
    rng = np.random.default_rng(key)
    case = cases[int(rng.integers(len(cases)))]
    aimed = aimed_share > 0 and rng.random() < aimed_share
    centre = (aimed_centre if aimed else any_centre)(case, rng)
    image, labels = take_patch(case, centre, experiment.patch)
    return change(image, labels, experiment.augmentation, rng)


def _scans_per_epoch(settings: StageSettings, cases: Sequence[Case]) -> int:
    return max(-(-len(cases) * settings.patches_per_scan // settings.batch), 1)


def _device(experiment: FocalExperiment) -> torch.device:
    return choose_device(experiment.device)


def fast(experiment: FocalExperiment) -> AbstractContextManager[object]:
    """Return the context of bfloat16, where it is faster."""
    kind = _device(experiment).type
    return autocast(bf16=experiment.bf16 and (kind == "cuda" or has_bf16()), device=kind)
