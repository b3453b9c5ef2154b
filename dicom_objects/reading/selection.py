"""Which stations make up the body: never two pictures of one place (dicom.md A3 R1, 8 and R5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dicom_objects.reading.places import mostly_overlap, same_grid
from dicom_objects.reading.screening import SIDE_CODES
from dicom_objects.reading.stations import Found, StationStacks, build_stations

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dicom_objects.reading.frames import Frame
    from dicom_objects.reading.limits import FitLimits
    from dicom_objects.reading.volumes import Refusal, Volume

_BEST_CORRECTION = ("DIS3D", "DIS2D", "", "ND")
_ALMOST_ALL = 0.95


def select_stations(
    volumes: Sequence[Volume], limits: FitLimits, maps: Sequence[Frame] = ()
) -> Found:
    """Build stations and keep those that belong together; the rest is refused with a reason.

    `maps` are images of the scanner's ADC maps where these may stand for the fit.
    """
    found = _own_or_composed(volumes, limits, maps)
    for choose in (_one_correction, _one_patient_position, _comparable_coordinates):
        found = choose(found)
    return _long_enough(found, limits)


def _own_or_composed(volumes: Sequence[Volume], limits: FitLimits, maps: Sequence[Frame]) -> Found:
    """Prefer the scanner's stations; its composed images only where stations are missing."""
    own = build_stations([v for v in volumes if not v.kind.composed], limits, maps)
    composed = [v for v in volumes if v.kind.composed]
    if not composed:
        return own
    joined = build_stations(composed, limits, maps)
    broken = any(r.code not in SIDE_CODES for r in own.refusals)
    enough = _extent_mm(own) >= _ALMOST_ALL * _extent_mm(joined)
    if not joined.stations or (own.stations and enough and not broken):
        text = "composed by the scanner from its stations; the stations themselves are used."
        return _left_out(joined, own, ("STATIONS_USED", text))
    text = "stations of which some are missing or refused; the composed series is used instead."
    return _left_out(own, joined, ("COMPOSED", text))


def _left_out(out: Found, kept: Found, reason: tuple[str, str]) -> Found:
    refused = [r for s in out.stations for r in _refuse(s, reason)]
    return Found(kept.stations, (*kept.refusals, *out.refusals, *refused))


def _extent_mm(found: Found) -> float:
    ranges = [_range_z_mm(s) for s in found.stations]
    return max(r[1] for r in ranges) - min(r[0] for r in ranges) if ranges else 0.0


def _range_z_mm(station: StationStacks) -> tuple[float, float]:
    geometry = station.stacks[0].geometry
    middle = [(n - 1) / 2 for n in geometry.shape]
    ends = [[0, *middle[1:]], [geometry.shape[0] - 1, *middle[1:]]]
    low, high = sorted(float(z) for z in geometry.to_patient_mm(ends)[:, 2])
    return low, high


def _one_correction(found: Found) -> Found:
    """Of one acquisition with and without distortion correction, keep the corrected one."""

    def worse(station: StationStacks) -> bool:
        return any(
            _correction_rank(other) < _correction_rank(station)
            and mostly_overlap(other.first, station.first)
            for other in found.stations
        )

    text = "the same images with another distortion correction are used."
    return _without(found, worse, ("CORRECTION", text))


def _correction_rank(station: StationStacks) -> int:
    return _BEST_CORRECTION.index(station.first.kind.correction)


def _one_patient_position(found: Found) -> Found:
    """Positions of a patient who was turned round between stations cannot be joined."""
    if not found.stations:
        return found
    slices: dict[str, int] = {}
    for station in found.stations:
        at = station.first.first.patient_position
        slices[at] = slices.get(at, 0) + station.stacks[0].geometry.shape[0]
    usual = max(slices, key=lambda at: (slices[at], at))
    text = f"the patient lies otherwise than in most stations ({usual}); they are not joined."

    def turned(station: StationStacks) -> bool:
        return station.first.first.patient_position != usual

    return _without(found, turned, ("PATIENT_POSITION_MIX", text))


def _comparable_coordinates(found: Found) -> Found:
    """Two stations at one place in two frames of reference: their coordinates say nothing."""

    def doubtful(station: StationStacks) -> bool:
        own = station.first.kind.frame_of_reference_uid
        return any(
            other.first.kind.frame_of_reference_uid != own and same_grid(other.first, station.first)
            for other in found.stations
            if other is not station
        )

    text = (
        "two stations of different frames of reference have the same positions; where they lie to"
        " each other is not known."
    )
    return _without(found, doubtful, ("FRAME_OF_REFERENCE_MIX", text))


def _long_enough(found: Found, limits: FitLimits) -> Found:
    length = _extent_mm(found)
    if limits.coverage_min_mm is None or length >= limits.coverage_min_mm:
        return found
    text = f"the stations cover {length:.0f} mm; at least {limits.coverage_min_mm:.0f} are needed."
    return _without(found, lambda _: True, ("COVERAGE_TOO_SHORT", text))


def _without(
    found: Found, unwanted: Callable[[StationStacks], bool], reason: tuple[str, str]
) -> Found:
    out = [s for s in found.stations if unwanted(s)]
    kept = tuple(s for s in found.stations if s not in out)
    return Found(kept, (*found.refusals, *(r for s in out for r in _refuse(s, reason))))


def _refuse(station: StationStacks, reason: tuple[str, str]) -> list[Refusal]:
    return [v.refused(*reason) for stack in station.stacks for v in stack.volumes]
