"""A served model's card and declaration after a new evaluation: its file stays byte for byte.

The rules around a network change more often than the network: then its evaluation is made again,
not its file.
"""

from __future__ import annotations

import json
import os
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from training.declaration import read_declaration, write_declaration
from training.errors import TrainingError
from training.model_card import model_card

if TYPE_CHECKING:
    from pathlib import Path


def renew_card(folder: Path, evaluation: dict[str, Any]) -> None:
    """Put `evaluation` into `MODEL_CARD.md` and `osteon.json` of the model in `folder`.

    Raises:
        TrainingError: `EXPORT`, another model file was evaluated.

    """
    spec = read_declaration(folder / "osteon.json")
    if evaluation["model_sha256"] != spec.sha256:
        message = f"the evaluation was made with another file than {folder}/1/model.pt"
        raise TrainingError(message, code="EXPORT")
    document = json.loads((folder / "osteon.json").read_text(encoding="utf-8"))
    free = {key: document[key] for key in document if key not in {f.name for f in fields(spec)}}
    free["evaluation"] = evaluation
    card = folder / f"MODEL_CARD.{os.getpid()}.partial"
    card.write_text(model_card(spec, free), encoding="utf-8")
    declaration = card.with_name(f"osteon.{os.getpid()}.partial")
    write_declaration(spec, declaration, free)
    card.replace(folder / "MODEL_CARD.md")
    declaration.replace(folder / "osteon.json")
