from __future__ import annotations

import dataclasses

import numpy as np
import torch

from imaging.anatomy import BY_NAME, STRUCTURES
from imaging.model import Channel
from training.augmentation import Decision, apply, change_signal, decide, mirror_labels
from training.experiment import AugmentationSettings

CHANNELS = (Channel("adc_um2_s", "fixed", 1000.0, 3.5), Channel("s0", "percentile", 1.0, 4.0))
SPACING = (5.0, 2.5, 2.5)
STILL = Decision(
    matrix=np.eye(3),
    bend_mm=None,
    mirrored=False,
    adc_scale=1.0,
    gain=1.0,
    gamma=1.0,
    log_bias=np.zeros((2, 2, 2), np.float32),
    step_at=None,
    step_ratio=1.0,
    noise_sd=0.0,
    noise_seed=0,
    blurred=False,
)


def part(shape=(6, 12, 16)):
    rng = np.random.default_rng(0)
    image = torch.from_numpy(rng.random((2, *shape), dtype=np.float32))
    labels = torch.from_numpy(rng.integers(0, len(STRUCTURES), shape).astype(np.uint8))
    return image, labels


def test_mirror_swaps_left_and_right_and_nothing_else():
    labels = torch.tensor([[[s.label for s in STRUCTURES]]], dtype=torch.uint8)
    mirrored = mirror_labels(labels).flip(-1).flatten().tolist()
    pairs = {"kidney_left": "kidney_right", "femur_left": "femur_right"}
    pairs |= {"humerus_left": "humerus_right"}
    pairs |= {b: a for a, b in pairs.items()}
    assert mirrored == [BY_NAME[pairs.get(s.name, s.name)].label for s in STRUCTURES]


def test_mirrored_patch_is_the_flipped_patch():
    image, labels = part()
    mirrored = dataclasses.replace(STILL, mirrored=True)
    moved, named = apply(mirrored, image, labels, (6, 12, 16), SPACING)
    torch.testing.assert_close(moved, image.flip(-1))
    assert torch.equal(named, mirror_labels(labels))


def test_no_change_cuts_the_middle():
    image, labels = part((8, 16, 20))
    moved, named = apply(STILL, image, labels, (6, 12, 16), SPACING)
    torch.testing.assert_close(moved, image[:, 1:7, 2:14, 2:18], atol=1e-5, rtol=0)
    assert torch.equal(named, labels[1:7, 2:14, 2:18])


def test_quarter_turn_in_plane_moves_columns_to_rows():
    image, labels = part((4, 10, 10))
    turn = np.array([[1.0, 0, 0], [0, 0, -1.0], [0, 1.0, 0]])
    moved, _ = apply(
        dataclasses.replace(STILL, matrix=turn), image, labels, (4, 10, 10), (5.0, 2.5, 2.5)
    )
    # Output (row, column) looks at (-column, row): a quarter turn clockwise.
    torch.testing.assert_close(moved, torch.rot90(image, -1, (2, 3)), atol=1e-5, rtol=0)


def test_spacing_keeps_rotations_rigid():
    # Slices are twice as thick as rows. A quarter turn about the column axis: output (z, y) looks
    # at (-y, z), so the half that was posterior (rows 4-7) becomes the upper half (slices 2-3).
    # Turned voxel by voxel instead of mm by mm, the outer rows would look outside the part.
    image = torch.zeros(1, 4, 8, 4)
    image[0, :, 4:] = 1
    turn = np.array([[0, -1.0, 0], [1.0, 0, 0], [0, 0, 1.0]])
    labels = torch.zeros(4, 8, 4, dtype=torch.uint8)
    moved, _ = apply(
        dataclasses.replace(STILL, matrix=turn), image, labels, (4, 8, 4), (5.0, 2.5, 2.5)
    )
    torch.testing.assert_close(moved[0, 2:, 1:7], torch.ones(2, 6, 4))
    assert not moved[0, :2].any()


def test_signal_by_hand():
    image = torch.full((2, 4, 4, 4), 2.0)
    decision = dataclasses.replace(
        STILL, adc_scale=1.5, gain=1.2, gamma=2.0, step_at=0.5, step_ratio=0.5
    )
    out = change_signal(decision, image, CHANNELS)
    assert torch.allclose(out[0], torch.tensor(3.0))
    assert torch.allclose(out[1, :2], torch.tensor(1.2))  # (2/4)^2 x 4 x 1.2
    assert torch.allclose(out[1, 2:], torch.tensor(0.6))


def test_signal_stays_within_the_clips_and_air_without_noise():
    image = torch.full((2, 4, 4, 4), 3.0)
    image[:, 0] = 0
    out = change_signal(
        dataclasses.replace(STILL, adc_scale=2.0, gain=3.0, noise_sd=0.5), image, CHANNELS
    )
    assert out[0].max() <= 3.5
    assert out[1].max() <= 4.0
    assert out.min() >= 0
    assert not out[:, 0].any()


def test_the_same_generator_decides_the_same():
    settings = AugmentationSettings()
    first = decide(settings, np.random.default_rng(5))
    again = decide(settings, np.random.default_rng(5))
    other = decide(settings, np.random.default_rng(6))
    assert np.array_equal(first.matrix, again.matrix)
    assert first.noise_seed == again.noise_seed
    assert not np.array_equal(first.matrix, other.matrix)
