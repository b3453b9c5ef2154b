"""Patient-wise folds, stratified by the number of lesions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.errors import TrainingError


@dataclass(frozen=True)
class FoldCase:
    """What a split needs to know of a case."""

    case: str
    patient: str
    lesions: int


@dataclass(frozen=True)
class Folds:
    """Each case's fold (0..n - 1) and patient; all cases of one patient are in one fold."""

    n: int
    fold_of: dict[str, int]
    patient_of: dict[str, str]

    def held_out(self, fold: int) -> tuple[str, ...]:
        """Cases that the model of `fold` never sees."""
        return tuple(case for case, held in self.fold_of.items() if held == fold)

    def trained_on(self, fold: int) -> tuple[str, ...]:
        """Cases that the model of `fold` is fitted on."""
        return tuple(case for case, held in self.fold_of.items() if held != fold)


def stratified_folds(cases: list[FoldCase], n: int = 7, seed: int = 1) -> Folds:
    """Split whole patients into `n` folds with alike numbers of lesions.

    Patients are ranked by their lesions over all their cases, ties in a drawn order; each run of
    `n` patients along that ranking goes to the `n` folds in a drawn order. The split depends on
    the seed and on what the cases are, not on their order.

    Raises:
        TrainingError: `FOLDS`, fewer patients than folds, fewer than two folds, or a case twice.

    """
    patients: dict[str, list[FoldCase]] = {}
    for case in sorted(cases, key=lambda c: c.case):
        patients.setdefault(case.patient, []).append(case)
    _check(cases, len(patients), n)
    rng = np.random.default_rng(seed)
    names = sorted(patients)
    shuffled = [names[i] for i in rng.permutation(len(names))]
    ranked = sorted(shuffled, key=lambda p: -sum(c.lesions for c in patients[p]))
    fold_of_patient: dict[str, int] = {}
    for start in range(0, len(ranked), n):
        run = ranked[start : start + n]
        fold_of_patient.update(zip(run, rng.permutation(n)[: len(run)].tolist(), strict=True))
    return Folds(
        n,
        {c.case: fold_of_patient[c.patient] for c in cases},
        {c.case: c.patient for c in cases},
    )


def _check(cases: list[FoldCase], n_patients: int, n: int) -> None:
    if len({c.case for c in cases}) != len(cases):
        raise TrainingError("a case is named twice; every case needs its own name", code="FOLDS")
    if n < 2 or n_patients < n:
        message = f"{n_patients} patients cannot be split into {n} folds; ask for 2..{n_patients}"
        raise TrainingError(message, code="FOLDS")
