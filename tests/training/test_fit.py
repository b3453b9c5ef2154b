from __future__ import annotations

import dataclasses
from itertools import islice

import numpy as np
import pytest
import torch

from training.checkpoint import follow, load_checkpoint, new_state
from training.errors import TrainingError
from training.experiment import NetworkSettings
from training.fit import FitPlan, take_step, train
from training.loading import make_batch
from training.sampling import index_case
from training.schedule import learning_rate, progress


def run(experiment, path, cases, *, resume=False, n=None):
    plan = FitPlan(path, None, resume)
    reports = train(experiment, plan, cases, cases[:1])
    try:
        return [r.loss for r in islice(reports, n)]
    finally:
        reports.close()


def test_steps_on_one_batch_lower_the_loss(experiment, cases):
    state = new_state(experiment)
    batch = make_batch(experiment, [index_case(c) for c in cases], 0)
    losses = [take_step(experiment, state, batch, 0.3) for _ in range(40)]
    assert losses[-1] < 0.8 * losses[0]


def test_a_resumed_run_has_the_losses_of_an_unbroken_one(experiment, cases, tmp_path):
    unbroken = run(experiment, tmp_path / "a.pt", cases)
    first = run(experiment, tmp_path / "b.pt", cases, n=5)
    rest = run(experiment, tmp_path / "b.pt", cases, resume=True)
    assert len(unbroken) == experiment.fit.steps
    # The step that was under way when the run was closed is kept too.
    assert first + rest == unbroken


def test_two_runs_with_one_seed_agree_and_another_seed_differs(experiment, cases, tmp_path):
    first = run(experiment, tmp_path / "a.pt", cases, n=3)
    again = run(experiment, tmp_path / "b.pt", cases, n=3)
    other = dataclasses.replace(experiment, fit=dataclasses.replace(experiment.fit, seed=2))
    assert first == again
    assert first != run(other, tmp_path / "c.pt", cases, n=3)


def test_a_checkpoint_of_another_network_is_refused(experiment, cases, tmp_path):
    run(experiment, tmp_path / "a.pt", cases, n=1)
    wider = dataclasses.replace(experiment, network=NetworkSettings(filters=(8, 12, 24)))
    with pytest.raises(TrainingError) as caught:
        load_checkpoint(new_state(wider), tmp_path / "a.pt")
    assert caught.value.code == "CHECKPOINT"


def test_validation_is_reported_when_due(experiment, cases, tmp_path):
    due = dataclasses.replace(experiment.fit, validate_minutes=0.0, steps=1)
    plan = FitPlan(tmp_path / "a.pt", None, resume=False)
    report = next(train(dataclasses.replace(experiment, fit=due), plan, cases, cases[:1]))
    assert report.validation is not None
    assert 0 <= report.validation["liver"] <= 1


def test_the_average_follows(experiment):
    state = new_state(experiment)
    with torch.no_grad():
        for value in state.network.parameters():
            value.add_(1.0)
    name = next(iter(dict(state.network.named_parameters())))
    before = state.average.state_dict()[name].clone()
    follow(state.average, state.network, decay=0.9, step=1000)
    gained = state.average.state_dict()[name] - before
    torch.testing.assert_close(gained, torch.full_like(gained, 0.1))


def test_batches_depend_on_the_step_alone(experiment, cases):
    indexed = [index_case(c) for c in cases]
    again = make_batch(experiment, indexed, 4)
    assert torch.equal(make_batch(experiment, indexed, 4).image, again.image)
    assert not torch.equal(make_batch(experiment, indexed, 5).image, again.image)


def test_schedule_rises_then_falls(experiment):
    fit = experiment.fit
    assert learning_rate(fit, 0.0) == pytest.approx(0.05 * fit.learning_rate)
    assert learning_rate(fit, fit.warmup) == pytest.approx(fit.learning_rate)
    middle = fit.warmup + (1 - fit.warmup) / 2
    assert learning_rate(fit, middle) == pytest.approx(fit.learning_rate * 0.5025)
    assert learning_rate(fit, 1.0) == pytest.approx(fit.learning_rate * 0.005)


def test_progress_is_whatever_runs_out_first():
    assert progress(50, 10.0, 100, None) == 0.5
    assert progress(50, 45.0, 100, 1.0) == 0.75
    assert progress(50, 600.0, 100, 1.0) == 1.0


def test_indexing_finds_the_middle_of_a_structure(cases):
    centres = index_case(cases[0]).centres
    assert sorted(centres) == [15, 17]
    assert np.array_equal(centres[15][0], [4, 10, 7])
    assert centres[15][:, 0].tolist() == list(range(4, 12))
