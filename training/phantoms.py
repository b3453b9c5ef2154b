"""Synthetic patients as cases, through the very path that serves them.

Stations → whole body → ADC fit → `imaging.preprocessing.preprocess`: a network never trains on
anything that serving would not make.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from imaging.adc import fit_adc
from imaging.anatomy import BY_NAME, SPINAL_CANAL
from imaging.labelling import label_anatomy
from imaging.normalisation import MEASURE_ANYWAY, normalise_high_b
from imaging.preprocessing import preprocess
from imaging.stations import assemble
from phantom.acquisition import acquire
from phantom.patient import make_patient
from training.cases import Case, labels_on_grid, mask_on_grid
from training.declaration import read_declaration
from training.inference import has_bf16, scripted_predictor, slab_probability

if TYPE_CHECKING:
    from pathlib import Path

    from imaging.adc import AdcFit
    from imaging.geometry import Geometry
    from imaging.labelling import Anatomy
    from imaging.model import ModelSpec
    from phantom.acquisition import Acquisition


def phantom_case(seed: int, spec: ModelSpec) -> Case:
    """Make the synthetic patient `seed`, scan it, and take it to the model's grid."""
    return case_from(f"phantom-{seed:05d}", acquire(make_patient(seed)), spec)


def case_from(name: str, acquisition: Acquisition, spec: ModelSpec) -> Case:
    """Take an acquisition with its truth to the model's grid."""
    volume = assemble(acquisition.stations).volume
    given = preprocess(fit_adc(volume), volume.geometry, spec)
    truth = acquisition.truth
    labels = labels_on_grid(truth.labels, truth.geometry, given.geometry)
    return Case(name, given.array.astype(np.float16), labels, given.geometry.affine)


def disease_case(seed: int, spec: ModelSpec, anatomy_model: Path) -> Case:
    """Make the synthetic patient `seed` as the disease network will meet it.

    Bone and canal are what the anatomy network `anatomy_model` says, not the truth: serving has
    no truth. The labels are 1 in disease, 0 elsewhere.
    """
    acquisition = acquire(make_patient(seed))
    volume = assemble(acquisition.stations).volume
    fit = fit_adc(volume)
    anatomy = _anatomy(fit, volume.geometry, anatomy_model)
    canal = anatomy.labels == SPINAL_CANAL.label
    signal = normalise_high_b(volume.high_b, fit.adc_um2_s, canal, volume.geometry, MEASURE_ANYWAY)
    further = {"normalised_high_b": signal.image, "bone_probability": anatomy.bone}
    given = preprocess(fit, volume.geometry, spec, further)
    truth = acquisition.truth
    disease = mask_on_grid(truth.lesion_labels > 0, truth.geometry, given.geometry)
    image = given.array.astype(np.float16)
    return Case(f"phantom-{seed:05d}", image, disease, given.geometry.affine)


def _anatomy(fit: AdcFit, geometry: Geometry, model: Path) -> Anatomy:
    spec = read_declaration(model / "osteon.json")
    predict = scripted_predictor(model / "1" / "model.pt", bf16=has_bf16())
    given = preprocess(fit, geometry, spec)
    probability = slab_probability(predict, spec, given)
    structures = [BY_NAME[name] for name in spec.classes]
    return label_anatomy(probability, given.geometry, structures, geometry)
