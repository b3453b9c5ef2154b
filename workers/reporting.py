"""The report for people: a PDF, and what of it goes to the PACS.

A study is measured and delivered without the PDF where this machine lacks a library that makes
it: a quality note says so, in the log, in the numbers and in the report for machines.
"""

from __future__ import annotations

import dataclasses
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dicom_objects.reading.study_texts import read_study_texts
from dicom_objects.writing.report_objects import ReportParts, encode_report_objects
from dicom_objects.writing.results import first_file
from imaging.quality import QualityNote
from report.documents import measurements_document
from report.mip_series import mip_series, prior_series
from report.page import Page, page_figures
from report.page_image import page_images
from report.patient import PatientText
from report.pdf import ReportLibraryMissing, report_pdf, require_library
from report.prior_reading import comparison_of, with_prior_histogram
from report.sprite import sprite
from workers.results_folder import object_file, result_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from dicom_objects.reading.records import DiffusionStudy
    from imaging.response import Comparison
    from jobs.result import ResultFile
    from report.content import ReportContent, ReportImages
    from report.mip_series import MipSeries
    from workers.configuration import Build

_LOG = logging.getLogger(__name__)


def report_notes() -> tuple[QualityNote, ...]:
    """Return a note where this machine cannot make the PDF; its code is REPORT_LIBRARY."""
    try:
        require_library()
    except ReportLibraryMissing as missing:
        told = {"event": "report_without_pdf", "code": missing.code}
        _LOG.warning("%s [%s]", missing, missing.code, extra=told)
        return (QualityNote(missing.code, "info", str(missing)),)
    return ()


@dataclass(frozen=True, eq=False)
class ReportMaker:
    """Makes the report of one run; equal runs give equal bytes."""

    content: ReportContent
    """Its provenance has the run's time and no other."""
    images: ReportImages = field(repr=False)
    study: DiffusionStudy
    build: Build
    uid_seed: str

    def files(self, folder: Path) -> Iterator[ResultFile]:
        """Write `report.pdf` and the objects that this site sends into `folder`."""
        pdf, pages = self._drawn()
        if pdf is not None:
            (folder / "report.pdf").write_bytes(pdf)
            yield result_file("report", "report.pdf", folder)
        parts = ReportParts(pdf=pdf if self.build.pdf else None, pages=pages)
        turned = mip_series(self.images, self.content.measurement.thresholds_um2_s)
        yield from self._sprites(turned, folder)
        if self.build.mip:
            parts = dataclasses.replace(parts, mip=turned.plain, overlay=turned.overlay)
        provenance = self.content.provenance
        for made in encode_report_objects(parts, self.study, provenance, self.uid_seed, folder):
            yield object_file(made, folder)

    def _sprites(self, turned: MipSeries, folder: Path) -> Iterator[ResultFile]:
        """Write half a turn for the console, of the frames that go to the PACS; and the prior's."""
        prior = prior_series(self.images, self.content.measurement.thresholds_um2_s)
        for whose, series in (("turn", turned), ("turn_prior", prior)):
            if series is not None:
                for which, frames in (("plain", series.plain), ("overlay", series.overlay)):
                    name = f"{whose}_{which}.webp"
                    (folder / name).write_bytes(sprite(frames))
                    yield result_file("turn", name, folder)

    def _drawn(self) -> tuple[bytes | None, tuple[NDArray[np.uint8], ...]]:
        """Return the PDF, and its pages as pixels where they are sent."""
        texts = read_study_texts(first_file(self.study))
        document = measurements_document(self.content)
        page = Page(
            document=document,
            figures=page_figures(self.content, self.images),
            made_at=self.content.provenance.finished_at,
            patient=PatientText(**dataclasses.asdict(texts)),
            comparison=_shown_comparison(document, self.content.comparison),
        )
        try:
            pdf = report_pdf(page)
        except ReportLibraryMissing:  # `report_notes` says it, once and everywhere
            return None, ()
        if not self.build.secondary_capture:
            return pdf, ()
        return pdf, page_images(report_pdf(dataclasses.replace(page, patient=None)))


def _shown_comparison(
    document: Mapping[str, Any], comparison: Comparison | None
) -> Comparison | None:
    """Return the comparison as the document has it: a page that is made of the file says the same.

    The notes on studies that could not be compared stand among those of the document.
    """
    headline = comparison.headline if comparison else None
    bars = headline.prior.adc_histogram_ml if headline else ()
    return with_prior_histogram(comparison_of(document), bars)
