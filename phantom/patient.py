"""A synthetic person: everything that is drawn, nothing that is painted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from phantom.disease import Disease, draw_disease
from phantom.habitus import Habitus, draw_habitus
from phantom.tissue import TissueValues, draw_tissues

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class PatientOptions:
    """What may be asked of a person; what is None is drawn from the seed."""

    diseased: bool = True
    lesion_count: int | None = None
    """Number of focal lesions planted; switches diffuse and confluent disease off."""


@dataclass(frozen=True, eq=False)
class Patient:
    """A person by seed. Equal seeds and options give equal persons."""

    seed: int
    options: PatientOptions
    habitus: Habitus = field(repr=False)
    tissues: TissueValues = field(repr=False)
    disease: Disease = field(repr=False)
    streams: Mapping[str, np.random.SeedSequence] = field(repr=False)
    """Independent sources of randomness for what is drawn while painting and acquiring."""


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
    habitus = draw_habitus(np.random.default_rng(streams["habitus"]))
    tissue_rng = np.random.default_rng(streams["tissues"])
    youth = float(np.clip((75 - habitus.age) / 40, 0, 1))
    tissues = draw_tissues(tissue_rng, 0.85 + 0.45 * youth)
    disease = draw_disease(
        np.random.default_rng(streams["disease"]), options.diseased, options.lesion_count
    )
    return Patient(seed, options, habitus, tissues, disease, streams)
