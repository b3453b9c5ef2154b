"""A run that is killed, not asked to stop, goes on as if nothing had been."""

from __future__ import annotations

import dataclasses
import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from training.cases import write_case
from training.cohort import case_path
from training.commands import fit
from training.experiment import save_experiment
from training.fit import StepReport
from training.records import MetricsWriter

STEPS = 60


@pytest.fixture
def config(experiment, cases, tmp_path) -> Path:
    folder = Path(experiment.cohort.folder)
    folder.mkdir()
    for seed, case in zip((1, 2, 900), cases, strict=True):
        write_case(case, case_path(folder, seed))
    # A checkpoint every few steps: a kill then loses some that metrics.jsonl already names.
    often = dataclasses.replace(
        experiment.fit, steps=STEPS, log_steps=1, checkpoint_minutes=0.003, validate_minutes=60.0
    )
    path = tmp_path / "experiment.yaml"
    save_experiment(dataclasses.replace(experiment, fit=often), path)
    return path


def curve(run: Path) -> list[tuple[int, float]]:
    lines = (run / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    return [(row["step"], row["loss"]) for row in map(json.loads, lines)]


def wait_for(run: Path, step: int, child: subprocess.Popen) -> None:
    path = run / "metrics.jsonl"
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and child.poll() is None:
        if path.exists() and path.read_text(encoding="utf-8").count("\n") >= step:
            return
        time.sleep(0.005)
    pytest.fail(f"the run did not come to step {step}: {child.poll()}")


def test_a_killed_run_goes_on_with_the_losses_of_an_unbroken_one(config, tmp_path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    command = [sys.executable, "-m", "training", "fit", str(killed), "-c", str(config)]
    child = subprocess.Popen(
        [*command, "--device", "cpu"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        wait_for(killed, random.randint(8, STEPS // 2), child)
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
    assert child.returncode == -signal.SIGKILL
    came_to = len(curve_of_whole_lines(killed))
    fit(config, killed, None, True, lambda _: None, "cpu")
    fit(config, whole, None, True, lambda _: None, "cpu")
    assert came_to < STEPS
    assert [step for step, _ in curve(killed)] == list(range(1, STEPS + 1))
    assert curve(killed) == curve(whole)
    assert json.loads((killed / "env.json").read_text())["device"] == "cpu"


def curve_of_whole_lines(run: Path) -> list[str]:
    text = (run / "metrics.jsonl").read_text(encoding="utf-8")
    return [line for line in text.splitlines(keepends=True) if line.endswith("\n")]


def test_the_record_drops_what_is_written_again_and_what_a_kill_cut(tmp_path):
    def report(step, loss):
        return StepReport(step, step / 9, 1.0, 0.1, loss)

    with MetricsWriter(tmp_path, 1) as writer:
        for step in (1, 2, 3):
            writer.write(report(step, 0.5))
    with (tmp_path / "metrics.jsonl").open("a") as file:
        file.write('{"step": 4, "lo')
    with MetricsWriter(tmp_path, 1) as writer:
        writer.write(report(2, 0.25))
    assert curve(tmp_path) == [(1, 0.5), (2, 0.25)]


def test_a_run_with_nothing_left_keeps_its_record(tmp_path):
    (tmp_path / "metrics.jsonl").write_text('{"step": 1, "loss": 0.5}\n')
    with MetricsWriter(tmp_path, 1):
        pass
    assert curve(tmp_path) == [(1, 0.5)]
