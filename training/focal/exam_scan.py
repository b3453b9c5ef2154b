"""The scans of a focal examination, kept on disk: they cost more than the network does."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from imaging.adc import fit_adc
from imaging.focal import FocalInput, MagnitudeImage, registered_input
from imaging.geometry import Geometry
from imaging.model import ModelInput
from imaging.stations import assemble

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from imaging.model import ModelSpec

T1_VOXEL_MM = (5.0, 2.0)
"""Slices and pixels of T1: those of `osteon phantom`."""


@dataclass(frozen=True, eq=False)
class Scanned:
    """What a network is given of one patient, and the truth on the grid of the diffusion images."""

    looked: FocalInput
    adc_um2_s: NDArray[np.float32] = field(repr=False)
    truth: NDArray[np.bool_] = field(repr=False)
    geometry: Geometry


def scanned(folder: Path, seed: int, spec: ModelSpec) -> Scanned:
    """Return a patient's scans, from `folder` where they are; they depend on the grid of `spec`."""
    grid = "x".join(f"{mm:g}" for mm in spec.spacing_mm)
    path = folder / f"phantom-{seed:05d}-{grid}.npz"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        _write(scan(seed, spec), path)
    return _read(path)


def scan(seed: int, spec: ModelSpec) -> Scanned:
    """Scan a patient with focal disease twice, and bring both scans to the network's grid."""
    # Serving needs no phantom; only this does.
    from phantom.acquisition import Protocol, acquire, body_grid  # noqa: PLC0415
    from phantom.body import paint_body  # noqa: PLC0415
    from phantom.patient import PatientOptions, make_patient  # noqa: PLC0415
    from phantom.t1 import T1Protocol, acquire_t1  # noqa: PLC0415

    protocol = Protocol()
    count = len(make_patient(seed).disease.lesions)
    person = make_patient(seed, PatientOptions(diseased=True, lesion_count=count))
    body = paint_body(person, body_grid(person, protocol))
    acquired, t1 = (
        acquire(person, protocol, body),
        acquire_t1(person, body, T1Protocol(*T1_VOXEL_MM)),
    )
    volume = assemble(acquired.stations).volume
    fit = fit_adc(volume)
    image = MagnitudeImage(t1.image, t1.geometry)
    looked = registered_input(fit, volume.geometry, image, spec)
    truth = acquired.truth.lesion_labels > 0
    return Scanned(looked, fit.adc_um2_s, truth, volume.geometry)


def _write(scan: Scanned, path: Path) -> None:
    """Write under the final name in one step: a reader never sees half of it."""
    partial = path.with_suffix(f".{os.getpid()}.partial")
    with partial.open("wb") as file:
        np.savez(
            file,
            given=scan.looked.given.array,
            model_affine=scan.looked.given.geometry.affine,
            shown=scan.looked.shown,
            moved_mm=scan.looked.moved_mm,
            adc_um2_s=scan.adc_um2_s,
            truth=scan.truth,
            affine=scan.geometry.affine,
        )
    partial.replace(path)


def _read(path: Path) -> Scanned:
    with np.load(path) as arrays:
        held: dict[str, Any] = {name: arrays[name] for name in arrays.files}
    given = held["given"]
    grid = Geometry(given.shape[1:], held["model_affine"])
    looked = FocalInput(ModelInput(given, grid), held["shown"], float(held["moved_mm"]))
    truth = held["truth"]
    return Scanned(looked, held["adc_um2_s"], truth, Geometry(truth.shape, held["affine"]))
