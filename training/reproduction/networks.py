"""The networks of the anatomy table: trained side by side where there are processes for it."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from queue import Empty
from typing import TYPE_CHECKING

from training.cohort import one_thread
from training.commands import fit
from training.experiment import save_experiment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from concurrent.futures import Future
    from multiprocessing.queues import Queue
    from pathlib import Path

    from training.experiment import Experiment
    from training.fit import StepReport

    OnProgress = Callable[[str, float], None]
    Heard = Queue[tuple[str, float, float]]

_LISTEN_S = 0.2
_heard: list[Heard] = []
"""Where a process that trains tells its steps; empty in every other process."""


def fit_networks(
    experiment: Experiment, labels: Sequence[str], out: Path, workers: int, on_progress: OnProgress
) -> None:
    """Train a network on each kind of labels: the same seed, so the same first weights and patches.

    With at least as many `workers` as networks all are trained at the same time, each in a process
    of its own; the results are the same, since a fit's threads stand in its experiment. A run that
    is there is gone on with.

    Raises:
        TrainingError: as `training.commands.fit`.

    """
    for kind in labels:
        save_experiment(replace(experiment, labels=kind), _config(out, kind))
    if workers >= len(labels):
        _side_by_side(labels, out, on_progress)
        return
    for kind in labels:
        _fit(out, kind, lambda *step: on_progress(_stage([step]), step[1]))


def run_of(out: Path, labels: str) -> Path:
    """Return the folder of the run on the labels of this kind."""
    return out / "runs" / labels


def _config(out: Path, labels: str) -> Path:
    return out / f"{labels}.yaml"


def _fit(out: Path, labels: str, on_step: Callable[[str, float, float], None]) -> None:
    def stepped(report: StepReport) -> None:
        on_step(labels, report.done, report.loss)

    fit(_config(out, labels), run_of(out, labels), None, resume=True, on_step=stepped)


def _side_by_side(labels: Sequence[str], out: Path, on_progress: OnProgress) -> None:
    context = get_context("spawn")
    heard: Heard = context.Queue()
    with ProcessPoolExecutor(len(labels), context, initializer=_begin, initargs=(heard,)) as pool:
        fits = [pool.submit(_fit_and_tell, out, kind) for kind in labels]
        _listen(fits, heard, dict.fromkeys(labels, (0.0, float("nan"))), on_progress)
    for done in fits:
        done.result()


def _listen(
    fits: Sequence[Future[None]],
    heard: Heard,
    steps: Mapping[str, tuple[float, float]],
    on_progress: OnProgress,
) -> None:
    latest = dict(steps)
    while not all(fit.done() for fit in fits):
        try:
            kind, done, loss = heard.get(timeout=_LISTEN_S)
        except Empty:
            continue
        latest[kind] = (done, loss)
        shown = [(name, *step) for name, step in latest.items()]
        on_progress(_stage(shown), min(done for _, done, _ in shown))


def _stage(steps: Sequence[tuple[str, float, float]]) -> str:
    kinds = " and ".join(kind for kind, _, _ in steps)
    losses = " and ".join(f"{loss:.3f}" for _, _, loss in steps)
    return f"training on {kinds} labels, loss {losses}"


def _begin(heard: Heard) -> None:
    one_thread()
    _heard.append(heard)


def _fit_and_tell(out: Path, labels: str) -> None:
    (heard,) = _heard
    _fit(out, labels, lambda *step: heard.put(step))
