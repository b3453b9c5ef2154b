"""The shipped network on one body: in this process, on Triton by gRPC, and by shared memory."""

from __future__ import annotations

import tempfile
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks.timing import rounds_of
from imaging.geometry import Geometry
from imaging.model import ModelInput
from tests.model_server import PROJECT, ModelServer
from workers.inference.opening import ModelOpener

ROUNDS = 3
SHAPE = (160, 96, 160)
"""Slices, rows and columns of the body on the model's grid: 800 mm of a trunk, two slabs."""
FOLDER = PROJECT / "model_repository" / "anatomy"


def main() -> None:
    """Start a Triton, ask all three in turn, print medians, ranges and the largest difference."""
    with (
        tempfile.TemporaryDirectory() as name,
        ModelServer(FOLDER.parent, Path(name) / "log") as server,
    ):
        patient = server.endpoint(deadline_s=600.0)
        shared = server.endpoint(deadline_s=600.0, shared_memory=True)
        models = {
            "embedded": ModelOpener(threads=1).open(FOLDER),
            "Triton, gRPC": ModelOpener(patient).open(FOLDER),
            "Triton, shared memory": ModelOpener(shared).open(FOLDER),
        }
        spec = models["embedded"].spec
        array = np.random.default_rng(0).random((len(spec.channels), *SHAPE), dtype=np.float32)
        given = ModelInput(array, Geometry.axial(SHAPE, spec.spacing_mm, (0, 0, 0)))
        answers: dict[str, np.ndarray] = {}

        def ask(title: str) -> None:
            answers[title] = models[title].predict(given, lambda _: None)

        candidates = {title: (lambda title=title: ask(title)) for title in models}
        measured = rounds_of(candidates, ROUNDS)
    print(f"{spec.name} {spec.version}, {SHAPE} voxels, one thread, median of {ROUNDS} rounds")
    base = median(r.wall_s for r in measured["embedded"])
    for title, rounds in measured.items():
        walls = [r.wall_s for r in rounds]
        furthest = float(np.abs(answers[title] - answers["embedded"]).max())
        print(
            f"  {title:22s} {median(walls):6.2f} s [{min(walls):.2f}-{max(walls):.2f}]"
            f"  {median(walls) / base - 1:+6.1%}  largest difference {furthest:g}"
        )
