"""Networks by name, their parts, and weights that go from one to the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from monai.networks.nets.swin_unetr import SwinUNETR
from torch import Tensor, nn

from training.errors import TrainingError
from training.experiment import NetworkSettings
from training.network import FoldedUNet

if TYPE_CHECKING:
    from collections.abc import Mapping

    from training.focal.settings import FocalNetwork

ENCODER, DECODER, HEAD = "encoder", "decoder", "head"
_BEGINNINGS = (
    ("out.", HEAD),
    ("body.output_block.", HEAD),
    ("decoder", DECODER),
    ("body.upsamples.", DECODER),
)


@dataclass(frozen=True)
class Loaded:
    """What a transfer did: how many tensors and values came over by part, and what stays new."""

    tensors: dict[str, int]
    values: dict[str, int]
    left_new: tuple[str, ...]

    def in_words(self) -> str:
        """Return one sentence for a log."""
        parts = [
            f"{self.tensors[p]} tensors of the {p} ({self.values[p]} values)" for p in self.tensors
        ]
        return f"loaded {' and '.join(parts) or 'nothing'}; {len(self.left_new)} tensors stay new"


def build_network(settings: FocalNetwork, channels: int, classes: int, seed: int) -> nn.Module:
    """Return a network with random weights: (n, channel, K, J, I) → logits (n, class, K, J, I)."""
    torch.manual_seed(seed)
    if settings.kind == "residual_unet":
        return FoldedUNet(NetworkSettings(settings.filters, settings.fold), channels, classes)
    network: nn.Module = SwinUNETR(
        in_channels=channels,
        out_channels=classes,
        feature_size=settings.feature_size,
        drop_rate=settings.dropout,
        attn_drop_rate=settings.dropout,
        dropout_path_rate=settings.dropout,
    )
    return network


def part_of(name: str) -> str:
    """Return the part that a parameter of either network belongs to, by its name."""
    for beginning, part in _BEGINNINGS:
        if name.startswith(beginning):
            return part
    return ENCODER


def weights(network: nn.Module) -> dict[str, Tensor]:
    """Return parameters and buffers, each under one name (DynUNet's state dict has two)."""
    held = dict(network.named_parameters()) | dict(network.named_buffers())
    return {name: value.detach() for name, value in held.items()}


def transfer(source: Mapping[str, Tensor], network: nn.Module, parts: tuple[str, ...]) -> Loaded:
    """Copy the weights of `parts` into the network, in place; the others stay as they are.

    Raises:
        TrainingError: `CHECKPOINT`, a tensor of these parts is missing or of another shape.

    """
    tensors, values = dict.fromkeys(parts, 0), dict.fromkeys(parts, 0)
    new = []
    for name, value in weights(network).items():
        part = part_of(name)
        if part not in parts:
            new.append(name)
            continue
        if name not in source or source[name].shape != value.shape:
            message = f"the weights to begin from do not fit the network: {name}; pre-train again"
            raise TrainingError(message, code="CHECKPOINT")
        value.copy_(source[name])
        tensors[part] += 1
        values[part] += value.numel()
    return Loaded(tensors, values, tuple(new))


def rate_groups(network: nn.Module, rates: tuple[float, float]) -> list[dict[str, Any]]:
    """Return the optimiser's groups: the encoder at its rate, decoder and head at the other."""
    by_part: dict[str, list[nn.Parameter]] = {ENCODER: [], DECODER: []}
    for name, value in network.named_parameters():
        by_part[ENCODER if part_of(name) == ENCODER else DECODER].append(value)
    return [
        {"params": by_part[part], "name": part, "rate": rate}
        for part, rate in zip((ENCODER, DECODER), rates, strict=True)
    ]


def deep_features(network: nn.Module, image: Tensor) -> Tensor:
    """Return the encoder's coarsest map (n, feature, k, j, i)."""
    if isinstance(network, FoldedUNet):
        n, c, k, j, i = image.shape
        f = network.fold
        parts = image.reshape(n, c, k, j // f, f, i // f, f).permute(0, 1, 4, 6, 2, 3, 5)
        body: Any = network.body
        features = body.input_block(parts.reshape(n, c * f * f, k, j // f, i // f))
        for block in body.downsamples:
            features = block(features)
        result: Tensor = body.bottleneck(features)
        return result
    swin: Any = network
    deepest: Tensor = swin.swinViT(image, swin.normalize)[4]
    return deepest
