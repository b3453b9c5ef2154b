"""Osteon's way from a folder to an ADC map, alone, so that a fresh process loads nothing else."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np

from dicom_objects.reading.diffusion import read_study
from imaging.adc import AdcFit, fit_adc
from imaging.stations import assemble


def osteon(folder: str) -> tuple[AdcFit, dict[str, float]]:
    """Return the fit on the whole body (slice, row, column) and the seconds of each step."""
    marks = [time.perf_counter()]
    study = read_study([p for p in Path(folder).rglob("*") if p.is_file()])
    marks.append(time.perf_counter())
    assembly = assemble(study.stations)
    marks.append(time.perf_counter())
    fit = fit_adc(assembly.volume)
    marks.append(time.perf_counter())
    return fit, dict(zip(("read", "assemble", "fit"), np.diff(marks), strict=True))


if __name__ == "__main__":
    osteon(sys.argv[1])
