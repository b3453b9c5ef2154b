"""`osteon models import`: from others' files to a folder of the model repository."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from imaging.known_slab import KEY
from imaging.model import ModelSpec
from training.declaration import write_declaration
from training.errors import TrainingError
from training.importing.bundle import is_bundle, read_bundle
from training.importing.card import imported_card
from training.importing.nnunet import is_trained_folder, read_trained_folder
from training.importing.plan import load_plan
from training.importing.serving import Served, freeze_and_check
from training.served import known_answer, write_served
from training.triton import triton_config

if TYPE_CHECKING:
    from pathlib import Path

    from training.importing.plan import ImportPlan
    from training.importing.source import ForeignModel


@dataclass(frozen=True)
class Imported:
    """What was written, and where."""

    folder: Path
    kind: str
    classes: tuple[str, ...]
    sha256: str


def import_model(source: Path, plan_file: Path, repository: Path, *, replace: bool) -> Imported:
    """Bring a MONAI bundle or a trained folder of nnU-Net v2 into the repository's layout.

    Raises:
        TrainingError: `IMPORT`, the source is neither, cannot be read, does not fit the plan, or a
            model of that name is there and `replace` is not set. The repository stays as it was.

    """
    plan = load_plan(plan_file)
    folder = repository / plan.name
    if folder.exists() and not replace:
        message = f"{folder} is there already; choose another name, or --replace it"
        raise TrainingError(message, code="IMPORT")
    model = _read(source, plan)
    classes, position = plan.ours(model.classes)
    served = Served(model.network, model.axes, position, plan.activation)
    frozen = freeze_and_check(served, len(model.channels), model.divisor)
    staging = repository / f".{plan.name}.staging"
    shutil.rmtree(staging, ignore_errors=True)
    try:
        write_served(frozen, staging / "1" / "model.pt")
        digest = hashlib.sha256((staging / "1" / "model.pt").read_bytes()).hexdigest()
        counted_as = {n: classes[p] for n, p in zip(model.classes, position, strict=True)}
        _describe(model, counted_as, _spec(model, plan, classes, digest), staging)
        shutil.rmtree(folder, ignore_errors=True)
        staging.rename(folder)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return Imported(folder, model.kind, classes, digest)


def _read(source: Path, plan: ImportPlan) -> ForeignModel:
    if is_bundle(source):
        return read_bundle(source, plan)
    if is_trained_folder(source):
        return read_trained_folder(source, plan)
    message = (
        f"{source} is neither a MONAI bundle (configs/metadata.json) nor a trained folder of"
        " nnU-Net v2 (plans.json, dataset.json, fold_0)"
    )
    raise TrainingError(message, code="IMPORT")


def _spec(
    model: ForeignModel, plan: ImportPlan, classes: tuple[str, ...], digest: str
) -> ModelSpec:
    step = model.divisor[0]
    slices = max(1, round(plan.slab_slices / step)) * step
    return ModelSpec(
        name=plan.name,
        version=model.version,
        channels=model.channels,
        spacing_mm=model.spacing_mm,
        orientation="SPL",
        slab_slices=slices,
        slab_overlap=min(plan.slab_overlap, slices // 2),
        divisor=model.divisor,
        classes=classes,
        sha256=digest,
    )


def _describe(
    model: ForeignModel, counted_as: dict[str, str], spec: ModelSpec, folder: Path
) -> None:
    free = {
        "tool": {"name": "osteon models import", "torch": torch.__version__.split("+")[0]},
        "imported_from": {"kind": model.kind, "title": model.title, "version": model.version},
        "imported_classes": counted_as,
        "notes": list(model.notes),
        "evaluation": {},
        KEY: known_answer(folder / "1/model.pt", spec),
    }
    (folder / "config.pbtxt").write_text(triton_config(spec), encoding="utf-8")
    (folder / "MODEL_CARD.md").write_text(imported_card(spec, model, free), encoding="utf-8")
    write_declaration(spec, folder / "osteon.json", free)
