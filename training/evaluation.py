"""A model measured on exams with known truth, through the whole path that serving takes.

Stations → whole body → fit → `preprocess` → slabs → labels on the images' own grid → normalised
high-b → disease → TDV and gADC, each beside its truth.
"""

from __future__ import annotations

import hashlib
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

import imaging
import phantom
import training.scoring
from imaging.anatomy import BY_NAME, SPINAL_CANAL
from imaging.burden import DISEASE_CLASSES, Seen, burden_mask, disease_input
from imaging.disease import disease_mask
from imaging.labelling import label_anatomy
from imaging.lesions import find_lesions
from imaging.measurement import MeasurementSettings, measure
from imaging.normalisation import MEASURE_ANYWAY, normalise_high_b
from imaging.preprocessing import preprocess, to_probability
from phantom.acquisition import acquire
from phantom.patient import BodyModelName, PatientOptions, make_patient
from training.allocation import keep_freed_memory
from training.body_models import case_name
from training.declaration import read_declaration
from training.exams import synthetic_exam
from training.inference import has_bf16, scripted_predictor, slab_probability
from training.scoring.case import CaseResult, read_result, write_result
from training.scoring.lesions import score_lesions
from training.scoring.structures import score_mask, score_structures

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from imaging.disease import DiseaseMask
    from imaging.labelling import Anatomy
    from imaging.model import ModelSpec
    from phantom.acquisition import Acquisition
    from training.exams import Exam, Images
    from training.inference import Predictor

RULE = (
    "the disease rule inside this model's bones (this model has no lesion network; confidence is "
    "a component's peak signal over the patient's threshold)"
)
NETWORK = "the disease network (confidence is a component's highest probability)"


@dataclass(frozen=True)
class ServedModel:
    """A model folder, read: its declaration and how to ask it."""

    spec: ModelSpec
    predict: Predictor
    bf16: bool


@dataclass(frozen=True, eq=False)
class _Burden:
    """What was found: disease by voxel, what ranks its components, TDV, gADC, and who found it."""

    lesions: NDArray[np.bool_] = field(repr=False)
    confidence: NDArray[np.float32] = field(repr=False)
    tdv_ml: float
    gadc_um2_s: float | None
    accepted: bool
    source: str


@cache
def load_model(folder: Path) -> ServedModel:
    """Read `osteon.json` and `1/model.pt`, once a process."""
    keep_freed_memory()
    bf16 = has_bf16()
    predict = scripted_predictor(folder / "1" / "model.pt", bf16=bf16)
    return ServedModel(read_declaration(folder / "osteon.json"), predict, bf16)


def evaluate_patient(
    seed: int,
    model: ServedModel,
    disease_model: ServedModel | None = None,
    body_model: BodyModelName = BodyModelName.BEADED,
) -> CaseResult:
    """Make the synthetic patient `seed` of a body model, and measure as serving does."""
    acquisition = acquire(make_patient(seed, PatientOptions(body_model=body_model)))
    return evaluate_acquisition(case_name(seed, body_model), acquisition, model, disease_model)


def evaluate_acquisition(
    name: str,
    acquisition: Acquisition,
    model: ServedModel,
    disease_model: ServedModel | None = None,
) -> CaseResult:
    """Measure one scan of a patient of its own, as serving does.

    Disease is found by `disease_model`, by the rule where there is none.
    """
    return evaluate_exam(synthetic_exam(name, acquisition), model, disease_model)


def evaluate_exam(
    exam: Exam, model: ServedModel, disease_model: ServedModel | None = None
) -> CaseResult:
    """Measure one exam as serving does, beside what is known of it.

    Without high-b signal disease is not looked for, and the result has no lesion source.
    """
    images, known = exam.images, exam.known
    adc, geometry = images.fit.adc_um2_s, images.geometry
    given = preprocess(images.fit, geometry, model.spec)
    started = time.perf_counter()
    probability = slab_probability(model.predict, model.spec, given)
    network_seconds = time.perf_counter() - started
    structures = [BY_NAME[name] for name in model.spec.classes]
    anatomy = label_anatomy(probability, given.geometry, structures, geometry)
    burden = _burden(images, anatomy, disease_model)
    started = time.perf_counter()
    return CaseResult(
        case=exam.name,
        patient=exam.patient,
        structures=score_structures(known.structures, anatomy.labels, adc, geometry),
        lesion_source=burden.source,
        lesions=score_lesions(known.disease, burden.lesions, burden.confidence, geometry),
        disease=score_mask(known.disease, burden.lesions, adc, geometry),
        tdv_ml=burden.tdv_ml,
        true_tdv_ml=known.tdv_ml,
        gadc_um2_s=burden.gadc_um2_s,
        true_gadc_um2_s=known.gadc_um2_s,
        reference_accepted=burden.accepted,
        network_seconds=network_seconds,
        scoring_seconds=time.perf_counter() - started,
        bf16=model.bf16,
    )


