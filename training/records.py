"""What a run leaves behind: the resolved experiment, the environment, and its metrics."""

from __future__ import annotations

import json
import platform
import subprocess
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Self

from torch.utils.tensorboard.writer import SummaryWriter

from training.experiment import save_experiment

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from training.experiment import Experiment
    from training.fit import StepReport

_PACKAGES = ("torch", "monai", "numpy", "scipy", "SimpleITK")


def begin_run(run: Path, experiment: Experiment, cases: list[str], held_out: list[str]) -> None:
    """Write `config.yaml`, `env.json` and `splits.json` into the run's folder."""
    run.mkdir(parents=True, exist_ok=True)
    save_experiment(experiment, run / "config.yaml")
    _write_json(run / "env.json", environment())
    _write_json(run / "splits.json", {"train": cases, "validation": held_out})


def environment() -> dict[str, Any]:
    """Return the software and the machine that a run depends on."""
    return {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "packages": {name: version(name) for name in _PACKAGES},
        "git_commit": _git("rev-parse", "HEAD"),
        "uncommitted_files": len(_git("status", "--porcelain").splitlines()),
    }


class MetricsWriter:
    """`metrics.jsonl` (one object a line) and TensorBoard events of one run."""

    def __init__(self, run: Path, every: int) -> None:
        """Append to the run's files; the loss is written every `every` steps."""
        self._lines = (run / "metrics.jsonl").open("a", encoding="utf-8")
        self._board = SummaryWriter(str(run / "tensorboard"))
        self._every = every

    def write(self, report: StepReport) -> None:
        """Write a step's loss when it is due, and every validation."""
        if report.step % self._every and report.validation is None:
            return
        values: dict[str, Any] = {
            "step": report.step,
            "elapsed_s": round(report.elapsed_s, 1),
            "learning_rate": report.learning_rate,
            "loss": report.loss,
        }
        self._add("loss", report.loss, report.step)
        self._add("learning_rate", report.learning_rate, report.step)
        if report.validation is not None:
            values["validation_dice"] = {k: round(v, 4) for k, v in report.validation.items()}
            for name, score in report.validation.items():
                self._add(f"dice/{name}", score, report.step)
        self._lines.write(json.dumps(values) + "\n")
        self._lines.flush()

    def __enter__(self) -> Self:
        """Use as a context."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the files."""
        self._lines.close()
        self._board.close()

    def _add(self, name: str, value: float, step: int) -> None:
        self._board.add_scalar(name, value, step)


def _write_json(path: Path, document: dict[str, Any]) -> None:
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - fixed arguments
            ["git", *arguments],  # noqa: S607 - whichever git the user has
            capture_output=True,
            text=True,
            check=False,
            timeout=20,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()
