"""A trained folder of nnU-Net v2: `plans.json`, `dataset.json`, `fold_X/checkpoint_final.pth`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from imaging.model import Channel
from training.errors import TrainingError
from training.importing.architecture import build_network, total_stride
from training.importing.axes import Axes
from training.importing.source import ForeignModel

if TYPE_CHECKING:
    from pathlib import Path

    from training.importing.plan import ImportPlan

_CLIP = 100.0
"""nnU-Net does not clip; no real signal is a hundred deviations away."""
_OTHER_WINDOW = (
    "nnU-Net slides a window of its patch size and mirrors; here a slab is the whole cross-section,"
    " so layers that normalise by their input see other statistics"
)
# Checkpoints hold numpy scalars in their log; nothing else than weights, numbers and text may load.
_HARMLESS = [
    np._core.multiarray.scalar,  # type: ignore[attr-defined]  # noqa: SLF001 - its pickled name
    np.dtype,
    *(type(np.dtype(kind)) for kind in ("f4", "f8", "i4", "i8", "bool")),
]


def is_trained_folder(folder: Path) -> bool:
    """Whether the folder looks like nnU-Net's."""
    return (folder / "plans.json").is_file() and (folder / "dataset.json").is_file()


def read_trained_folder(folder: Path, plan: ImportPlan) -> ForeignModel:
    """Build the network from the plans and fill it with the weights of one fold.

    Raises:
        TrainingError: `IMPORT`, a file is missing or damaged, the network is none of those known,
            or the input is normalised in a way that Osteon does not make.

    """
    checkpoint = _checkpoint(folder / f"fold_{plan.fold}" / "checkpoint_final.pth")
    plans, dataset = _json(folder / "plans.json"), _json(folder / "dataset.json")
    try:
        name = plan.configuration or str(checkpoint["init_args"]["configuration"])
        settings = _configuration(plans["configurations"], name)
        labels = {int(number): label for label, number in dataset["labels"].items()}
        classes = tuple(labels[n] for n in range(len(labels)))
        names = dataset["channel_names"]
        axes = Axes("".join("SPL"[n] for n in plans["transpose_forward"]))
        network = build_network(settings, len(names), len(classes))
        network.load_state_dict({_plain(k): v for k, v in checkpoint["network_weights"].items()})
        a, b, c = settings["spacing"]
        schemes = [str(scheme) for scheme in settings["normalization_schemes"]]
        masked = any(settings.get("use_mask_for_norm", []))
    except (KeyError, TypeError, ValueError, RuntimeError, AttributeError, IndexError) as error:
        message = f"{folder} is no trained folder of nnU-Net v2 that can be used: {error!r:.300}"
        raise TrainingError(message, code="IMPORT") from error
    k, j, i = axes.to_ours(total_stride(settings))
    return ForeignModel(
        kind="nnU-Net v2",
        title=str(plans.get("dataset_name", folder.name)),
        version=plan.version or f"fold {plan.fold}",
        network=network.eval(),
        axes=axes,
        channels=_channels(plan, schemes, tuple(names.values())),
        classes=classes,
        spacing_mm=axes.to_ours((float(a), float(b), float(c))),
        divisor=(int(k), int(j), int(i)),
        notes=(
            f"configuration {name}, fold {plan.fold} alone; nnU-Net averages its folds",
            _OTHER_WINDOW,
            *(["nnU-Net normalised inside a mask, here it is the whole crop"] if masked else []),
        ),
    )


def _channels(plan: ImportPlan, schemes: list[str], names: tuple[str, ...]) -> tuple[Channel, ...]:
    if len(plan.channels) != len(names):
        message = (
            f"the model takes {len(names)} channels ({', '.join(names)}), the file names"
            f" {len(plan.channels)} under `channels`"
        )
        raise TrainingError(message, code="IMPORT")
    return tuple(
        given if isinstance(given, Channel) else _channel(given, scheme)
        for given, scheme in zip(plan.channels, schemes, strict=True)
    )


def _channel(quantity: str, scheme: str) -> Channel:
    if scheme == "ZScoreNormalization":
        return Channel(quantity, "zscore", 1.0, _CLIP)
    message = (
        f"channel {quantity} was normalised by {scheme}; give its normalisation, scale and clip"
        " under `channels`, or use a model with ZScoreNormalization"
    )
    raise TrainingError(message, code="IMPORT")


def _configuration(configurations: dict[str, Any], name: str) -> dict[str, Any]:
    """Return a configuration with what it inherits."""
    own = dict(configurations[name])
    parent = own.pop("inherits_from", None)
    return {**_configuration(configurations, parent), **own} if parent else own


def _plain(key: str) -> str:
    """Return a weight's name without what torch.compile and data parallel put before it."""
    return key.removeprefix("module.").removeprefix("_orig_mod.")


def _checkpoint(path: Path) -> dict[str, Any]:
    try:
        with torch.serialization.safe_globals(_HARMLESS):
            loaded: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, ValueError, EOFError) as error:
        message = f"{path} cannot be loaded as weights alone: {str(error).splitlines()[0]}"
        raise TrainingError(message, code="IMPORT") from error
    return loaded


def _json(path: Path) -> dict[str, Any]:
    try:
        document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise TrainingError(f"{path} cannot be read: {error}", code="IMPORT") from error
    return document
