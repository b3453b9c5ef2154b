"""What a network is given of one patient: the very path of serving, whoever made the images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imaging import burden
from imaging.adc import fit_adc
from imaging.anatomy import BY_NAME, SPINAL_CANAL
from imaging.labelling import label_anatomy
from imaging.normalisation import MEASURE_ANYWAY, normalise_high_b
from imaging.preprocessing import preprocess
from training.declaration import read_declaration
from training.inference import scripted_predictor, slab_probability

if TYPE_CHECKING:
    from pathlib import Path

    from imaging.adc import AdcFit
    from imaging.diffusion import DiffusionVolume
    from imaging.geometry import Geometry
    from imaging.labelling import Anatomy
    from imaging.model import ModelInput, ModelSpec


def anatomy_input(volume: DiffusionVolume, spec: ModelSpec) -> ModelInput:
    """Return what the anatomy network is given of a whole body."""
    return preprocess(fit_adc(volume), volume.geometry, spec)


def disease_input(volume: DiffusionVolume, spec: ModelSpec, anatomy_model: Path) -> ModelInput:
    """Return what the disease network is given of a whole body.

    Bone and canal are what the anatomy network `anatomy_model` says, not the truth: serving has
    no truth.
    """
    return burden.disease_input(seen_body(volume, anatomy_model), spec)


def seen_body(volume: DiffusionVolume, anatomy_model: Path) -> burden.Seen:
    """Return what serving knows of a body before it looks for disease."""
    fit = fit_adc(volume)
    anatomy = _anatomy(fit, volume.geometry, anatomy_model)
    canal = anatomy.labels == SPINAL_CANAL.label
    signal = normalise_high_b(volume.high_b, fit.adc_um2_s, canal, volume.geometry, MEASURE_ANYWAY)
    return burden.Seen(fit, signal.image, anatomy, volume.geometry)


def _anatomy(fit: AdcFit, geometry: Geometry, model: Path) -> Anatomy:
    spec = read_declaration(model / "osteon.json")
    predict = scripted_predictor(model / "1" / "model.pt", bf16=False)  # as the worker runs it
    given = preprocess(fit, geometry, spec)
    probability = slab_probability(predict, spec, given)
    structures = [BY_NAME[name] for name in spec.classes]
    return label_anatomy(probability, given.geometry, structures, geometry)
