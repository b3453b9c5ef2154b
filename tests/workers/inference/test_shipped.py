"""What ships in model_repository/ can be checked by whoever serves it."""

from pathlib import Path

import pytest
import torch

from imaging.known_slab import TOLERANCE, difference, known_slab
from training.triton import triton_config
from workers.inference.repository import load_known_answer, load_spec
from workers.inference.torchscript import TorchScriptModel

SHIPPED = sorted(path.parent for path in Path(__file__).parents[3].glob("model_repository/*/1"))


@pytest.mark.parametrize("folder", SHIPPED, ids=lambda folder: folder.name)
def test_every_shipped_model_says_what_it_answers_and_answers_it(folder):
    assert load_known_answer(folder, 1) is not None
    TorchScriptModel(folder, threads=1)
    assert (folder / "config.pbtxt").read_text() == triton_config(load_spec(folder))


def test_bfloat16_is_another_precision_and_is_seen():
    folder = next(folder for folder in SHIPPED if folder.name == "anatomy")
    model = TorchScriptModel(folder, threads=1)
    slab = torch.from_numpy(known_slab(model.spec))[None]
    with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16):
        for _ in range(3):  # autocast enters TorchScript with its optimiser, after profiling
            answer = model._module(slab)[0].float().numpy()
    known = load_known_answer(folder, 1)
    assert known is not None
    assert difference(known, answer) > 2 * TOLERANCE