@dataclass(frozen=True)
class Models:
    """Folders of the models that are evaluated together; without `disease` the rule decides."""

    anatomy: Path
    disease: Path | None = None


def models_of(folder: Path, anatomy: Path | None = None) -> Models:
    """Return what evaluating `folder` takes: a disease network needs an anatomy network too.

    That is `anatomy`, or the folder "anatomy" beside it.
    """
    if read_declaration(folder / "osteon.json").classes == DISEASE_CLASSES:
        return Models(anatomy or folder.parent / "anatomy", folder)
    return Models(folder)


def evaluate_cohort(
    models: Models,
    seeds: tuple[int, ...],
    out: Path,
    workers: int,
    on_case: Callable[[int], None],
    body_model: BodyModelName = BodyModelName.BEADED,
) -> list[CaseResult]:
    """Evaluate every seed; one JSON a case, and those of the same model and software are kept."""
    cases = out / f"cases-{fingerprint(models)}"
    cases.mkdir(parents=True, exist_ok=True)
    paths = {s: cases / f"{case_name(s, body_model)}.json" for s in seeds}
    missing = [(s, path) for s, path in paths.items() if not path.exists()]
    if workers <= 1:
        for seed, path in missing:
            on_case(_evaluate_to_file(models, seed, body_model, path))
    else:
        with ProcessPoolExecutor(workers, get_context("spawn"), initializer=_one_thread) as pool:
            futures = [
                pool.submit(_evaluate_to_file, models, s, body_model, path) for s, path in missing
            ]
            for future in as_completed(futures):
                on_case(future.result())
    return [read_result(path) for path in paths.values()]


def _burden(images: Images, anatomy: Anatomy, disease_model: ServedModel | None) -> _Burden:
    labels, fit, geometry = anatomy.labels, images.fit, images.geometry
    if images.high_b is None:
        nothing = np.zeros(geometry.shape, dtype=np.bool_)
        return _Burden(nothing, nothing.astype(np.float32), 0.0, None, accepted=False, source="")
    canal = labels == SPINAL_CANAL.label
    signal = normalise_high_b(images.high_b, fit.adc_um2_s, canal, geometry, MEASURE_ANYWAY)
    seen = Seen(fit, signal.image, anatomy, geometry)
    if disease_model is None:
        disease = disease_mask(signal.image, fit.adc_um2_s, anatomy.bone, labels, geometry)
        confidence = signal.image / np.float32(disease.threshold)
    else:
        disease, confidence = _by_network(seen, disease_model)
    lesions = find_lesions(disease.mask, geometry)
    measured = measure(fit.adc_um2_s, labels, disease, lesions, geometry, MeasurementSettings())
    gadc = measured.adc.median if measured.adc else None
    source = NETWORK if disease_model else RULE
    return _Burden(lesions > 0, confidence, measured.tdv_ml, gadc, signal.accepted, source)


def _by_network(seen: Seen, model: ServedModel) -> tuple[DiseaseMask, NDArray[np.float32]]:
    given = disease_input(seen, model.spec)
    probability = slab_probability(model.predict, model.spec, given)
    mask = burden_mask(probability, given.geometry, seen, model.spec)
    return mask, to_probability(probability[1], given.geometry, seen.geometry)


def _evaluate_to_file(models: Models, seed: int, body_model: BodyModelName, path: Path) -> int:
    disease = load_model(models.disease) if models.disease else None
    write_result(evaluate_patient(seed, load_model(models.anatomy), disease, body_model), path)
    return seed


def fingerprint(models: Models) -> str:
    """Digest of what decides a result: the models, how patients are made, measured and scored."""
    digest = hashlib.sha256(read_declaration(models.anatomy / "osteon.json").sha256.encode())
    if models.disease:
        digest.update((models.disease / "osteon.json").read_bytes())
    for room in (imaging, phantom, training.scoring):
        for path in sorted(Path(room.__path__[0]).rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _one_thread() -> None:
    torch.set_num_threads(1)
