"""What `osteon train evaluate --data` and `pool` do, without any printing of their own."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from training.assessment.files import read_cases, read_declared, write_evaluation
from training.assessment.labelled import labelled_only
from training.declaration import read_declaration
from training.errors import TrainingError
from training.evaluation import models_of
from training.experiment import load_experiment, save_experiment
from training.own_exams import evaluate_own, find_held_out

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from training.intake.prepare import Refused
    from training.own_exams import OwnData


@dataclass(frozen=True)
class Evaluated:
    """The tables, the exams that could not be read, and what the site never labels."""

    table: str
    refused: list[Refused]
    left_out: tuple[str, ...]


def evaluate_data(
    model: Path, own: OwnData, out: Path, workers: int, on_case: Callable[[int, int], None]
) -> Evaluated:
    """Evaluate a model folder on a site's own exams.

    `on_case` hears how many are done, and of how many.

    Raises:
        TrainingError: as in `find_held_out`; `NO_CASES`, none of the exams can be read.

    """
    sources, population = find_held_out(own)
    models = models_of(model)
    done = 0

    def heard(_: str) -> None:
        nonlocal done
        done += 1
        on_case(done, len(sources))

    found, refused = evaluate_own(models, sources, own.classes, out, workers, heard)
    if not found:
        reasons = "; ".join(dict.fromkeys(f"[{r.code}] {r.reason}" for r in refused))
        raise TrainingError(f"no exam could be measured: {reasons}", code="NO_CASES")
    cases, left_out = labelled_only(found)
    spec = read_declaration(model / "osteon.json")
    table = write_evaluation(cases, spec.sha256, population, out, spec.thresholds)
    return Evaluated(table, refused, left_out)


def with_fold(config: Path, fold: str, run: Path) -> Path:
    """Write the experiment with another fold beside the run; return that YAML.

    Raises:
        TrainingError: `EXPERIMENT`, a bad YAML, or patients that are no user's.

    """
    experiment = load_experiment(config)
    run.mkdir(parents=True, exist_ok=True)
    path = run / "experiment.yaml"
    save_experiment(replace(experiment, cohort=replace(experiment.cohort, fold=fold)), path)
    load_experiment(path)
    return path


def pool(evaluations: Sequence[Path], out: Path) -> str:
    """Put evaluations of different exams into one, such as those of all folds; return its tables.

    Each exam must stand in one of them only, so that no patient counts twice.

    Raises:
        TrainingError: `COMPARISON`, a folder holds no evaluation, or an exam is in two.

    """
    cases = [case for folder in evaluations for case in read_cases(folder)]
    names = [case.case for case in cases]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        message = f"{len(twice)} exams are in two evaluations, the first is {twice[0]}"
        raise TrainingError(message, code="COMPARISON")
    declared = [read_declared(folder) for folder in evaluations]
    digests = list(dict.fromkeys(document["model_sha256"] for document in declared))
    if len(digests) > 1:
        digests = [hashlib.sha256("".join(digests).encode()).hexdigest()]
    populations = "; ".join(dict.fromkeys(document["population"] for document in declared))
    out.mkdir(parents=True, exist_ok=True)
    return write_evaluation(cases, digests[0], populations, out)
