"""The files of an evaluation: `evaluation.json`, `evaluation.md`, `cases.json`, plots."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from training.assessment.evaluation_summary import summarise
from training.assessment.markdown import markdown
from training.assessment.plots import write_plots
from training.errors import TrainingError
from training.scoring.case import result_from

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from training.scoring.case import CaseResult

FORMAT = "osteon-evaluation/2"
_DECLARED = ("model_sha256", "population", "n_cases", "targets", "markdown")


def write_evaluation(
    cases: Sequence[CaseResult],
    model_sha256: str,
    population: str,
    out: Path,
    thresholds: Mapping[str, float] | None = None,
) -> str:
    """Write everything into `out` and return the Markdown tables.

    `evaluation.json` holds no exam, since parts of it go with a model; `cases.json` holds them
    all, for comparisons. `thresholds` are those that the model was served with.
    """
    summary = summarise(cases, population)
    table = markdown(summary, cases)
    document = {
        "format": FORMAT,
        "model_sha256": model_sha256,
        "thresholds": dict(thresholds or {}),
        "n_cases": len(cases),
        **asdict(summary),
        "markdown": table,
    }
    _write_json(document, out / "evaluation.json")
    _write_json([asdict(case) for case in cases], out / "cases.json")
    plots = [f"![{path.stem.replace('_', ' ')}]({path.name})" for path in write_plots(cases, out)]
    text = "\n\n".join([table.rstrip(), *plots]) + "\n"
    (out / "evaluation.md").write_text(text, encoding="utf-8")
    return table


def read_cases(folder: Path) -> list[CaseResult]:
    """Read the exams that `write_evaluation` wrote.

    Raises:
        TrainingError: `COMPARISON`, there are none.

    """
    path = folder / "cases.json"
    try:
        return [result_from(values) for values in json.loads(path.read_text(encoding="utf-8"))]
    except (OSError, ValueError, KeyError, TypeError) as error:
        message = f"{path} holds no evaluated exams ({error}); run `osteon train evaluate` first"
        raise TrainingError(message, code="COMPARISON") from error


def read_declared(folder: Path) -> dict[str, Any]:
    """Read what a model's declaration keeps of the evaluation in `folder`.

    Raises:
        TrainingError: `EXPORT`, there is none in the present format.

    """
    path = folder / "evaluation.json"
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        found = {key: document[key] for key in _DECLARED}
    except (OSError, ValueError, KeyError, TypeError) as error:
        message = f"{path} is no evaluation of this version ({error}); evaluate the model again"
        raise TrainingError(message, code="EXPORT") from error
    return found | {key: document[key] for key in ("thresholds",) if key in document}


def _write_json(value: Any, path: Path) -> None:  # noqa: ANN401 - it writes any document
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")
