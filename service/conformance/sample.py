"""Two runs on tiny synthetic studies that have nothing in common: what is equal in both is fixed.

They are made by the very code that writes results, so the statement lists what it writes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from dicom_objects.reading.diffusion import read_study
from dicom_objects.scanner.headers import Identity
from dicom_objects.scanner.study import write_study
from dicom_objects.writing.report_objects import ReportParts, encode_report_objects
from dicom_objects.writing.results import ResultContent, encode_results
from imaging.adc import fit_adc
from imaging.anatomy import STRUCTURES
from imaging.diffusion import DiffusionVolume, Station
from imaging.disease import DiseaseMask
from imaging.geometry import Geometry
from imaging.measurement import MeasurementSettings, measure
from imaging.provenance import BurdenMethod, ModelIdentity, Provenance
from imaging.stations import assemble
from phantom.acquisition import Acquisition
from phantom.truth import count_truth

if TYPE_CHECKING:
    from pathlib import Path

    from dicom_objects.reading.records import DiffusionStudy
    from dicom_objects.writing.results import EncodedObject


@dataclass(frozen=True)
class Person:
    """What differs from one run to the other: everything that is not fixed."""

    number: int
    identity: Identity
    shape: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    b_values: tuple[float, ...]


@dataclass(frozen=True)
class Run:
    """An image that came in, and what was made of it, by kind."""

    source: Path
    objects: dict[str, EncodedObject] = field(repr=False)


SENT_CLASSES = (
    "1.2.840.10008.5.1.4.1.1.66.4",
    "1.2.840.10008.5.1.4.1.1.30",
    "1.2.840.10008.5.1.4.1.1.88.34",
    "1.2.840.10008.5.1.4.1.1.7.2",
    "1.2.840.10008.5.1.4.1.1.7.4",
    "1.2.840.10008.5.1.4.1.1.104.1",
    "1.2.840.10008.5.1.4.1.1.7",
)
"""What results are; a test holds it to what is written."""

PEOPLE = (
    Person(
        1,
        Identity("ONE^SYNTHETIC", "P1", "19500101", "M", "A1", "20240101", "080000", "S1"),
        (8, 32, 32),
        (5.0, 3.0, 3.0),
        (50.0, 600.0, 900.0),
    ),
    Person(
        2,
        Identity("TWO^SYNTHETIC", "P2", "19701231", "F", "B2", "20250615", "153000", "T2"),
        (9, 40, 36),
        (6.0, 2.5, 2.5),
        (0.0, 800.0),
    ),
)


def run(person: Person, folder: Path) -> Run:
    """Write a study and measure it; raises nothing on these."""
    files = write_study(_acquisition(person), folder / "images", person.identity, distractors=False)
    study = read_study(files)
    provenance = _provenance(person.number)
    made = encode_results(_content(person, study, provenance), folder / "results")
    seed = f"seed {person.number}"
    made += encode_report_objects(_parts(person.number), study, provenance, seed, folder)
    first: dict[str, EncodedObject] = {}
    for one in made:
        first.setdefault(one.kind, one)
    return Run(files[0], first)


def _acquisition(person: Person) -> Acquisition:
    dice = np.random.default_rng(person.number)
    middle = tuple(-(n - 1) * mm / 2 for n, mm in zip(person.shape, person.spacing_mm, strict=True))
    geometry = Geometry.axial(person.shape, person.spacing_mm, (middle[2], middle[1], middle[0]))
    s0 = 200.0 + 800.0 * dice.random(person.shape)
    adc = 600.0 + 1200.0 * dice.random(person.shape)
    images = {b: (s0 * np.exp(-b * adc * 1e-6)).astype(np.float32) for b in person.b_values}
    station = Station(f"station {person.number}", DiffusionVolume(geometry, images))
    nothing = np.zeros(person.shape, np.uint8)
    truth = count_truth(geometry, nothing, nothing.astype(np.uint16), adc.astype(np.float32))
    return Acquisition((station,), truth, person.number)


def _content(person: Person, study: DiffusionStudy, provenance: Provenance) -> ResultContent:
    assembly = assemble(study.stations)
    labels = np.zeros(assembly.volume.geometry.shape, np.uint8)
    for k, structure in enumerate(STRUCTURES[1:]):
        labels[:, 1 + (k % 5) * 6 : 6 + (k % 5) * 6, 1 + (k // 5) * 8 : 8 + (k // 5) * 8] = (
            structure.label
        )
    lesions = np.zeros(labels.shape, np.uint16)
    lesions[1:4, 2:5, 2:6] = 1
    lesions[5:7, 8:11, 3:7] = person.number
    fit = fit_adc(assembly.volume)
    measured = measure(
        fit.adc_um2_s,
        labels,
        DiseaseMask(lesions > 0, 1.5, 0.25),
        lesions,
        assembly.volume.geometry,
        MeasurementSettings(),
    )
    seed = f"seed {person.number}"
    return ResultContent(study, assembly, fit, labels, lesions, measured, provenance, seed)


def _provenance(number: int) -> Provenance:
    model = ModelIdentity("anatomy", f"{number}.0.0", f"{number}" * 64)
    disease = ModelIdentity("disease", f"{number}.1.0", f"{number + 2}" * 64)
    return Provenance(
        software_version=f"{number}.2.3",
        git_commit=f"{number}" * 40,
        models=(model, disease),
        settings_digest=f"{number + 4}" * 64,
        device_uid=f"2.25.{number}",
        run_id=f"run {number}",
        started_at=f"202{number + 5}-01-02T03:04:05+00:00",
        finished_at=f"202{number + 5}-01-02T03:14:0{number}+00:00",
        burden=BurdenMethod("network", disease, 0.4 + number / 100, "probability"),
    )


def _parts(number: int) -> ReportParts:
    dice = np.random.default_rng(number)
    rows, columns, frames = 5 + number, 7 + 2 * number, 3 + number
    return ReportParts(
        pdf=b"%PDF-1.7" + b" " * number,
        pages=tuple(dice.integers(0, 256, (1, rows, columns, 3), np.uint8)),
        mip=dice.integers(0, 256, (frames, rows, columns), np.uint8),
        overlay=dice.integers(0, 256, (frames, rows, columns, 3), np.uint8),
    )
