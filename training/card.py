"""A served model's card and declaration after its export: its file stays byte for byte.

Its threshold is chosen with the file, and the rules around a network change more often than the
network: then its evaluation is made again, not its file.
"""

from __future__ import annotations

import json
import os
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from phantom.patient import HELD_OUT
from training.body_models import population
from training.declaration import read_declaration, write_declaration
from training.errors import TrainingError
from training.model_card import model_card

if TYPE_CHECKING:
    from pathlib import Path

    from imaging.model import ModelSpec


OTHER_BODY = "evaluation_other_body"
"""Free field of `osteon.json`: the evaluation on a body model that training never saw."""


def renew_card(folder: Path, evaluation: dict[str, Any]) -> None:
    """Put `evaluation` into `MODEL_CARD.md` and `osteon.json` of the model in `folder`.

    One that was made on a held-out body model stands beside the other, in a section of its own.

    Raises:
        TrainingError: `EXPORT`, another model file was evaluated, or with other thresholds.

    """
    spec, free = _read(folder)
    if evaluation["model_sha256"] != spec.sha256:
        message = f"the evaluation was made with another file than {folder}/1/model.pt"
        raise TrainingError(message, code="EXPORT")
    if evaluation.get("thresholds", spec.thresholds) != spec.thresholds:
        message = f"the evaluation was made with other thresholds than {folder}/osteon.json has"
        raise TrainingError(message, code="EXPORT")
    other = evaluation["population"] in {population(model) for model in HELD_OUT}
    _write(folder, spec, {**free, OTHER_BODY if other else "evaluation": evaluation})


def set_thresholds(folder: Path, thresholds: dict[str, float], chosen: dict[str, Any]) -> None:
    """Serve the model in `folder` with other thresholds, and keep how they were `chosen`.

    Its evaluations go, since they were made with the older ones.
    """
    spec, free = _read(folder)
    spec = replace(spec, thresholds=thresholds)
    free.pop(OTHER_BODY, None)
    _write(folder, spec, {**free, "threshold": chosen, "evaluation": {}})


def _read(folder: Path) -> tuple[ModelSpec, dict[str, Any]]:
    spec = read_declaration(folder / "osteon.json")
    document = json.loads((folder / "osteon.json").read_text(encoding="utf-8"))
    return spec, {k: document[k] for k in document if k not in {f.name for f in fields(spec)}}


def _write(folder: Path, spec: ModelSpec, free: dict[str, Any]) -> None:
    card = folder / f"MODEL_CARD.{os.getpid()}.partial"
    card.write_text(model_card(spec, free), encoding="utf-8")
    declaration = card.with_name(f"osteon.{os.getpid()}.partial")
    write_declaration(spec, declaration, free)
    card.replace(folder / "MODEL_CARD.md")
    declaration.replace(folder / "osteon.json")
