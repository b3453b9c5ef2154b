"""A served focal network on patients that nothing ever saw: the whole path but DICOM.

Scans, registration, slabs, threshold and smallest volume are those of serving; lesions are scored
on the grid of the diffusion images, by the rules of `papers.md` B.4.
"""

from __future__ import annotations

import json
import math
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

import numpy as np

from imaging.focal_lesions import focal_labels, threshold_of
from imaging.preprocessing import to_probability
from training.cohort import one_thread
from training.declaration import read_declaration
from training.errors import TrainingError
from training.focal.exam_scan import scanned
from training.focal.exam_table import exam_table
from training.inference import scripted_predictor, slab_probability
from training.scoring.case import CaseResult, read_result, write_result
from training.scoring.lesions import score_lesions
from training.seeds import parse_seeds, seeds_in_words
from training.timing import timed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


def examine(
    model: Path, seeds: str, out: Path, workers: int, on_exam: Callable[[int], None]
) -> str:
    """Measure the focal network in `model` on synthetic patients; return the table as Markdown.

    A stopped examination goes on where it was.

    Writes a JSON an exam, the scans, `evaluation.json` and `evaluation.md` into `out`.

    Raises:
        TrainingError: `EVALUATION`, `out` holds results of another model or threshold.

    """
    spec, chosen = read_declaration(model / "osteon.json"), parse_seeds(seeds)
    out.mkdir(parents=True, exist_ok=True)
    _refuse_foreign(out, {"model_sha256": spec.sha256, "thresholds": spec.thresholds})
    missing = [s for s in chosen if not _path(out, s).exists()]
    for seed in _examined(model, missing, out, workers):
        on_exam(seed)
    cases = [read_result(_path(out, s)) for s in chosen]
    table = exam_table(cases, seeds_in_words(chosen))
    document = {
        "model_sha256": spec.sha256,
        "thresholds": spec.thresholds,
        "population": "synthetic patients (osteon phantom), focal disease only",
        "n_cases": len(cases),
        "targets": [],
        "seeds": seeds_in_words(chosen),
        "markdown": table,
    }
    (out / "evaluation.json").write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    (out / "evaluation.md").write_text(table, encoding="utf-8")
    return table


def exam(model: Path, seed: int, scans: Path) -> CaseResult:
    """Find lesions of one patient as serving does, and score them; `scans` keeps the images."""
    spec = read_declaration(model / "osteon.json")
    seen = scanned(scans, seed, spec)
    given, grid = seen.looked.given, seen.geometry
    predict = scripted_predictor(model / "1" / "model.pt", bf16=False)
    probability, took = timed(lambda: slab_probability(predict, spec, given))
    found = focal_labels(probability, seen.looked, seen.adc_um2_s, grid, threshold_of(spec))
    confidence = to_probability(probability[1], given.geometry, grid)
    truth = seen.truth
    scored, scoring = timed(lambda: score_lesions(truth, found > 0, confidence, grid))
    return CaseResult(
        case=f"phantom-{seed:05d}",
        patient=f"phantom-{seed:05d}",
        structures={},
        lesion_source="focal network",
        lesions=scored,
        disease=None,
        tdv_ml=math.fsum(p.volume_ml for p in scored.predictions),
        true_tdv_ml=math.fsum(le.volume_ml for le in scored.lesions),
        gadc_um2_s=_median(seen.adc_um2_s[found > 0]),
        true_gadc_um2_s=_median(seen.adc_um2_s[truth]),
        reference_accepted=False,
        network_seconds=took.wall_s,
        scoring_seconds=scoring.wall_s,
        bf16=False,
    )


def _median(adc_um2_s: np.ndarray[tuple[int], np.dtype[np.float32]]) -> float | None:
    valid = adc_um2_s[np.isfinite(adc_um2_s)]
    return float(np.median(valid)) if valid.size else None


def _examined(model: Path, seeds: list[int], out: Path, workers: int) -> Iterator[int]:
    if workers <= 1:
        yield from (_examine(model, seed, out) for seed in seeds)
        return
    with ProcessPoolExecutor(workers, get_context("spawn"), initializer=one_thread) as pool:
        for future in as_completed([pool.submit(_examine, model, s, out) for s in seeds]):
            yield future.result()


def _examine(model: Path, seed: int, out: Path) -> int:
    write_result(exam(model, seed, out / "scans"), _path(out, seed))
    return seed


def _path(out: Path, seed: int) -> Path:
    return out / f"phantom-{seed:05d}.json"


def _refuse_foreign(out: Path, identity: dict[str, Any]) -> None:
    path = out / "model.json"
    if path.exists() and json.loads(path.read_text(encoding="utf-8")) != identity:
        message = f"{out} holds exams of another model or threshold; name another folder"
        raise TrainingError(message, code="EVALUATION")
    path.write_text(json.dumps(identity) + "\n", encoding="utf-8")
