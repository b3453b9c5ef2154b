"""What reading a study says about it: one record per series, and the stations that it found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from imaging.diffusion import Station


@dataclass(frozen=True)
class VolumeRecord:
    """Volumes of one b-value and kind in a series; incomplete ones count too."""

    b: float
    """In s/mm², as the header gives it."""
    kind: str
    """ "b0", "direction", "vendor-trace" or "not stated"."""
    count: int


@dataclass(frozen=True)
class SeriesRecord:
    """What a series is, and why it was used or not; plain values, ready for JSON."""

    series_uid: str
    series_number: int | None
    description: str
    role: str
    """Roles found in it, for example "trace" or "b0+trace+adc"."""
    b_values: tuple[float, ...]
    """In s/mm², ascending, as the headers give them; () where the series is no diffusion signal."""
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
    content: str = "other"
    """"dwi-trace", "dwi-directions", "dwi-mixed", "adc", "derived", "t1" or "other"."""
    b_labels: tuple[float, ...] = ()
    """The b-values rounded for people; repeats of b 0 at b 0.001 to 10 are 0."""
    volumes: tuple[VolumeRecord, ...] = ()
    """By ascending b-value."""
    n_slices: int | None = None
    """Slice positions of the largest volume."""
    rows: int | None = None
    columns: int | None = None
    spacing_mm: tuple[float, float, float] | None = None
    """Between rows, columns and slices; the last by positions, never SliceThickness."""
    slice_range_mm: tuple[float, float] | None = None
    """First and last slice position along the normal (row x column direction)."""
    trace: tuple[tuple[float, str], ...] = ()
    """For each b > 0, how this series alone gives the trace: "vendor-trace", "from-directions"
    or "partial-directions" (it does not)."""
    notes: tuple[str, ...] = ()
    """Sentences on what was done with the series or is unusual in it."""
    faults: tuple[str, ...] = ()
    """Codes of what is wrong with images of it, also where others of it are used."""


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
    vendor_adc: tuple[SourceImage, ...] = field(default=(), repr=False)
    """The scanner's ADC map where it stands for a fit: its station's b 0 follows from it."""


@dataclass(frozen=True, eq=False)
class DiffusionStudy:
    """Stations that can be measured, the files behind them, and a record of every series."""

    study_uid: str
    stations: tuple[Station, ...]
    sources: tuple[StationSource, ...]
    series: tuple[SeriesRecord, ...]
    t1: tuple[Station, ...] = ()
    """T1-weighted stations, one image each (key 0.0), for focal lesions only; often none."""

    @property
    def has_vendor_adc(self) -> bool:
        """Whether the scanner's ADC maps stand for the fit; then they do so in every station."""
        return any(source.vendor_adc for source in self.sources)
