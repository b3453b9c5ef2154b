"""Everything that an evaluation keeps of one exam, and its JSON."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from training.scoring.lesions import ExamLesions, LesionScore, PredictionScore
from training.scoring.structures import StructureScore

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class CaseResult:
    """One exam: structures, lesions, burden measured and true, and the time it took.

    `lesion_source` says whose lesions these are, `disease` scores their whole mask (None without
    any). gADC is None where there is no disease; `bf16` says how the network ran.
    """

    case: str
    patient: str
    structures: dict[str, StructureScore]
    lesion_source: str
    lesions: ExamLesions
    disease: StructureScore | None
    tdv_ml: float
    true_tdv_ml: float
    gadc_um2_s: float | None
    true_gadc_um2_s: float | None
    reference_accepted: bool
    network_seconds: float
    scoring_seconds: float
    bf16: bool


def write_result(result: CaseResult, path: Path) -> None:
    """Write one exam under its final name in one step: a reader never sees half of it."""
    partial = path.with_suffix(f".{os.getpid()}.partial")
    partial.write_text(json.dumps(asdict(result)) + "\n", encoding="utf-8")
    partial.replace(path)


def read_result(path: Path) -> CaseResult:
    """Read what `write_result` wrote."""
    values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return result_from(values)


def result_from(values: dict[str, Any]) -> CaseResult:
    """Build a result from its JSON object."""
    held = values["lesions"]
    lesions = ExamLesions(
        tuple(LesionScore(**_tuple_nsd(row)) for row in held["lesions"]),
        tuple(PredictionScore(**row) for row in held["predictions"]),
        tuple((lesion, prediction, ml) for lesion, prediction, ml in held["shared_ml"]),
    )
    structures = {n: StructureScore(**_tuple_nsd(s)) for n, s in values["structures"].items()}
    found = values["disease"]
    disease = StructureScore(**_tuple_nsd(found)) if found else None
    rest = {"structures": structures, "lesions": lesions, "disease": disease}
    return CaseResult(**(values | rest))


def _tuple_nsd(values: dict[str, Any]) -> dict[str, Any]:
    nsd = values["nsd"]
    return values | {"nsd": None if nsd is None else tuple(nsd)}
