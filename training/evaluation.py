"""A model measured on synthetic patients, through the whole path that serving takes.

Stations → whole body → fit → `preprocess` → slabs → labels on the images' own grid → normalised
high-b → disease → TDV and gADC, each beside its truth.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

import imaging
import phantom
from imaging.adc import fit_adc
from imaging.agreement import dice_by_structure
from imaging.anatomy import BY_NAME, SPINAL_CANAL
from imaging.disease import disease_mask
from imaging.labelling import label_anatomy
from imaging.lesions import find_lesions
from imaging.measurement import MeasurementSettings, measure
from imaging.normalisation import NormalisationRule, normalise_high_b
from imaging.preprocessing import preprocess
from imaging.resampling import resample
from imaging.stations import assemble
from phantom.acquisition import acquire
from phantom.patient import make_patient
from training.allocation import keep_freed_memory
from training.declaration import read_declaration
from training.inference import has_bf16, scripted_predictor, slab_probability

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from imaging.adc import AdcFit
    from imaging.diffusion import DiffusionVolume
    from imaging.labelling import Anatomy
    from imaging.measurement import Measurement
    from imaging.model import ModelSpec
    from phantom.truth import Truth
    from training.inference import Predictor


@dataclass(frozen=True)
class CaseResult:
    """One patient: Dice by structure and group, burden measured and true, and the time it took.

    gADC is None where there is no disease; `bf16` says how the network ran.
    """

    seed: int
    dice: dict[str, float]
    tdv_ml: float
    true_tdv_ml: float
    gadc_um2_s: float | None
    true_gadc_um2_s: float | None
    reference_accepted: bool
    network_seconds: float
    bf16: bool


@dataclass(frozen=True)
class ServedModel:
    """A model folder, read: its declaration and how to ask it."""

    spec: ModelSpec
    predict: Predictor
    bf16: bool


@cache
def load_model(folder: Path) -> ServedModel:
    """Read `osteon.json` and `1/model.pt`, once a process."""
    keep_freed_memory()
    bf16 = has_bf16()
    predict = scripted_predictor(folder / "1" / "model.pt", bf16=bf16)
    return ServedModel(read_declaration(folder / "osteon.json"), predict, bf16)


def evaluate_patient(seed: int, model: ServedModel) -> CaseResult:
    """Make the synthetic patient `seed`, and measure as serving does."""
    acquisition = acquire(make_patient(seed))
    volume = assemble(acquisition.stations).volume
    fit = fit_adc(volume)
    given = preprocess(fit, volume.geometry, model.spec)
    started = time.perf_counter()
    probability = slab_probability(model.predict, model.spec, given)
    seconds = time.perf_counter() - started
    structures = [BY_NAME[name] for name in model.spec.classes]
    anatomy = label_anatomy(probability, given.geometry, structures, volume.geometry)
    measured, accepted = _burden(volume, fit, anatomy)
    truth = acquisition.truth
    return CaseResult(
        seed=seed,
        dice=dice_by_structure(_truth_on(truth, volume), anatomy.labels),
        tdv_ml=measured.tdv_ml,
        true_tdv_ml=truth.tdv_ml,
        gadc_um2_s=measured.adc.median if measured.adc else None,
        true_gadc_um2_s=truth.gadc_um2_s if np.isfinite(truth.gadc_um2_s) else None,
        reference_accepted=accepted,
        network_seconds=seconds,
        bf16=model.bf16,
    )


def evaluate_cohort(
    folder: Path, seeds: tuple[int, ...], out: Path, workers: int, on_case: Callable[[int], None]
) -> list[CaseResult]:
    """Evaluate every seed; one JSON a case, and those of the same model and software are kept."""
    cases = out / f"cases-{_fingerprint(folder)}"
    cases.mkdir(parents=True, exist_ok=True)
    missing = [s for s in seeds if not _result_path(cases, s).exists()]
    if workers <= 1:
        for seed in missing:
            on_case(_evaluate_to_file(folder, seed, cases))
    else:
        with ProcessPoolExecutor(workers, get_context("spawn"), initializer=_one_thread) as pool:
            futures = [pool.submit(_evaluate_to_file, folder, s, cases) for s in missing]
            for future in as_completed(futures):
                on_case(future.result())
    return [_read_result(_result_path(cases, s)) for s in seeds]


_NO_REFUSAL = NormalisationRule(without_canal="percentile")
"""Serving refuses a bad canal; here every patient counts, and `reference_accepted` tells."""


def _burden(
    volume: DiffusionVolume,
    fit: AdcFit,
    anatomy: Anatomy,
) -> tuple[Measurement, bool]:
    labels, bone = anatomy.labels, anatomy.bone
    canal = labels == SPINAL_CANAL.label
    signal = normalise_high_b(volume.high_b, fit.adc_um2_s, canal, volume.geometry, _NO_REFUSAL)
    disease = disease_mask(signal.image, fit.adc_um2_s, bone, labels, volume.geometry)
    lesions = find_lesions(disease.mask, volume.geometry)
    settings = MeasurementSettings()
    measured = measure(fit.adc_um2_s, labels, disease, lesions, volume.geometry, settings)
    return measured, signal.accepted


def _truth_on(truth: Truth, volume: DiffusionVolume) -> NDArray[np.uint8]:
    moved: NDArray[np.uint8] = resample(truth.labels, truth.geometry, volume.geometry, order=0)
    return moved


def _evaluate_to_file(folder: Path, seed: int, cases: Path) -> int:
    result = evaluate_patient(seed, load_model(folder))
    path = _result_path(cases, seed)
    partial = path.with_suffix(f".{os.getpid()}.partial")
    partial.write_text(json.dumps(asdict(result), indent=2) + "\n", encoding="utf-8")
    partial.replace(path)
    return seed


def _read_result(path: Path) -> CaseResult:
    values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return CaseResult(**values)


def _fingerprint(folder: Path) -> str:
    """Digest of what decides a result: the model file, how patients are made and measured."""
    digest = hashlib.sha256(read_declaration(folder / "osteon.json").sha256.encode())
    for room in (imaging, phantom):
        for path in sorted(Path(room.__path__[0]).glob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _result_path(cases: Path, seed: int) -> Path:
    return cases / f"phantom-{seed:05d}.json"


def _one_thread() -> None:
    torch.set_num_threads(1)
