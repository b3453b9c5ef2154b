"""A series on its way to disk: objects that are made one after the other and written at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pydicom import Dataset, dcmwrite

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


@dataclass(frozen=True, eq=False)
class ObjectSeries:
    """One series: `objects` may yield one data set again and again with other values."""

    number: int
    description: str
    objects: Iterable[Dataset] = field(repr=False)

    @property
    def folder_name(self) -> str:
        """The series' folder, for example "101_DWI_st1_b50"; no character that a path minds."""
        kept = (c if c.isalnum() or c in "-_." else "_" for c in self.description)
        return f"{self.number:03d}_{''.join(kept)}"


def write_objects(series: ObjectSeries, folder: Path) -> tuple[Path, ...]:
    """Write `folder`/IM0001.dcm and so on; return the paths in the order of the objects."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number, header in enumerate(series.objects, start=1):
        path = folder / f"IM{number:04d}.dcm"
        dcmwrite(path, header, enforce_file_format=True)
        paths.append(path)
    return tuple(paths)
