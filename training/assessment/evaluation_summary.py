"""What an evaluation found, as numbers for programs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from training.assessment.burden_summary import summarise_burden
from training.assessment.lesion_summary import by_size, summarise_lesions
from training.assessment.patients import MEASURABLE_ML
from training.assessment.structure_summary import summarise_structures
from training.assessment.targets import anatomy_targets, disease_targets

if TYPE_CHECKING:
    from collections.abc import Sequence

    from training.assessment.burden_summary import BurdenSummary
    from training.assessment.lesion_summary import LesionNumber, SizeRow
    from training.assessment.structure_summary import Spread
    from training.assessment.targets import Target
    from training.scoring.case import CaseResult


@dataclass(frozen=True)
class EvaluationSummary:
    """All tables of an evaluation; `docs/evaluation.md` says what each number is."""

    population: str
    cases: tuple[str, ...]
    structures: dict[str, dict[str, Spread]]
    targets: tuple[Target, ...]
    lesion_source: str
    lesions: dict[str, LesionNumber]
    measurable_lesions: dict[str, LesionNumber]
    lesions_by_size: tuple[SizeRow, ...]
    burden: BurdenSummary
    canal_reference_accepted: int
    network_seconds_median: float
    scoring_seconds_median: float


def summarise(cases: Sequence[CaseResult], population: str) -> EvaluationSummary:
    """Sum up exams; `population` says in words whose they are. There must be one.

    Lesions and burden are those of the exams with a lesion source: elsewhere none were looked for.
    """
    structures = summarise_structures(cases)
    looked = [c for c in cases if c.lesion_source]
    burden = summarise_burden(looked)
    seconds = [c.network_seconds for c in cases]
    targets = anatomy_targets(structures, seconds) if structures else []
    if looked:
        targets += disease_targets(looked, burden)
    return EvaluationSummary(
        population=population,
        cases=tuple(c.case for c in cases),
        structures=structures,
        targets=tuple(targets),
        lesion_source=", ".join(dict.fromkeys(c.lesion_source for c in looked)),
        lesions=summarise_lesions(looked) if looked else {},
        measurable_lesions=summarise_lesions(looked, MEASURABLE_ML) if looked else {},
        lesions_by_size=tuple(by_size(looked)) if looked else (),
        burden=burden,
        canal_reference_accepted=sum(c.reference_accepted for c in cases),
        network_seconds_median=float(np.median(seconds)),
        scoring_seconds_median=float(np.median([c.scoring_seconds for c in cases])),
    )
