"""The network that nnU-Net's plans describe; only its own two kinds of U-Net are built.

Names of classes in `plans.json` are looked up in the tables here, never imported: a plan is data.
"""

from __future__ import annotations

from math import prod
from typing import Any

from dynamic_network_architectures.architectures.unet import PlainConvUNet, ResidualEncoderUNet
from torch import nn

_NETWORKS = {"PlainConvUNet": PlainConvUNet, "ResidualEncoderUNet": ResidualEncoderUNet}
_LAYERS: dict[str, type[nn.Module]] = {
    kind.__name__: kind
    for kind in (
        nn.Conv3d,
        nn.InstanceNorm3d,
        nn.BatchNorm3d,
        nn.LeakyReLU,
        nn.ReLU,
        nn.GELU,
        nn.Dropout3d,
    )
}
_OPS = ("conv_op", "norm_op", "dropout_op", "nonlin")


def build_network(settings: dict[str, Any], channels: int, classes: int) -> nn.Module:
    """Return the network with random weights, without deep supervision.

    Args:
        settings: one configuration of `plans.json`, of nnU-Net 2.0 or later.
        channels: of the input.
        classes: of the output.

    Raises:
        KeyError: a network or a layer that nnU-Net itself does not use.

    """
    name, arguments = _described(settings)
    network: nn.Module = _NETWORKS[name.rpartition(".")[2]](
        input_channels=channels, num_classes=classes, deep_supervision=False, **arguments
    )
    return network


def total_stride(settings: dict[str, Any]) -> tuple[int, int, int]:
    """Return what input shapes must be multiples of, along the network's own axes."""
    strides = _described(settings)[1]["strides"]
    a, b, c = (prod(int(stride[axis]) for stride in strides) for axis in range(3))
    return (a, b, c)


def _described(settings: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    if "architecture" not in settings:
        return _described_before_2_4(settings)
    found = settings["architecture"]
    arguments = dict(found["arch_kwargs"])
    for key in _OPS:
        arguments[key] = _layer(arguments.get(key))
    return found["network_class_name"], arguments


def _layer(name: str | None) -> type[nn.Module] | None:
    return None if name is None else _LAYERS[name.rpartition(".")[2]]


def _described_before_2_4(settings: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Say what nnU-Net built from the older plans, which left most of it to its code."""
    kernels = settings["conv_kernel_sizes"]
    name = settings["UNet_class_name"]
    base, most = settings["UNet_base_num_features"], settings["unet_max_num_features"]
    blocks = "n_conv_per_stage" if name == "PlainConvUNet" else "n_blocks_per_stage"
    return name, {
        "n_stages": len(kernels),
        "features_per_stage": [min(base * 2**n, most) for n in range(len(kernels))],
        "conv_op": nn.Conv3d,
        "kernel_sizes": kernels,
        "strides": settings["pool_op_kernel_sizes"],
        blocks: settings["n_conv_per_stage_encoder"],
        "n_conv_per_stage_decoder": settings["n_conv_per_stage_decoder"],
        "conv_bias": True,
        "norm_op": nn.InstanceNorm3d,
        "norm_op_kwargs": {"eps": 1e-5, "affine": True},
        "dropout_op": None,
        "nonlin": nn.LeakyReLU,
        "nonlin_kwargs": {"inplace": True},
    }
