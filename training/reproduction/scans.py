"""One scan by the atlases and by the network: both timed in one process, both scored."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from imaging.adc import fit_adc
from imaging.anatomy import STRUCTURES
from imaging.labelling import label_anatomy
from imaging.preprocessing import preprocess
from imaging.resampling import resample
from imaging.stations import assemble
from training.atlas.propagation import probability_by_atlas
from training.inference import slab_probability
from training.scoring.structures import StructureScore, score_structures
from training.timing import ScanTime, timed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from imaging.model import ModelInput, ModelSpec
    from imaging.registration import RegistrationSettings
    from phantom.acquisition import Acquisition
    from training.atlas.propagation import Atlas
    from training.inference import Predictor

    Method = Callable[[ModelInput], NDArray[np.float32]]


@dataclass(frozen=True)
class Answer:
    """What one method found in a scan, from the model's input to probabilities in `time`."""

    structures: dict[str, StructureScore]
    time: ScanTime


@dataclass(frozen=True)
class ScanResult:
    """One scan by every method; `made_by` says which network and atlases answered."""

    case: str
    made_by: str
    answers: dict[str, Answer]


def atlas_method(atlases: Sequence[Atlas], settings: RegistrationSettings) -> Method:
    """Return the atlas path as a method."""
    return lambda given: probability_by_atlas(given, atlases, settings, len(STRUCTURES))


def network_method(predict: Predictor, spec: ModelSpec) -> Method:
    """Return the network as a method."""
    return lambda given: slab_probability(predict, spec, given)


def measure_scan(
    name: str, made_by: str, acquisition: Acquisition, spec: ModelSpec, methods: dict[str, Method]
) -> ScanResult:
    """Prepare a scan once as serving does, ask every method, score on the images' own grid."""
    volume = assemble(acquisition.stations).volume
    fit = fit_adc(volume)
    given = preprocess(fit, volume.geometry, spec)
    truth = acquisition.truth
    labels = truth.labels.astype(np.uint8)
    true = resample(labels, truth.geometry, volume.geometry, order=0)
    answers = {}
    for title, method in methods.items():
        probability, time = timed(partial(method, given))
        found = label_anatomy(probability, given.geometry, STRUCTURES, volume.geometry)
        scores = score_structures(true, found.labels, fit.adc_um2_s, volume.geometry)
        answers[title] = Answer(scores, time)
    return ScanResult(name, made_by, answers)


def write_scan(result: ScanResult, path: Path) -> None:
    """Write a scan's result under its final name in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(f".{os.getpid()}.partial")
    partial.write_text(json.dumps(asdict(result)) + "\n", encoding="utf-8")
    partial.replace(path)


def read_scan(path: Path) -> ScanResult:
    """Read what `write_scan` wrote."""
    values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    answers = {
        title: Answer(
            {
                n: StructureScore(**(s | {"nsd": tuple(s["nsd"])}))
                for n, s in a["structures"].items()
            },
            ScanTime(**a["time"]),
        )
        for title, a in values["answers"].items()
    }
    return ScanResult(values["case"], values["made_by"], answers)
