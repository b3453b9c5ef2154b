"""What a run leaves behind: the resolved experiment, the environment, and its metrics."""

from __future__ import annotations

import json
import platform
import subprocess
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Self, TextIO

from training.experiment import save_experiment

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from torch.utils.tensorboard.writer import SummaryWriter

    from training.experiment import Experiment
    from training.fit import StepReport

_PACKAGES = ("torch", "monai", "numpy", "scipy", "SimpleITK")


def begin_run(run: Path, experiment: Experiment, cases: list[str], held_out: list[str]) -> None:
    """Write `config.yaml`, `env.json` and `splits.json` into the run's folder."""
    run.mkdir(parents=True, exist_ok=True)
    save_experiment(experiment, run / "config.yaml")
    _write_json(run / "env.json", environment())
    _write_json(run / "splits.json", {"train": cases, "validation": held_out})


def add_to_environment(run: Path, values: dict[str, Any]) -> None:
    """Add to `env.json` what is known only once the run begins."""
    path = run / "env.json"
    _write_json(path, {**json.loads(path.read_text(encoding="utf-8")), **values})


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
        """Take the run's folder; the loss is written every `every` steps."""
        self._run = run
        self._every = every
        self._files: tuple[TextIO, SummaryWriter] | None = None

    def write(self, report: StepReport) -> None:
        """Write a step's loss when it is due, and every validation.

        The first step that is written decides where the curve goes on: what a killed run had
        written from there on is dropped, since those steps are taken again.
        """
        if self._files is None:
            self._files = _open_from(self._run, report.step)
        if report.step % self._every and report.validation is None:
            return
        values: dict[str, Any] = {
            "step": report.step,
            "elapsed_s": round(report.elapsed_s, 1),
            "learning_rate": report.learning_rate,
            "loss": report.loss,
        }
        lines, board = self._files
        board.add_scalar("loss", report.loss, report.step)
        board.add_scalar("learning_rate", report.learning_rate, report.step)
        if report.validation is not None:
            values["validation_dice"] = {k: round(v, 4) for k, v in report.validation.items()}
            for name, score in report.validation.items():
                board.add_scalar(f"dice/{name}", score, report.step)
        lines.write(json.dumps(values) + "\n")
        lines.flush()

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
        for file in self._files or ():
            file.close()


def _open_from(run: Path, first_step: int) -> tuple[TextIO, SummaryWriter]:
    """Open both records so that they go on at `first_step`."""
    from torch.utils.tensorboard.writer import SummaryWriter  # noqa: PLC0415 - slow to load

    path = run / "metrics.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True) if path.exists() else []
    kept = [line for line in lines if _is_before(line, first_step)]
    partial = path.with_suffix(".partial")
    partial.write_text("".join(kept), encoding="utf-8")
    partial.replace(path)
    board = SummaryWriter(str(run / "tensorboard"), purge_step=first_step)
    return path.open("a", encoding="utf-8"), board


def _is_before(line: str, step: int) -> bool:
    """Whether a line is whole, and of an earlier step; a kill may have cut the last one."""
    try:
        return bool(line.endswith("\n") and json.loads(line)["step"] < step)
    except ValueError:
        return False


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
