"""A MONAI bundle: `configs/metadata.json` with `models/model.ts`, or a network and its weights.

Of a bundle's configuration only the network is built, and only of MONAI's own networks with plain
values: a bundle's expressions ("$...") are programs and are not run.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import torch
import yaml
from monai.bundle.config_parser import ConfigParser

from imaging.model import Channel
from training.errors import TrainingError
from training.importing.axes import Axes
from training.importing.source import ForeignModel

if TYPE_CHECKING:
    from pathlib import Path

    from torch import nn

    from training.importing.plan import ImportPlan

_CONFIGS = ("inference.json", "inference.yaml", "train.json", "train.yaml")
_NETWORKS = "monai.networks.nets."
_USUAL_DIVISOR = 32


def is_bundle(folder: Path) -> bool:
    """Whether the folder looks like a bundle."""
    return (folder / "configs" / "metadata.json").is_file()


def read_bundle(folder: Path, plan: ImportPlan) -> ForeignModel:
    """Read a bundle.

    Raises:
        TrainingError: `IMPORT`, a file is missing or damaged, metadata and plan disagree, or the
            network is none of MONAI's with plain values.

    """
    metadata = _document(folder / "configs" / "metadata.json")
    try:
        formats = metadata["network_data_format"]
        (given,), (answer,) = formats["inputs"].values(), formats["outputs"].values()
        n_channels, names = int(given["num_channels"]), answer["channel_def"]
        classes = tuple(str(names[str(n)]) for n in range(int(answer["num_channels"])))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        message = f"{folder}: metadata.json does not say one input and one output ({error!r})"
        raise TrainingError(message, code="IMPORT") from error
    axes = Axes(plan.axes)
    if plan.spacing_mm is None:
        message = "a bundle does not say its voxel size: give spacing_mm, along its own axes"
        raise TrainingError(message, code="IMPORT")
    k, j, i = axes.to_ours(plan.divisor or _divisor(given.get("spatial_shape")))
    return ForeignModel(
        kind="MONAI bundle",
        title=str(metadata.get("name", folder.name)),
        version=plan.version or str(metadata.get("version", "")),
        network=_network(folder).eval(),
        axes=axes,
        channels=_channels(plan, n_channels),
        classes=classes,
        spacing_mm=axes.to_ours(plan.spacing_mm),
        divisor=(int(k), int(j), int(i)),
        notes=("the bundle's own pre- and post-processing is not run",),
    )


def _channels(plan: ImportPlan, n_channels: int) -> tuple[Channel, ...]:
    found = tuple(channel for channel in plan.channels if isinstance(channel, Channel))
    if len(found) != n_channels or len(plan.channels) != n_channels:
        message = (
            f"the bundle takes {n_channels} channels: name {n_channels} under `channels`, each with"
            " quantity, normalisation, scale and clip"
        )
        raise TrainingError(message, code="IMPORT")
    return found


def _divisor(shape: object) -> tuple[int, int, int]:
    """Read "16*n" of each axis; a fixed size is its own divisor."""
    sizes = shape if isinstance(shape, list) and len(shape) == 3 else [_USUAL_DIVISOR] * 3
    found = [str(size).replace("n", "").replace("*", "").strip() for size in sizes]
    a, b, c = (int(size) if size.isdigit() else _USUAL_DIVISOR for size in found)
    return (a, b, c)


def _network(folder: Path) -> nn.Module:
    scripted = folder / "models" / "model.ts"
    try:
        if scripted.is_file():
            loaded: nn.Module = torch.jit.load(str(scripted), map_location="cpu")  # type: ignore[no-untyped-call]
            return loaded
        weights = torch.load(folder / "models" / "model.pt", map_location="cpu", weights_only=True)
        network = _built(folder)
        state = next((weights[k] for k in ("state_dict", "model") if k in weights), weights)
        network.load_state_dict(state)
    except (OSError, RuntimeError, ValueError, TypeError, EOFError) as error:
        first = str(error).strip().splitlines()[0]
        message = f"{folder}: the network and its weights cannot be loaded: {first}"
        raise TrainingError(message, code="IMPORT") from error
    return network


def _built(folder: Path) -> nn.Module:
    path = next((p for c in _CONFIGS if (p := folder / "configs" / c).is_file()), None)
    if path is None:
        message = f"{folder}: neither models/model.ts nor configs/{_CONFIGS[0]} is there"
        raise TrainingError(message, code="IMPORT")
    parser = ConfigParser(_document(path))
    definition = parser.get("network_def")
    if not isinstance(definition, dict):
        raise TrainingError(f"{path} holds no network_def", code="IMPORT")
    target = str(definition.get("_target_", ""))
    if "." in target and not target.startswith(_NETWORKS):
        message = f"{path}: {target} is not one of MONAI's networks; export the bundle as model.ts"
        raise TrainingError(message, code="IMPORT")
    _refuse_programs(definition, parser, path)
    network: nn.Module = parser.get_parsed_content("network_def")
    return network


def _refuse_programs(value: Any, parser: ConfigParser, path: Path) -> None:  # noqa: ANN401
    """Walk the definition and what it refers to; nothing in it may be an expression or a class."""
    held = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    for inner in held:
        text = inner if isinstance(inner, str) else ""
        if text.startswith(("$", "%")) or (isinstance(inner, dict) and "_target_" in inner):
            message = (
                f"{path}: network_def holds a program ({text or 'a component'}), which is not run;"
                " export the bundle as model.ts"
            )
            raise TrainingError(message, code="IMPORT")
        _refuse_programs([parser.get(text[1:])] if text.startswith("@") else inner, parser, path)


def _document(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
        document = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
        return dict(document)
    except (OSError, ValueError, TypeError, yaml.YAMLError) as error:
        raise TrainingError(f"{path} cannot be read: {error}", code="IMPORT") from error
