"""A synthetic person: everything that is drawn, nothing that is painted."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from phantom.contoured import disease as contoured_disease
from phantom.contoured import values as contoured_values
from phantom.disease import Disease, draw_disease
from phantom.habitus import Habitus, draw_habitus
from phantom.posture import moved
from phantom.tissue import TissueValues, draw_tissues

if TYPE_CHECKING:
    from collections.abc import Mapping


class BodyModelName(StrEnum):
    """How bodies are built; `phantom.body_models` holds the models."""

    BEADED = "beaded"
    """Balls along curves and rounded blocks: the model that all training uses."""
    CONTOURED = "contoured"
    """Implicit solids on a jointed spine: held out of training, to see what carries over."""


HELD_OUT = frozenset({BodyModelName.CONTOURED})
"""Body models on which nothing may be trained."""


@dataclass(frozen=True)
class PatientOptions:
    """What may be asked of a person; what is None is drawn from the seed."""

    diseased: bool = True
    lesion_count: int | None = None
    """Number of focal lesions planted; switches diffuse and confluent disease off."""
    body_model: BodyModelName = BodyModelName.BEADED


@dataclass(frozen=True, eq=False)
class Patient:
    """A person by seed. Equal seeds and options give equal persons."""

    seed: int
    options: PatientOptions
    tissues: TissueValues = field(repr=False)
    disease: Disease = field(repr=False)
    streams: Mapping[str, np.random.SeedSequence] = field(repr=False)
    """Independent sources of randomness for what is drawn while painting and acquiring; those of
    a later visit (`phantom.follow_up`) are "moved", "plan" and "visit" beside the usual ones."""

    @cached_property
    def habitus(self) -> Habitus:
        """Shape of a person of the beaded model.

        Raises:
            ValueError: the person is of another body model, whose painter draws its shape.

        """
        if self.options.body_model is not BodyModelName.BEADED:
            raise ValueError(f"a {self.options.body_model} person has no habitus")
        drawn = draw_habitus(np.random.default_rng(self.streams["habitus"]))
        if "moved" not in self.streams:
            return drawn
        return moved(drawn, np.random.default_rng(self.streams["moved"]))


_STREAMS = (
    "habitus",
    "tissues",
    "disease",
    "bend",
    "organs",
    "surface",
    "texture",
    "acquisition",
    "folds",
)


def make_patient(seed: int, options: PatientOptions = PatientOptions()) -> Patient:
    """Draw a person. Each part has its own stream, so disease does not change the anatomy.

    Args:
        seed: any non-negative integer.
        options: what is asked; the rest comes from the seed.

    """
    children = np.random.SeedSequence(seed).spawn(len(_STREAMS))
    streams = dict(zip(_STREAMS, children, strict=True))
    if options.body_model is BodyModelName.CONTOURED:
        tissues, disease = _draw_contoured(streams, options)
    else:
        tissues, disease = _draw_beaded(streams, options)
    return Patient(seed, options, tissues, disease, streams)


def _draw_beaded(
    streams: Mapping[str, np.random.SeedSequence], options: PatientOptions
) -> tuple[TissueValues, Disease]:
    habitus = draw_habitus(np.random.default_rng(streams["habitus"]))
    youth = float(np.clip((75 - habitus.age) / 40, 0, 1))
    tissues = draw_tissues(np.random.default_rng(streams["tissues"]), 0.85 + 0.45 * youth)
    disease_rng = np.random.default_rng(streams["disease"])
    return tissues, draw_disease(disease_rng, options.diseased, options.lesion_count)


def _draw_contoured(
    streams: Mapping[str, np.random.SeedSequence], options: PatientOptions
) -> tuple[TissueValues, Disease]:
    tissues = contoured_values.draw_tissues(np.random.default_rng(streams["tissues"]))
    rng = np.random.default_rng(streams["disease"])
    return tissues, contoured_disease.draw_disease(rng, options.diseased, options.lesion_count)
