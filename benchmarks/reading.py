"""800 slices from a folder to an assembled ADC map, beside dcm2niix and numpy on the same files."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.folder_to_adc import osteon
from benchmarks.nifti import read_nifti
from benchmarks.timing import rounds_of
from dicom_objects.scanner.study import write_study
from imaging.body import body_mask
from imaging.diffusion import DiffusionVolume, Station
from phantom.acquisition import Acquisition, Protocol, acquire
from phantom.patient import make_patient

if TYPE_CHECKING:
    from benchmarks.timing import Round
    from imaging.adc import AdcFit

B_VALUES = (0.0, 50.0, 600.0, 900.0)
STATIONS = 4
SLICES = 50
OVERLAP = 3
"""Slices that neighbours share at least."""
MATRIX = (256, 256)
ROUNDS = 7
LIMIT_S = 2.5


def write_files(folder: Path) -> int:
    """Write 4 stations x 4 b-values x 50 slices of a noisy person; return how many files."""
    plan = Protocol(B_VALUES, STATIONS, in_plane_mm=1.8, matrix=MATRIX, overlap=0, noise=False)
    ideal = acquire(make_patient(1), plan)
    grid = ideal.truth.geometry
    whole = {b: np.concatenate([s.volume.images[b] for s in ideal.stations]) for b in B_VALUES}
    rng = np.random.default_rng(0)
    length = min(grid.shape[0], STATIONS * SLICES - (STATIONS - 1) * OVERLAP)
    starts = np.linspace(0, length - SLICES, STATIONS).round().astype(int)
    stations = []
    for n, start in enumerate(starts, start=1):
        gain = rng.uniform(0.8, 1.25)
        own = grid.crop((int(start), 0, 0), (int(start) + SLICES, *MATRIX))
        images = {b: _noisy(i[start : start + SLICES] * gain, rng) for b, i in whole.items()}
        stations.append(Station(f"station {n}", DiffusionVolume(own, images)))
    made = Acquisition(tuple(stations), ideal.truth, ideal.seed)
    return len(write_study(made, folder, distractors=False))


def _noisy(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    noise = 2.5 * rng.standard_normal((2, *image.shape), dtype=np.float32)
    return np.hypot(image + noise[0], noise[1], dtype=np.float32)


def dcm2niix_and_numpy(folder: str) -> np.ndarray:
    """Do what a script does: convert, stack the stations by position, fit by one product.

    It corrects no signal and checks nothing. dcm2niix writes no b-values for trace images, so the
    script knows that the series come in order of b.
    """
    with tempfile.TemporaryDirectory() as name:
        command = ["dcm2niix", "-b", "n", "-z", "n", "-f", "%s", "-o", name, folder]
        subprocess.run(command, check=True, capture_output=True)
        found = sorted(Path(name).glob("*.nii"), key=lambda p: int(p.stem))
        volumes = [read_nifti(p) for p in found]
    kept = [k for k, b in enumerate(B_VALUES) if b >= 10]
    wholes = [_stacked(volumes[k :: len(B_VALUES)]) for k in kept]
    design = np.array([[1.0, -B_VALUES[k] * 1e-6] for k in kept])
    weights = np.linalg.pinv(design)[1].astype(np.float32)
    adc = np.zeros(wholes[0].shape, dtype=np.float32)
    for whole, weight in zip(wholes, weights, strict=True):
        adc += weight * np.log(np.maximum(whole, 1).astype(np.float32))
    return adc


def _stacked(volumes: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """Join the stations from feet to head, each cut in the middle of its overlaps."""
    ordered = sorted(volumes, key=lambda v: v[1][2, 3])
    slice_mm = ordered[0][1][2, 2]
    tops = [round((affine[2, 3] - ordered[0][1][2, 3]) / slice_mm) for _, affine in ordered]
    parts, reached = [], 0
    for n, (bottom_up, _) in enumerate(ordered):
        image = bottom_up[:, ::-1]  # rows from front to back, as DICOM has them
        shared = tops[n] + len(image) - tops[n + 1] if n + 1 < len(tops) else 0
        stop = tops[n] + len(image) - shared // 2
        parts.append(image[reached - tops[n] : stop - tops[n]])
        reached = stop
    return np.concatenate(parts)


def main() -> None:
    """Print seconds, ratio and how far the two maps agree."""
    if shutil.which("dcm2niix") is None:
        print("reading: dcm2niix is not installed (apt-get install dcm2niix)", file=sys.stderr)
        raise SystemExit(1)
    with tempfile.TemporaryDirectory() as name:
        n_files = write_files(Path(name))
        fresh = [sys.executable, "-m", "benchmarks.folder_to_adc", name]
        candidates = {
            "osteon": lambda: osteon(name),
            "fresh": lambda: subprocess.run(fresh, check=True),
            "peer": lambda: dcm2niix_and_numpy(name),
        }
        measured = rounds_of(candidates, ROUNDS)
        ours, steps = min((osteon(name) for _ in range(3)), key=lambda run: sum(run[1].values()))
        theirs = dcm2niix_and_numpy(name)
    _print(n_files, measured, steps)
    _print_difference(ours, theirs)


def _print(n_files: int, measured: dict[str, list[Round]], steps: dict[str, float]) -> None:
    titles = {
        "osteon": "osteon, in this process",
        "fresh": "osteon, a fresh process",
        "peer": "dcm2niix + numpy",
    }
    cores, load = os.cpu_count() or 1, os.getloadavg()[0]
    print(
        f"{n_files} slices of {MATRIX[0]} x {MATRIX[1]}, b {B_VALUES}, from folder to ADC map; "
        f"{ROUNDS} rounds in turn, {cores} cores, load {load:.1f}"
    )
    print(f"  {'seconds':26s} {'median':>7s} {'best':>7s} {'CPU':>7s}")
    usual = median(r.wall_s for r in measured["peer"])
    for name, title in titles.items():
        wall = [r.wall_s for r in measured[name]]
        cpu = median(r.cpu_s for r in measured[name])
        ratio = f"  {median(wall) / usual:.2f} times dcm2niix + numpy" if name != "peer" else ""
        print(f"  {title:26s} {median(wall):7.2f} {min(wall):7.2f} {cpu:7.2f}{ratio}")
    print("  of which " + ", ".join(f"{k} {v:.2f} s" for k, v in steps.items()))
    kept = min(r.wall_s for r in measured["osteon"]) <= LIMIT_S
    print(f"  limit of {LIMIT_S:g} s {'kept' if kept else 'missed'} by the best round")
    if load > cores + 1:
        print("  other programs kept the machine busy: only ratios and CPU seconds say something")


def _print_difference(ours: AdcFit, theirs: np.ndarray) -> None:
    own = ours.adc_um2_s
    # Weighted against unweighted and blended against cut: equal only to the noise.
    body = body_mask(ours.s0) & np.isfinite(own)
    difference = own[body] - theirs[body]
    print(
        f"  maps of {own.shape} and {theirs.shape}; medians in the body {np.median(own[body]):.0f} "
        f"and {np.median(theirs[body]):.0f} um2/s, of the voxels' differences "
        f"{np.median(difference):+.1f}"
    )
