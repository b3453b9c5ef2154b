"""What would be read of a study, and why: decided from headers, before the pixels are loaded."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dicom_objects.reading.limits import DEFAULT_LIMITS
from dicom_objects.reading.resends import without_copies
from dicom_objects.reading.screening import SIDE_CODES, Screened, screen
from dicom_objects.reading.selection import select_stations
from dicom_objects.reading.vendor_adc import adc_frames

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dicom_objects.reading.frames import Frame
    from dicom_objects.reading.limits import FitLimits
    from dicom_objects.reading.stations import StationStacks
    from dicom_objects.reading.volumes import Refusal


@dataclass(frozen=True, eq=False)
class StudyPlan:
    """Stations from feet to head, every series, and every image that is not used."""

    screened: tuple[Screened, ...] = field(repr=False)
    """By series number."""
    stations: tuple[StationStacks, ...]
    refusals: tuple[Refusal, ...]

    @property
    def faults(self) -> tuple[Refusal, ...]:
        """Refusals of diffusion images that a complete and sound study would not have."""
        harmless = set(SIDE_CODES) - {"INCOMPLETE_REPEAT"}
        return tuple(r for r in self.refusals if r.code not in harmless)


def plan_study(frames: Sequence[Frame], limits: FitLimits = DEFAULT_LIMITS) -> StudyPlan:
    """Decide which images of a study make which stations; the order of the frames does not matter.

    Pixels are read only where two objects may be copies of one image.
    """
    screened = [screen(series) for series in _by_series(frames)]
    volumes = [volume for one in screened for volume in one.volumes]
    volumes, copies = without_copies(volumes)
    found = select_stations(volumes, limits)
    maps = () if found.stations else adc_frames(screened)
    if maps:
        found = select_stations(volumes, limits, maps)
    of_series = [r for one in screened for r in one.refusals]
    return StudyPlan(tuple(screened), found.stations, (*of_series, *copies, *found.refusals))


def _by_series(frames: Sequence[Frame]) -> list[list[Frame]]:
    series: dict[str, list[Frame]] = {}
    for frame in frames:
        series.setdefault(frame.series_uid, []).append(frame)
    return sorted(series.values(), key=lambda s: (s[0].series_number or 0, s[0].series_uid))
