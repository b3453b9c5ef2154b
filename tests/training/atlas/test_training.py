"""Soft labels on their way into the network: cut, moved, mirrored, ordered, learned."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from torch.nn import functional

from imaging.anatomy import BY_NAME, STRUCTURES
from tests.training.atlas.bodies import body_case
from training import commands
from training.atlas.cohort import atlas_plan, label_cohort, softened
from training.atlas.soft_labels import pack
from training.augmentation import apply, decide, mirror_labels
from training.cases import write_case
from training.checkpoint import new_state
from training.cohort import case_path
from training.errors import TrainingError
from training.experiment import (
    AtlasSettings,
    AugmentationSettings,
    load_experiment,
    save_experiment,
)
from training.fit import take_step
from training.loading import make_batch
from training.network import FoldedUNet
from training.sampling import index_case

CLASSES = len(STRUCTURES)
SPACING = (5.0, 2.5, 2.5)
MOVES = AugmentationSettings(flip_probability=0.5, elastic_probability=1.0)


def one_hot(labels):
    return functional.one_hot(labels.long(), CLASSES).movedim(-1, 0).float()


def softened_case(seed):
    case = body_case(seed)
    shares = np.eye(CLASSES, dtype=np.float32)[case.labels].transpose(3, 0, 1, 2)
    return dataclasses.replace(case, soft=pack(shares))


@pytest.mark.parametrize("seed", range(4))
def test_shares_move_with_the_image_and_sum_to_one(seed):
    # An image that is the class's own mask must move exactly as the class's share does.
    labels = torch.from_numpy(body_case(1).labels)
    shares = one_hot(labels)
    decision = decide(MOVES, np.random.default_rng(seed))
    moved, named = apply(decision, shares[[15]], shares, (16, 18, 20), SPACING)
    torch.testing.assert_close(named.sum(0), torch.ones(16, 18, 20))
    torch.testing.assert_close(named[15], moved[0])
    assert named.min() >= 0


def test_mirrored_shares_swap_left_and_right():
    shares = torch.rand(CLASSES, 2, 3, 4)
    mirrored = mirror_labels(shares)
    left, right = BY_NAME["kidney_left"].label, BY_NAME["kidney_right"].label
    assert torch.equal(mirrored[left], shares[right].flip(-1))
    assert torch.equal(mirrored[right], shares[left].flip(-1))
    assert torch.equal(mirrored[15], shares[15].flip(-1))
    hard = torch.from_numpy(body_case(1).labels)
    assert torch.equal(mirror_labels(one_hot(hard)), one_hot(mirror_labels(hard)))


def test_shares_are_ordered_as_the_logits_are(experiment):
    net = FoldedUNet(experiment.network, 2, 5).eval()
    with torch.no_grad():
        image = torch.randn(2, 2, 4, 8, 16)
        dense, flat = net(image), net.voxel_logits(image)
    torch.testing.assert_close(net.voxel_shares(dense), flat)


def test_a_batch_of_soft_cases_holds_what_hard_ones_hold(experiment):
    still = AugmentationSettings(
        flip_probability=0, rotation_deg=0, tilt_deg=0, scale=(1, 1), stretch=0,
        elastic_probability=0,
    )  # fmt: skip
    experiment = dataclasses.replace(experiment, augmentation=still)
    soft = [index_case(softened_case(s)) for s in (1, 2)]
    hard = [index_case(body_case(s)) for s in (1, 2)]
    by_soft, by_hard = (make_batch(experiment, cases, 3) for cases in (soft, hard))
    assert torch.equal(by_soft.image, by_hard.image)
    assert by_soft.labels.shape == (2, CLASSES, *experiment.fit.patch)
    # Nothing is turned, so linear and nearest agree but at a half: parts and patches are centred.
    agree = by_soft.labels.argmax(1) == by_hard.labels
    assert agree.float().mean() > 0.97


def test_steps_on_soft_labels_lower_the_loss(experiment):
    state = new_state(experiment)
    batch = make_batch(experiment, [index_case(softened_case(s)) for s in (1, 2, 3)], 0)
    assert batch.labels.is_floating_point()
    losses = [take_step(experiment, state, batch, 0.3) for _ in range(40)]
    assert losses[-1] < 0.8 * losses[0]


def test_fit_asks_for_soft_labels_and_trains_on_them(experiment, tmp_path):
    folder = tmp_path / "cases"
    folder.mkdir()
    for seed in (1, 2, 3, 900):
        write_case(body_case(seed), case_path(folder, seed))
    atlas = AtlasSettings("1-2", SPACING, 40, (6, 4), 1.0)
    cohort = dataclasses.replace(experiment.cohort, train_seeds="3", validation_seeds="900")
    few = dataclasses.replace(experiment.fit, steps=2)
    config = tmp_path / "e.yaml"
    save_experiment(
        dataclasses.replace(experiment, labels="soft", atlas=atlas, cohort=cohort, fit=few), config
    )

    def fit():
        return commands.fit(config, tmp_path / "run", None, True, lambda _: None)

    with pytest.raises(TrainingError) as caught:
        fit()
    assert caught.value.code == "SOFT_LABELS"
    label_cohort(atlas_plan(folder, atlas), ("phantom-00003",), 1, lambda _: None)
    assert fit().step == 2
    assert load_experiment(tmp_path / "run" / "config.yaml").labels == "soft"


def test_the_majority_is_one_class_a_voxel_and_not_the_truth(tmp_path):
    for seed in (1, 2, 3):
        write_case(body_case(seed), case_path(tmp_path, seed))
    plan = atlas_plan(tmp_path, AtlasSettings("1-2", SPACING, 40, (6, 4), 1.0))
    label_cohort(plan, ("phantom-00003",), 1, lambda _: None)
    own = body_case(3)
    (soft,) = softened(plan, [own])
    (majority,) = softened(plan, [own], "majority")
    assert majority.soft is None
    shares = soft.soft.dense(CLASSES)
    assert np.array_equal(majority.labels, shares.argmax(axis=0))
    assert np.array_equal(majority.labels, soft.labels)
    assert not np.array_equal(majority.labels, own.labels)
    assert majority.image is own.image


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("labels: fuzzy", "hard or soft or majority"),
        ("labels: soft", "atlas.seeds"),
        ("labels: majority", "majority needs"),
        ("labels: soft\ntask: disease\natlas: {seeds: '1-3'}", "task anatomy"),
    ],
)
def test_labels_that_cannot_be_are_refused(tmp_path, change, said):
    path = tmp_path / "e.yaml"
    cohort = "cohort: {folder: x, train_seeds: '1', validation_seeds: '2'}"
    path.write_text(f"name: a\nversion: '1'\n{cohort}\n{change}\n")
    with pytest.raises(TrainingError, match=said) as caught:
        load_experiment(path)
    assert caught.value.code == "EXPERIMENT"
