"""What can be wrong with DICOM objects.

DicomObjectError
├── NoUsableDiffusion    the study cannot be measured; one record per series says why
└── SourceMismatch       results do not fit the images that they should be attached to
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dicom_objects.reading.records import SeriesRecord


class DicomObjectError(Exception):
    """A DICOM object cannot be read or written; `code` is stable and shown to people."""

    code = "DICOM_OBJECT"


class NoUsableDiffusion(DicomObjectError):  # noqa: N818 - it names the condition
    """No station of the study can be measured; `series` holds the reason of every series."""

    def __init__(self, code: str, message: str, series: Sequence[SeriesRecord] = ()) -> None:
        """Keep the stable code, the sentence and the records."""
        super().__init__(message)
        self.code = code
        self.series = tuple(series)


class SourceMismatch(DicomObjectError):  # noqa: N818
    """A result's grid is not the grid of its source images."""

    code = "SOURCE_MISMATCH"
