"""Prepared cases in the raw data layout of nnU-Net v2, so that others can train on the same."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

from imaging.nifti import write_image
from training.tasks import TASKS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from imaging.model import Channel
    from training.cases import Case
    from training.experiment import Experiment

_ENDING = ".nii.gz"


def write_dataset(
    experiment: Experiment, cases: Sequence[Case], held_out: Sequence[Case], folder: Path
) -> int:
    """Write the cases to `folder`; return how many.

    A channel that the model wants divided by a fixed scale is written in its own unit; one that
    is relative to the body's stays so. `splits_final.json` is what nnU-Net looks for in its
    folder of preprocessed data: Osteon's own split as fold 0.
    """
    for name in ("imagesTr", "labelsTr"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for case in (*cases, *held_out):
        _write_case(case, experiment.grid.channels, folder)
    classes = TASKS[experiment.task].classes
    document = {
        "channel_names": {str(n): c.quantity for n, c in enumerate(experiment.grid.channels)},
        "labels": {name: number for number, name in enumerate(classes)},
        "numTraining": len(cases) + len(held_out),
        "file_ending": _ENDING,
        "name": experiment.name,
        "description": "Written by osteon train export-cases: on the model's grid, cropped",
    }
    _write_json(document, folder / "dataset.json")
    split = {"train": [c.name for c in cases], "val": [c.name for c in held_out]}
    _write_json([split], folder / "splits_final.json")
    return len(cases) + len(held_out)


def _write_case(case: Case, channels: Sequence[Channel], folder: Path) -> None:
    given = case.model_input
    for n, channel in enumerate(channels):
        scale = channel.scale if channel.normalisation == "fixed" else 1.0
        path = folder / "imagesTr" / f"{case.name}_{n:04d}{_ENDING}"
        write_image(given.array[n] * np.float32(scale), given.geometry, path)
    write_image(case.labels, given.geometry, folder / "labelsTr" / f"{case.name}{_ENDING}")


def _write_json(document: object, path: Path) -> None:
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
