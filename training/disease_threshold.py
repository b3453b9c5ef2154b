"""From which probability on a voxel is disease: chosen on patients that the network never saw.

Every cut is scored through the whole path of serving, since organs, canal and the smallest volume
are taken out after it, on the grid of the images. TDV is what the mask is for: its error decides.
"""

from __future__ import annotations

import math
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

import numpy as np

from imaging.agreement import dice
from imaging.burden import DISEASE_CLASSES, THRESHOLD, cut_burden, disease_input
from imaging.lesions import find_lesions
from imaging.preprocessing import to_probability
from imaging.resampling import resample
from imaging.stations import assemble
from phantom.acquisition import acquire
from phantom.patient import make_patient
from training.assessment.operating_point import THRESHOLDS
from training.card import set_thresholds
from training.errors import TrainingError
from training.evaluation import load_model, models_of
from training.inference import slab_probability
from training.inputs import seen_body
from training.seeds import refuse_test_seeds, seeds_in_words

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from imaging.burden import Seen
    from phantom.truth import Truth
    from training.evaluation import Models, ServedModel

DICE_MARGIN = 0.01
"""Thresholds whose mean Dice is so near to the best one's are as good; TDV decides among them."""
_RULE = (
    f"least mean |ln(TDV / true)| among the thresholds whose mean Dice is within {DICE_MARGIN:g} "
    "of the best"
)


@dataclass(frozen=True)
class Cut:
    """One patient at one threshold: Dice, |ln(TDV / true)| and |gADC / true - 1|, None without."""

    threshold: float
    dice: float
    tdv_log_error: float
    gadc_error: float | None


@dataclass(frozen=True)
class Operating:
    """A threshold with its means over patients."""

    threshold: float
    dice: float
    tdv_log_error: float
    gadc_error: float


def choose_threshold(
    folder: Path, seeds: tuple[int, ...], workers: int, on_case: Callable[[int], None]
) -> str:
    """Choose the threshold of the disease network in `folder` and write it into its declaration.

    Args:
        folder: the model's; the anatomy network stands beside it.
        seeds: synthetic patients that it was not trained on; those without disease do not count.
        workers: processes.
        on_case: hears of every patient.

    Returns:
        The means at every threshold as a Markdown table; the card gets it too.

    Raises:
        TrainingError: `TEST_SEEDS`, a seed is kept for evaluation; `NO_CASES`, no patient has
            disease; `THRESHOLD`, it is no disease network.

    """
    refuse_test_seeds(seeds)
    models = models_of(folder)
    if models.disease is None:
        message = f"{folder} has no classes {', '.join(DISEASE_CLASSES)}: name a disease network"
        raise TrainingError(message, code="THRESHOLD")
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        futures = [pool.submit(_cuts_of_seed, models, seed) for seed in seeds]
        for done, _ in enumerate(as_completed(futures), start=1):
            on_case(done)
        patients = [cuts for cuts in (f.result() for f in futures) if cuts]
    best, means = choose_cut(patients)
    table = _table(means)
    set_thresholds(folder, {THRESHOLD: best.threshold}, _record(best, seeds, len(patients), table))
    return table


def cuts_of(
    truth: Truth, seen: Seen, disease: ServedModel, thresholds: Sequence[float] = THRESHOLDS
) -> list[Cut]:
    """Score one diseased patient at every threshold."""
    given = disease_input(seen, disease.spec)
    answer = slab_probability(disease.predict, disease.spec, given)[1]
    probability = to_probability(answer, given.geometry, seen.geometry)
    return [_cut(probability, seen, truth, value) for value in thresholds]


def _cuts_of_seed(models: Models, seed: int) -> list[Cut]:
    """Return an empty list where the patient has no disease."""
    acquisition = acquire(make_patient(seed))
    if models.disease is None or acquisition.truth.tdv_ml == 0:
        return []
    seen = seen_body(assemble(acquisition.stations).volume, models.anatomy)
    return cuts_of(acquisition.truth, seen, load_model(models.disease))


def _cut(probability: NDArray[np.float32], seen: Seen, truth: Truth, threshold: float) -> Cut:
    mask = cut_burden(probability, seen, threshold).mask
    found = find_lesions(mask, seen.geometry) > 0
    diseased = (truth.lesion_labels > 0).astype(np.uint8)
    true: NDArray[np.uint8] = resample(diseased, truth.geometry, seen.geometry, order=0)
    voxel_ml = seen.geometry.voxel_volume_ml
    # One voxel stands for none: the logarithm of a missed patient is large, not infinite.
    volume_ml = max(int(np.count_nonzero(found)), 1) * voxel_ml
    adc = seen.fit.adc_um2_s[found]
    gadc = abs(float(np.median(adc)) / truth.gadc_um2_s - 1) if adc.size else None
    return Cut(threshold, dice(true, found), abs(math.log(volume_ml / truth.tdv_ml)), gadc)


def choose_cut(patients: Sequence[Sequence[Cut]]) -> tuple[Operating, list[Operating]]:
    """Return the best threshold and the means at every one.

    Of the thresholds with a mean Dice within `DICE_MARGIN` of the best, the one with the least
    mean error of TDV; of equal ones the highest.

    Raises:
        TrainingError: `NO_CASES`, there is no patient.

    """
    if not patients:
        raise TrainingError("a threshold needs one diseased patient or more", code="NO_CASES")
    means = [_mean(cuts) for cuts in zip(*patients, strict=True)]
    best = max(mean.dice for mean in means)
    good = [mean for mean in means if mean.dice >= best - DICE_MARGIN]
    return min(good, key=lambda m: (round(m.tdv_log_error, 12), -m.threshold)), means


def _mean(cuts: Sequence[Cut]) -> Operating:
    gadc = [cut.gadc_error for cut in cuts if cut.gadc_error is not None]
    return Operating(
        cuts[0].threshold,
        math.fsum(cut.dice for cut in cuts) / len(cuts),
        math.fsum(cut.tdv_log_error for cut in cuts) / len(cuts),
        math.fsum(gadc) / len(gadc) if gadc else math.nan,
    )


def _record(best: Operating, seeds: tuple[int, ...], n: int, table: str) -> dict[str, Any]:
    patients = f"synthetic patients, seeds {seeds_in_words(seeds)}, n = {n}; none was trained on"
    return {"chosen_on": patients, "rule": _RULE, "found": asdict(best), "markdown": table}


def _table(means: Sequence[Operating]) -> str:
    lines = ["| threshold | mean Dice | mean abs. ln(TDV / true) | mean gADC error % |"]
    lines.append("|---|---|---|---|")
    lines += [
        f"| {m.threshold:.2f} | {m.dice:.3f} | {m.tdv_log_error:.3f} | {100 * m.gadc_error:.1f} |"
        for m in means
    ]
    return "\n".join(lines) + "\n"
