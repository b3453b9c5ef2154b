"""What reading a study says about it: one record per series, and the stations that it found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from imaging.diffusion import Station


@dataclass(frozen=True)
class SeriesRecord:
    """Why a series was used or not."""

    series_uid: str
    series_number: int | None
    description: str
    role: str
    """Roles found in it, for example "trace" or "b0+trace+adc"."""
    b_values: tuple[float, ...]
    """In s/mm², ascending."""
    b_source: str
    """Where the b-values came from, for example "(0018,9087)"."""
    n_instances: int
    geometry: str | None
    """For people: "45 x 256 x 256, 5 x 1.6 x 1.6 mm, z -210 to 10 mm"."""
    used: bool
    code: str | None
    """Stable reason code when it was not used."""
    reason: str
    """One sentence."""


@dataclass(frozen=True)
class SourceImage:
    """One image behind a slice: a file, and the frame of it (from 1) where it has several."""

    path: Path = field(repr=False)
    frame_number: int | None = None


@dataclass(frozen=True, eq=False)
class StationSource:
    """The images behind one station, in the slice order of the station's volume.

    Where a slice was made of several images (repeats, directions) its first one stands for them;
    all tiles of a mosaic have the same file.
    """

    station: str
    images_by_b: Mapping[float, tuple[SourceImage, ...]] = field(repr=False)


@dataclass(frozen=True, eq=False)
class DiffusionStudy:
    """Stations that can be measured, the files behind them, and a record of every series."""

    study_uid: str
    stations: tuple[Station, ...]
    sources: tuple[StationSource, ...]
    series: tuple[SeriesRecord, ...]
