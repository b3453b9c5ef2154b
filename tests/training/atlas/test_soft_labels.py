from __future__ import annotations

import numpy as np
import pytest

from training.atlas.soft_labels import pack, read_soft_labels, write_soft_labels
from training.errors import TrainingError

# One row of five voxels, three classes.
SHARES = np.array(
    [[1.0, 0.75, 0.25, 0.0, 0.5], [0.0, 0.25, 0.5, 1.0, 0.0], [0.0, 0.0, 0.25, 0.0, 0.5]],
    np.float32,
).reshape(3, 1, 1, 5)


def test_packed_by_hand():
    soft = pack(SHARES)
    assert sorted(soft.boxes) == [1, 2]
    assert soft.boxes[1].start == (0, 0, 1)
    # 0.25 x 255 = 63.75 and 0.5 x 255 = 127.5, both rounded down.
    assert soft.boxes[1].shares.tolist() == [[[63, 127, 255]]]
    assert soft.boxes[2].shares.tolist() == [[[63, 0, 127]]]


def test_unpacked_sums_to_one_and_keeps_the_shares():
    dense = pack(SHARES).dense(3)
    np.testing.assert_allclose(dense.sum(axis=0), 1, atol=1e-6)
    np.testing.assert_allclose(dense, SHARES, atol=2.1 / 255)
    assert dense[1, 0, 0, 3] == 1.0


def test_the_most_probable_class():
    # Voxel 4: background 128/255, class 2 127/255.
    assert pack(SHARES).most_probable().tolist() == [[[0, 0, 1, 1, 0]]]


def test_a_part_that_reaches_outside_is_background_there():
    soft = pack(SHARES)
    part = soft.part((0, -1, 3), (1, 2, 4), 3)
    assert part.shape == (3, 1, 2, 4)
    np.testing.assert_allclose(part[:, 0, 0], [[1] * 4, [0] * 4, [0] * 4])
    np.testing.assert_allclose(part[0, 0, 1], [0, 128 / 255, 1, 1], atol=1e-6)
    np.testing.assert_allclose(part[1, 0, 1], [1, 0, 0, 0])
    elsewhere = soft.part((0, 0, 40), (1, 1, 2), 3)
    np.testing.assert_allclose(elsewhere[0], 1)


def test_the_file_reads_back_and_half_a_file_is_refused(tmp_path):
    soft = pack(SHARES)
    path = tmp_path / "a.soft.npz"
    write_soft_labels(soft, path)
    back = read_soft_labels(path)
    assert back.shape == soft.shape
    assert np.array_equal(back.dense(3), soft.dense(3))
    assert [p.name for p in tmp_path.iterdir()] == ["a.soft.npz"]
    path.write_bytes(b"half")
    with pytest.raises(TrainingError) as caught:
        read_soft_labels(path)
    assert caught.value.code == "SOFT_LABELS"
