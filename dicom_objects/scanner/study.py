"""The phantom's scanner: an acquisition as a full MR study, in the form of a chosen vendor.

Trace images of all stations, and the series around them that a reader must leave alone:
localizer, T2, the vendor's ADC maps and what else each vendor adds. Everything is synthetic and
says so. The same acquisition, identity and flavour give the same UIDs and the same bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dicom_objects.scanner import (
    canon,
    ge,
    philips,
    philips_enhanced,
    siemens,
    siemens_xa,
    standard,
    uih,
)
from dicom_objects.scanner.flavours import Flavour
from dicom_objects.scanner.headers import Identity, Sequence
from dicom_objects.scanner.mr_image import slices_of
from dicom_objects.scanner.object_series import ObjectSeries, write_objects
from dicom_objects.scanner.scan import Habit, Scan, Writer
from dicom_objects.scanner.t1 import t1_series
from phantom.distractors import localizer, t2_stack
from phantom.patient import BodyModelName, PatientOptions, make_patient

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from phantom.acquisition import Acquisition
    from phantom.t1 import T1Scan

__all__ = ["Flavour", "Identity", "write_study"]


@dataclass(frozen=True)
class _Vendor:
    habit: Habit
    writer: Writer


_VENDORS: dict[Flavour, _Vendor] = {
    Flavour.STANDARD: _Vendor(standard.HABIT, standard.series),
    Flavour.SIEMENS: _Vendor(siemens.HABIT, siemens.series),
    Flavour.SIEMENS_XA_ENHANCED: _Vendor(siemens_xa.HABIT, siemens_xa.series),
    Flavour.GE: _Vendor(ge.HABIT, ge.series),
    Flavour.PHILIPS: _Vendor(philips.HABIT, philips.series),
    Flavour.PHILIPS_ENHANCED: _Vendor(philips_enhanced.HABIT, philips_enhanced.series),
    Flavour.CANON: _Vendor(canon.HABIT, canon.series),
    Flavour.UIH: _Vendor(uih.HABIT, uih.series),
}


def write_study(
    acquisition: Acquisition,
    folder: Path,
    identity: Identity | None = None,
    distractors: bool = True,
    flavour: Flavour = Flavour.STANDARD,
    t1: T1Scan | None = None,
) -> tuple[Path, ...]:
    """Write the acquisition under `folder`, one sub-folder a series; return the files.

    Args:
        acquisition: stations on one patient coordinate system, signal in any positive unit.
        folder: made if it does not exist.
        identity: patient and study attributes; by default one that names the seed.
        distractors: whether what a reader must leave alone is written as well: localizer, T2,
            vendor ADC, computed b-values, reports.
        flavour: whose form the objects have.
        t1: a T1-weighted scan of the same person; none is written if not given.

    """
    who = identity or Identity(patient_id=_patient_id(acquisition))
    vendor = _VENDORS[flavour]
    scan = Scan(acquisition, who, vendor.habit)
    series = list(_around(scan)) if distractors else []
    series += vendor.writer(scan, distractors)
    series += t1_series(scan, t1) if t1 is not None else ()
    paths: list[Path] = []
    for one in sorted(series, key=lambda s: s.number):
        paths += write_objects(one, folder / one.folder_name)
    return tuple(paths)


def _patient_id(acquisition: Acquisition) -> str:
    """One seed is another person in every body model."""
    beaded = acquisition.body_model is BodyModelName.BEADED
    own = "" if beaded else f"{acquisition.body_model.value.upper()}-"
    return f"OSTEON-PHANTOM-{own}{acquisition.seed}"


def _around(scan: Scan) -> Iterator[ObjectSeries]:
    """Yield what else a study contains: a localizer and a T2 series of the same person."""
    patient = make_patient(scan.seed, PatientOptions(body_model=scan.body_model))
    scout = Sequence(1, "localizer", ("ORIGINAL", "PRIMARY", "M", "ND"), "GR", 3.4, 7.5)
    turbo = Sequence(2, "T2_HASTE_pelvis", ("ORIGINAL", "PRIMARY", "M", "ND"), "SE", 92, 1200)
    for sequence, (image, geometry) in ((scout, localizer(patient)), (turbo, t2_stack(patient))):
        unit = max(float(image.max()), 1e-6) / scan.habit.full_scale
        volume = scan.volume(scan.header(sequence), scan.placed(geometry), image, unit)
        yield ObjectSeries(sequence.number, sequence.description, slices_of(volume))
