"""What is wrong with a file that no later step may read, and which image it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dicom_objects.errors import DicomObjectError
from dicom_objects.reading.records import SeriesRecord

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

ROLE = "damaged"
"""Of the record that tells of images that cannot be read."""


class Damaged(DicomObjectError):  # noqa: N818 - it names the condition
    """A file breaks a rule that reading relies on; `str` goes on after "the image"."""

    def __init__(self, code: str, text: str) -> None:
        """Keep the stable code and what is wrong, as "ends inside a sequence"."""
        super().__init__(text)
        self.code = code


@dataclass(frozen=True)
class DamagedImage:
    """A file that is left out of everything, and why."""

    path: Path = field(repr=False)
    code: str
    text: str
    """What is wrong with it, as "ends inside a sequence"."""
    name: str
    """Which image it is for people: by its numbers, or by its digest; never a patient's."""


def damage_records(damaged: Iterable[DamagedImage]) -> list[SeriesRecord]:
    """Record the damaged images, one entry without a series for each code."""
    by_code: dict[str, list[DamagedImage]] = {}
    for image in damaged:
        by_code.setdefault(image.code, []).append(image)
    return [_record(code, images) for code, images in sorted(by_code.items())]


def _record(code: str, images: Sequence[DamagedImage]) -> SeriesRecord:
    first = images[0]
    others = f", and {len(images) - 1} more of the study alike" if len(images) > 1 else ""
    return SeriesRecord(
        series_uid="",
        series_number=None,
        description="",
        role=ROLE,
        b_values=(),
        b_source="",
        n_instances=len(images),
        geometry=None,
        used=False,
        code=code,
        reason=f"{first.name} {first.text}{others}; send it again from the scanner.",
    )
