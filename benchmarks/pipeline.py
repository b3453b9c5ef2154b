"""Seconds of each stage of `osteon run`, and of the whole, on one synthetic study."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SEED = "1000"


def main() -> None:
    """Make a full-size study, measure it in a fresh process, print the stage times."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        osteon = [sys.executable, "-m", "service"]
        study = [*osteon, "phantom", str(folder / "study"), "--seed", SEED]
        subprocess.run(study, check=True, capture_output=True)
        started = time.perf_counter()
        run = [*osteon, "run", str(folder / "study" / "dicom"), "-o", str(folder / "out")]
        subprocess.run(run, check=True, capture_output=True)
        seconds = time.perf_counter() - started
        document = json.loads((folder / "out" / "measurements.json").read_text(encoding="utf-8"))
    print(f"osteon run on synthetic patient {SEED}, a fresh process, seconds")
    for stage, value in document["stages"].items():
        print(f"  {stage:10s} {value:6.1f}")
    print(f"  {'end to end':10s} {seconds:6.1f}")
