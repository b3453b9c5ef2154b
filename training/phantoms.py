"""Synthetic patients as cases, through the very path that serves them.

Stations → whole body → ADC fit → `imaging.preprocessing.preprocess`: a network never trains on
anything that serving would not make.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from imaging.stations import assemble
from phantom.acquisition import acquire
from phantom.patient import BodyModelName, PatientOptions, make_patient
from training.body_models import case_name, refuse_held_out
from training.cases import Case, labels_on_grid, mask_on_grid
from training.inputs import anatomy_input, disease_input

if TYPE_CHECKING:
    from pathlib import Path

    from imaging.model import ModelSpec
    from phantom.acquisition import Acquisition


def phantom_case(
    seed: int, spec: ModelSpec, body_model: BodyModelName = BodyModelName.BEADED
) -> Case:
    """Make the synthetic patient `seed`, scan it, and take it to the model's grid.

    Raises:
        TrainingError: `HELD_OUT_BODY`, cases are for training and this body model is not.

    """
    return case_from(case_name(seed, body_model), _scan(seed, body_model), spec)


def case_from(name: str, acquisition: Acquisition, spec: ModelSpec) -> Case:
    """Take an acquisition with its truth to the model's grid."""
    given = anatomy_input(assemble(acquisition.stations).volume, spec)
    truth = acquisition.truth
    labels = labels_on_grid(truth.labels, truth.geometry, given.geometry)
    return Case(name, given.array.astype(np.float16), labels, given.geometry.affine)


def _scan(seed: int, body_model: BodyModelName) -> Acquisition:
    refuse_held_out(body_model)
    return acquire(make_patient(seed, PatientOptions(body_model=body_model)))


def disease_case(
    seed: int,
    spec: ModelSpec,
    anatomy_model: Path,
    body_model: BodyModelName = BodyModelName.BEADED,
) -> Case:
    """Make the synthetic patient `seed` as the disease network will meet it.

    The labels are 1 in disease, 0 elsewhere.

    Raises:
        TrainingError: `HELD_OUT_BODY`, as for `phantom_case`.

    """
    acquisition = _scan(seed, body_model)
    given = disease_input(assemble(acquisition.stations).volume, spec, anatomy_model)
    truth = acquisition.truth
    disease = mask_on_grid(truth.lesion_labels > 0, truth.geometry, given.geometry)
    image = given.array.astype(np.float16)
    return Case(case_name(seed, body_model), image, disease, given.geometry.affine)
