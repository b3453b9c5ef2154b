"""A synthetic study on disk with its truth beside it."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from dicom_objects.scanner.flavours import Flavour
from dicom_objects.scanner.study import write_study
from phantom.acquisition import Protocol, acquire, body_grid
from phantom.body_models import paint_body
from phantom.patient import BodyModelName, PatientOptions, make_patient
from phantom.t1 import T1Protocol, acquire_t1

if TYPE_CHECKING:
    from pathlib import Path

    from phantom.acquisition import Acquisition

SMALL = Protocol(in_plane_mm=5.0, matrix=(80, 104))
"""Coarse pixels: a study of a tenth of the size, for tests of everything but accuracy."""
T1 = T1Protocol(slice_mm=5.0, in_plane_mm=2.0)
SMALL_T1 = T1Protocol(slice_mm=5.0, in_plane_mm=4.0)


@dataclass(frozen=True)
class PhantomOrder:
    """Which synthetic patient, and how it is scanned."""

    seed: int
    diseased: bool = True
    small: bool = False
    distractors: bool = True
    flavour: Flavour = Flavour.STANDARD
    t1: bool = True
    """Whether the study has T1-weighted images, which the list of focal lesions needs."""
    body_model: BodyModelName = BodyModelName.BEADED


@dataclass(frozen=True, eq=False)
class SyntheticStudy:
    """DICOM files and the acquisition that they came from."""

    acquisition: Acquisition = field(repr=False)
    dicom_dir: Path
    files: tuple[Path, ...]
    flavour: Flavour = Flavour.STANDARD

    def truth_document(self) -> dict[str, Any]:
        """Return the truth that fits in a page: TDV in mL, gADC in µm²/s, the lesions."""
        truth = self.acquisition.truth
        return {
            "synthetic": True,
            "seed": self.acquisition.seed,
            "body_model": self.acquisition.body_model.value,
            "flavour": self.flavour.value,
            "tdv_ml": truth.tdv_ml,
            "gadc_um2_s": truth.gadc_um2_s if truth.lesions else None,
            "lesions": [dataclasses.asdict(lesion) for lesion in truth.lesions],
        }


def make_study(order: PhantomOrder, out: Path) -> SyntheticStudy:
    """Make a patient, scan it, and write `out`/dicom and `out`/truth."""
    options = PatientOptions(diseased=order.diseased, body_model=order.body_model)
    patient = make_patient(order.seed, options)
    protocol = SMALL if order.small else Protocol()
    body = paint_body(patient, body_grid(patient, protocol))
    acquisition = acquire(patient, protocol, body)
    t1 = acquire_t1(patient, body, SMALL_T1 if order.small else T1) if order.t1 else None
    dicom_dir = out / "dicom"
    files = write_study(
        acquisition,
        dicom_dir,
        distractors=order.distractors,
        flavour=order.flavour,
        t1=t1,
    )
    study = SyntheticStudy(acquisition, dicom_dir, files, order.flavour)
    write_truth(study, out / "truth")
    return study


def write_truth(study: SyntheticStudy, folder: Path) -> None:
    """Write the truth of a study into `folder`: numbers as JSON, arrays as npz."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(study.truth_document(), indent=2) + "\n"
    (folder / "truth.json").write_text(text, encoding="utf-8")
    truth = study.acquisition.truth
    np.savez_compressed(
        folder / "truth.npz",
        labels=truth.labels,
        lesion_labels=truth.lesion_labels,
        affine=truth.geometry.affine,
    )
