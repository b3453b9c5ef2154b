from __future__ import annotations

import numpy as np
import pytest
import torch

from training.cases import Case
from training.focal.settings import (
    FineTuning,
    FocalCohort,
    FocalExperiment,
    FocalNetwork,
    StageSettings,
)

torch.set_num_threads(1)

AFFINE = np.array([[0, 0, 4.0, 0], [0, 4.0, 0, 0], [5.0, 0, 0, 0], [0, 0, 0, 1.0]])
BLOCKS = (((2, 5), (3, 6), (3, 7)), ((12, 15), (14, 17), (15, 17)), ((16, 17), (4, 6), (18, 20)))


def toy_case(seed: int, blocks=BLOCKS) -> Case:
    """Noise with bright blocks on b1000 that are dark on T1: lesions."""
    rng = np.random.default_rng(seed)
    labels = np.zeros((20, 24, 24), dtype=np.uint8)
    for k, j, i in blocks:
        labels[slice(*k), slice(*j), slice(*i)] = 1
    image = rng.normal(0.5, 0.05, (2, 20, 24, 24))
    image[0] -= 0.4 * labels
    image[1] += 0.4 * labels
    return Case(f"toy-{seed}", image.astype(np.float16), labels, AFFINE)


@pytest.fixture
def cases() -> list[Case]:
    return [toy_case(1), toy_case(2, BLOCKS[:1])]


@pytest.fixture
def experiment() -> FocalExperiment:
    stage = StageSettings(2, 1, (2e-3, 2e-3), "adam", batch=2, freeze_statistics_at=0.6)
    return FocalExperiment(
        "focal",
        "0",
        FocalCohort("3001", "3101-3104", folds=2),
        skeleton=stage,
        ssl=stage,
        lesions=FineTuning(stage, (1e-3, 2e-3), (4e-4, 2e-3)),
        spacing_mm=(5.0, 4.0, 4.0),
        patch=(8, 8, 8),
        network=FocalNetwork("residual_unet", filters=(8, 8, 12), fold=1),
        device="cpu",
        threads=1,
        bf16=False,
    )
