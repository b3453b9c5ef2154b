"""Which body models a network may be trained on, and how patients of each are named."""

from __future__ import annotations

from typing import TYPE_CHECKING

from phantom.patient import HELD_OUT, BodyModelName
from training.errors import TrainingError

if TYPE_CHECKING:
    from collections.abc import Iterable

_PREFIX = {BodyModelName.BEADED: "phantom", BodyModelName.CONTOURED: "contoured"}
_POPULATION = {
    BodyModelName.BEADED: "Synthetic patients (phantom seeds)",
    BodyModelName.CONTOURED: (
        'Synthetic patients of the body model "contoured", on which nothing is trained'
    ),
}


def case_name(seed: int, body_model: BodyModelName) -> str:
    """Return the name of a synthetic patient's case."""
    return f"{_PREFIX[body_model]}-{seed:05d}"


def population(body_model: BodyModelName) -> str:
    """Say in an evaluation who the patients were."""
    return _POPULATION[body_model]


def refuse_held_out(body_model: BodyModelName) -> None:
    """Keep held-out body models out of training.

    Raises:
        TrainingError: `HELD_OUT_BODY`, nothing may be trained on it.

    """
    if body_model in HELD_OUT:
        message = (
            f'the body model "{body_model}" is kept for evaluation, to see what carries over to '
            f'other bodies; prepare cases with "{BodyModelName.BEADED}"'
        )
        raise TrainingError(message, code="HELD_OUT_BODY")


def refuse_held_out_patient(patient_id: str) -> None:
    """Refuse to make a case of a study that `osteon phantom` wrote of a held-out body model.

    Raises:
        TrainingError: `HELD_OUT_BODY`, it is such a patient.

    """
    for body_model in HELD_OUT:
        if patient_id.startswith(f"OSTEON-PHANTOM-{body_model.upper()}-"):
            refuse_held_out(body_model)


def refuse_held_out_cases(names: Iterable[str]) -> None:
    """Refuse to fit on cases of a held-out body model, wherever they came from.

    Raises:
        TrainingError: `HELD_OUT_BODY`, one of them is such a case.

    """
    prefixes = tuple(f"{_PREFIX[model]}-" for model in HELD_OUT)
    for name in names:
        if name.startswith(prefixes):
            message = (
                f"the case {name} is of a body model that is kept for evaluation; take it out of "
                "the folder of cases"
            )
            raise TrainingError(message, code="HELD_OUT_BODY")
