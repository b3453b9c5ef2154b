"""One acquisition on one scanner: what all its series share, and how signal becomes integers."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from dicom_objects.scanner.headers import (
    Identity,
    Sequence,
    header_of,
    series_header,
    study_header,
)
from dicom_objects.scanner.mr_image import MRVolume
from dicom_objects.scanner.object_series import ObjectSeries
from dicom_objects.uids import derived_uid

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pydicom import Dataset
    from pydicom.uid import UID

    from imaging.diffusion import Station
    from imaging.geometry import Geometry
    from phantom.acquisition import Acquisition


@dataclass(frozen=True)
class Habit:
    """What a scanner does in every series that it writes."""

    name: str = ""
    """Part of all UIDs, so that flavours of one acquisition are different studies."""
    equipment: Mapping[str, object] = field(default_factory=dict)
    """Attributes by keyword that name the scanner."""
    full_scale: int = 16000
    """The brightest voxel's stored value: all series of a study share one scale, as one scan does.

    High enough in every flavour that rounding to integers does not change what is measured.
    """
    dtype: type[np.integer] = np.uint16
    rescale: bool = False
    """Whether series have Rescale Slope and Intercept."""
    new_frame_at_each_station: bool = False
    """Some vendors begin a new frame of reference when the table moves; positions stay true."""


class Scan:
    """The acquisition, who it is of, and the scanner's habit."""

    def __init__(self, acquisition: Acquisition, identity: Identity, habit: Habit) -> None:
        """Derive the UIDs of the study from all three."""
        self.stations = acquisition.stations
        self.seed = acquisition.seed
        self.body_model = acquisition.body_model
        self.habit = habit
        self._identity = identity
        own = (habit.name,) if habit.name else ()
        self._key = (
            str(acquisition.seed),
            repr(identity),
            _digest(acquisition.stations),
            *own,
        )
        brightest = max(
            float(image.max()) for s in acquisition.stations for image in s.volume.images.values()
        )
        self.unit = brightest / habit.full_scale
        """The signal of one stored integer."""
        self._shared = study_header(identity, self.uid("study"))
        self._shared.update(header_of(habit.equipment))

    def uid(self, *parts: str) -> UID:
        """Return the UID of a part of this scan."""
        return derived_uid(*self._key, *parts)

    def header(self, sequence: Sequence) -> Dataset:
        """Return what all images of one series share."""
        header = header_of({})
        header.update(self._shared)
        header.update(series_header(sequence, self._identity))
        header.SeriesInstanceUID = self.uid("series", str(sequence.number))
        return header

    def placed(self, geometry: Geometry, position: int | None = None) -> Geometry:
        """Return the geometry in its frame of reference; `position` is the station's, from 1."""
        own = self.habit.new_frame_at_each_station and position is not None
        frame = self.uid("frame of reference", *((str(position),) if own else ()))
        return replace(geometry, frame_of_reference_uid=str(frame))

    def stored(self, image: NDArray[np.float32], unit: float | None = None) -> NDArray[np.integer]:
        """Return the image as the integers that this scanner stores, `unit` signal each."""
        top = np.iinfo(self.habit.dtype).max
        scaled = np.rint(image / (self.unit if unit is None else unit))
        integers: NDArray[np.integer] = np.clip(scaled, 0, top).astype(self.habit.dtype)
        return integers

    def volume(
        self,
        header: Dataset,
        geometry: Geometry,
        image: NDArray[np.float32],
        unit: float | None = None,
    ) -> MRVolume:
        """Return one volume with its integers; signal = integer * `unit`."""
        unit = self.unit if unit is None else unit
        rescale = (unit, 0.0) if self.habit.rescale else None
        return MRVolume(header, geometry, self.stored(image, unit), rescale)


Writer = Callable[[Scan, bool], Iterable[ObjectSeries]]
"""Gives the series of a scan; the second argument: with what a reader must leave alone, or not."""


def numbered(stations: tuple[Station, ...]) -> enumerate[Station]:
    """Count stations from 1, as series numbers and descriptions do."""
    return enumerate(stations, start=1)


def _digest(stations: tuple[Station, ...]) -> str:
    """Tell acquisitions of one seed apart that differ in options: new pixels need new UIDs."""
    digest = hashlib.blake2b(digest_size=16)
    for station in stations:
        volume = station.volume
        digest.update(repr((station.name, volume.b_values, volume.geometry.shape)).encode())
        digest.update(volume.geometry.affine.tobytes())
        digest.update(np.ascontiguousarray(volume.high_b).data)
    return digest.hexdigest()
