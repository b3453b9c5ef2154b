"""The report for people and the rotating projections, as objects of the study."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pydicom import config

from dicom_objects.writing.encapsulated_pdf import encapsulate_pdf
from dicom_objects.writing.mip_series import encode_mip_series
from dicom_objects.writing.results import first_file, write_object
from dicom_objects.writing.secondary_capture import capture_page
from dicom_objects.writing.source_images import (
    read_headers_of,
    read_patient_name,
    read_references,
)
from dicom_objects.writing.study_object import ObjectIdentity, StudySource

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray
    from pydicom import Dataset

    from dicom_objects.reading.records import DiffusionStudy
    from dicom_objects.writing.results import EncodedObject
    from imaging.provenance import Provenance

MIP_SERIES_NUMBER = 9301
OVERLAY_SERIES_NUMBER = 9302
PDF_SERIES_NUMBER = 9401
PAGE_SERIES_NUMBER = 9402


@dataclass(frozen=True, eq=False)
class ReportParts:
    """What is to be sent; None or empty is not sent."""

    pdf: bytes | None = field(default=None, repr=False)
    pages: tuple[NDArray[np.uint8], ...] = field(default=(), repr=False)
    """Pages without the patient's texts, (row, column, red green blue)."""
    mip: NDArray[np.uint8] | None = field(default=None, repr=False)
    """(frame, row, column)."""
    overlay: NDArray[np.uint8] | None = field(default=None, repr=False)
    """(frame, row, column, red green blue)."""


def encode_report_objects(
    parts: ReportParts, study: DiffusionStudy, provenance: Provenance, uid_seed: str, folder: Path
) -> tuple[EncodedObject, ...]:
    """Write an object for each part into `folder`; equal parts and seed give equal bytes.

    `kind` is "mip_series", "mip_overlay", "pdf" or "sc".
    """
    with config.disable_value_validation():  # sources are copied with their scanner's values
        source = _source(study, provenance)
        name = read_patient_name(first_file(study))
        written = []
        for kind, dataset, file in _built(parts, source, uid_seed):
            dataset.PatientName = name
            written.append(write_object(kind, dataset, folder / file))
        return tuple(written)


def _source(study: DiffusionStudy, provenance: Provenance) -> StudySource:
    """Refer to the images of the highest b-value of every station."""
    shown = [image for one in study.sources for image in one.images_by_b[max(one.images_by_b)]]
    [header] = read_headers_of([next(iter(study.sources[0].images_by_b.values()))[0]]).values()
    return StudySource(header, read_references(shown), provenance)


def _built(
    parts: ReportParts, source: StudySource, seed: str
) -> Iterator[tuple[str, Dataset, str]]:
    if parts.mip is not None:
        plan = _identity("mip_series", "rotating MIP", MIP_SERIES_NUMBER, seed, parts.mip.tobytes())
        yield plan.kind, encode_mip_series(parts.mip, plan, source), "mip.dcm"
    if parts.overlay is not None:
        words, shown = "rotating MIP, disease by ADC", parts.overlay.tobytes()
        plan = _identity("mip_overlay", words, OVERLAY_SERIES_NUMBER, seed, shown)
        yield plan.kind, encode_mip_series(parts.overlay, plan, source), "mip_overlay.dcm"
    if parts.pdf is not None:
        plan = _identity("pdf", "report", PDF_SERIES_NUMBER, seed, parts.pdf)
        yield plan.kind, encapsulate_pdf(parts.pdf, plan, source), "report.dcm"
    whole = b"".join(page.tobytes() for page in parts.pages)
    for number, page in enumerate(parts.pages, start=1):
        plan = _identity("sc", "report page", PAGE_SERIES_NUMBER, seed, whole, number)
        yield plan.kind, capture_page(page, plan, source), f"report_page_{number}.dcm"


def _identity(
    kind: str, description: str, series_number: int, seed: str, shown: bytes, number: int = 1
) -> ObjectIdentity:
    digest = hashlib.sha256(shown).hexdigest()
    return ObjectIdentity(kind, description, series_number, seed, digest, number)
