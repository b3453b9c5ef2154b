"""Small bodies with two organs, each a little elsewhere and of another size."""

from __future__ import annotations

import numpy as np

from training.cases import Case

AFFINE = np.array([[0, 0, 2.5, 0], [0, 2.5, 0, 0], [5.0, 0, 0, 0], [0, 0, 0, 1.0]])
SHAPE = (20, 24, 28)
LIVER, KIDNEY = 15, 17


def body_case(seed: int) -> Case:
    rng = np.random.default_rng(seed)
    k, j, i = np.indices(SHAPE)
    dk, dj, di = rng.uniform(-1, 1, 3)
    size = rng.uniform(0.92, 1.08)

    def ball(ck, cj, ci, r):
        where = ((k - ck - dk) / 0.8) ** 2 + (j - cj - dj) ** 2 + (i - ci - di) ** 2
        return where < (r * size) ** 2

    inside = ((k - 9.5 - dk) / 9) ** 2 + ((j - 11.5 - dj) / 10) ** 2 + (
        (i - 13.5 - di) / 12
    ) ** 2 < size**2
    labels = np.zeros(SHAPE, np.uint8)
    labels[ball(9, 11, 8, 4.5)] = LIVER
    labels[ball(10, 12, 19, 3.5)] = KIDNEY
    image = np.stack([inside * 1.0, inside * 1.2]) + rng.normal(0, 0.02, (2, *SHAPE)) * inside
    image[0] += (labels == LIVER) * 1.0
    image[1] += (labels == KIDNEY) * 1.5
    return Case(f"phantom-{seed:05d}", image.astype(np.float16), labels, AFFINE)
