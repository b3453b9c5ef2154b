from __future__ import annotations

import numpy as np
import pytest
import torch

from training.cases import Case
from training.experiment import (
    CohortSettings,
    Experiment,
    FitSettings,
    GridSettings,
    NetworkSettings,
)

torch.set_num_threads(1)

AFFINE = np.array([[0, 0, 2.5, 0], [0, 2.5, 0, 0], [5.0, 0, 0, 0], [0, 0, 0, 1.0]])


def toy_case(seed: int) -> Case:
    """A body of 20 slices with a bright block of liver and a dark one of left kidney."""
    rng = np.random.default_rng(seed)
    labels = np.zeros((20, 24, 28), dtype=np.uint8)
    labels[4:12, 6:16, 4:12] = 15
    labels[8:16, 6:16, 16:24] = 17
    image = rng.normal(0.5, 0.05, (2, 20, 24, 28))
    image[0] += (labels == 15) * 1.5
    image[1] += (labels == 17) * 1.5
    return Case(f"toy-{seed}", image.astype(np.float16), labels, AFFINE)


@pytest.fixture
def experiment(tmp_path) -> Experiment:
    return Experiment(
        name="anatomy",
        version="0.0.1",
        cohort=CohortSettings(str(tmp_path / "cases"), "1-3", "900-901"),
        grid=GridSettings(slab_slices=16, slab_overlap=4),
        network=NetworkSettings(filters=(8, 12, 16)),
        fit=FitSettings(steps=12, batch=2, patch=(8, 16, 16), threads=1, bf16=False, warmup=0.1),
    )


@pytest.fixture
def cases() -> list[Case]:
    return [toy_case(seed) for seed in (1, 2, 3)]
