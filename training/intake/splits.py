"""Which of a user's patients are trained on: one `splits.json` beside the prepared cases."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from imaging.lesions import find_lesions
from training.cases import read_case
from training.cohort import Cohort, training_cohort
from training.errors import TrainingError
from training.folds import FoldCase, stratified_folds

if TYPE_CHECKING:
    from pathlib import Path

    from training.cases import Case
    from training.experiment import CohortSettings

SPLITS = "splits.json"
VALIDATION_SHARE = 0.2


@dataclass(frozen=True)
class Splits:
    """Every case's patient (a pseudonym), and the patients that are held out."""

    patient_of: dict[str, str] = field(default_factory=dict)
    held_out: frozenset[str] = frozenset()

    @property
    def train(self) -> list[str]:
        """Cases to train on."""
        return sorted(c for c, patient in self.patient_of.items() if patient not in self.held_out)

    @property
    def validation(self) -> list[str]:
        """Cases of the patients that are held out."""
        return sorted(c for c, patient in self.patient_of.items() if patient in self.held_out)


def split_patients(known: Splits, added: dict[str, str], seed: int) -> Splits:
    """Add cases, given as case → patient; all cases of one patient are on one side.

    A patient who is there already stays on that side. A new one is drawn by a digest of seed and
    pseudonym, so neither the order nor the other patients decide; one at least is held out as
    soon as there are two.
    """
    patient_of = {**known.patient_of, **added}
    draws = {patient: _draw(patient, seed) for patient in patient_of.values()}
    new = set(draws) - set(known.patient_of.values())
    held_out = set(known.held_out) | {p for p in new if draws[p] < VALIDATION_SHARE}
    if new and len(draws) > 1 and not held_out:
        held_out.add(min(new, key=draws.__getitem__))
    if new and len(draws) > 1 and len(held_out) == len(draws):
        held_out.remove(max(new, key=draws.__getitem__))
    return Splits(patient_of, frozenset(held_out))


def read_splits(folder: Path) -> Splits:
    """Read a folder's splits; empty where there is no file.

    Raises:
        TrainingError: `SPLITS`, the file is not one.

    """
    path = folder / SPLITS
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        patient_of = {str(c): str(p) for c, p in document["patients"].items()}
        held_out = frozenset(patient_of[case] for case in document["validation"])
    except FileNotFoundError:
        return Splits()
    except (OSError, KeyError, TypeError, ValueError, AttributeError) as error:
        message = f"{path} is not a split by patients ({error!r}); prepare again"
        raise TrainingError(message, code="SPLITS") from error
    return Splits(patient_of, held_out)


def write_splits(splits: Splits, folder: Path) -> None:
    """Write `splits.json` under its name in one step."""
    document = {
        "train": splits.train,
        "validation": splits.validation,
        "patients": dict(sorted(splits.patient_of.items())),
    }
    partial = folder / f"{SPLITS}.partial"
    partial.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    partial.replace(folder / SPLITS)


def cohort_cases(settings: CohortSettings, folder: Path) -> tuple[list[Case], list[Case]]:
    """Return the cases to train on and those held out: by seeds, or by `cohort_names` without.

    Raises:
        TrainingError: `NO_CASES`, nothing is prepared; `CASE`, a file is not a case; `FOLDS`.

    """
    if settings.train_seeds:
        return training_cohort(folder, settings.train_seeds).read(), held_out_cases(
            settings, folder
        )
    sides = cohort_names(settings, folder)
    train, held_out = ([read_case(folder / f"{n}.npz") for n in names] for names in sides)
    return train, held_out


def held_out_cases(settings: CohortSettings, folder: Path, most: int | None = None) -> list[Case]:
    """Return the cases that are held out, the first `most` of them.

    Raises:
        TrainingError: `NO_CASES`, nothing is prepared; `CASE`, a file is not a case; `FOLDS`.

    """
    if settings.validation_seeds:
        seeds = training_cohort(folder, settings.validation_seeds).seeds[:most]
        return Cohort(folder, seeds).read()
    names = cohort_names(settings, folder)[1][:most]
    return [read_case(folder / f"{n}.npz") for n in names]


def cohort_names(settings: CohortSettings, folder: Path) -> tuple[list[str], list[str]]:
    """Return a user's cases by name: to train on, and held out by the fold or by `splits.json`.

    Raises:
        TrainingError: `NO_CASES`, nothing is prepared; `FOLDS`, no fold "2/5", or too many.

    """
    splits = _both_sides(folder)
    if not settings.fold:
        return splits.train, splits.validation
    number, n = _fold(settings.fold)
    known = [FoldCase(c, p, _lesions(folder, c)) for c, p in sorted(splits.patient_of.items())]
    folds = stratified_folds(known, n)
    return sorted(folds.trained_on(number)), sorted(folds.held_out(number))


def _fold(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"([0-9]+)/([0-9]+)", text)
    number, n = (int(found[1]), int(found[2])) if found else (0, 0)
    if not 1 <= number <= n:
        message = f"a fold is written as 2/5, the second of five, not {text!r}"
        raise TrainingError(message, code="FOLDS")
    return number - 1, n


def _lesions(folder: Path, name: str) -> int:
    """Lesions of a case of disease; 0 where the labels are structures, which need no strata."""
    case = read_case(folder / f"{name}.npz")
    if case.labels.max(initial=0) > 1:
        return 0
    return int(find_lesions(case.labels > 0, case.model_input.geometry, 0.0).max(initial=0))


def _both_sides(folder: Path) -> Splits:
    splits = read_splits(folder)
    if not splits.train or not splits.validation:
        message = f"{folder / SPLITS} must name two patients: osteon train prepare --data FOLDER"
        raise TrainingError(message, code="NO_CASES")
    return splits


def _draw(patient: str, seed: int) -> float:
    digest = hashlib.sha256(f"{seed}\x1f{patient}".encode()).digest()
    return float(int.from_bytes(digest[:8], "big") / 2**64)
