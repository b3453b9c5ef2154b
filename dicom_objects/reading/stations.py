"""Places to stations: all b-values of one bed position, across series (dicom.md A3 R5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dicom_objects.reading.places import (
    find_places,
    join_frames_of_reference,
    lies_in,
    mostly_overlap,
    range_mm,
)
from dicom_objects.reading.roles import NEAR_ZERO_B, Role
from dicom_objects.reading.shells import fit_refusal, shell_table
from dicom_objects.reading.station_limits import geometry_refusal
from dicom_objects.reading.traces import Stack, make_stacks, shell_of
from dicom_objects.reading.vendor_adc import map_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dicom_objects.reading.frames import Frame
    from dicom_objects.reading.limits import FitLimits
    from dicom_objects.reading.places import Place
    from dicom_objects.reading.slices import Reason
    from dicom_objects.reading.volumes import Refusal, Volume


@dataclass(frozen=True, eq=False)
class StationStacks:
    """The stacks of one bed position by ascending b-value.

    With one b-value `vendor_adc` is the scanner's ADC map, an image a slice; else it is empty.
    """

    stacks: tuple[Stack, ...]
    vendor_adc: tuple[Frame, ...] = ()

    @property
    def frames(self) -> tuple[Frame, ...]:
        """Every image that the station is made of."""
        return (*(f for stack in self.stacks for f in stack.instances), *self.vendor_adc)

    @property
    def centre_z_mm(self) -> float:
        """Position of the middle along the patient's axis from feet to head."""
        geometry = self.stacks[0].geometry
        middle = [(n - 1) / 2 for n in geometry.shape]
        return float(geometry.to_patient_mm(middle)[2])

    @property
    def first(self) -> Volume:
        """One volume for all: they share plane, patient position and frame of reference."""
        return self.stacks[0].volumes[0]


@dataclass(frozen=True, eq=False)
class Found:
    """Stations from feet to head, and what of their volumes is not used."""

    stations: tuple[StationStacks, ...]
    refusals: tuple[Refusal, ...]


def build_stations(
    volumes: Sequence[Volume], limits: FitLimits, maps: Sequence[Frame] = ()
) -> Found:
    """Group volumes of any number of series into stations that can be measured.

    A station is refused when one of its b-values was sent but cannot be used, and when it lacks
    the high b-value that most stations have: measuring it on the b-values that are left would
    change what its numbers mean. `maps` are images of ADC maps of the scanner's, which may stand
    for the fit where there is one b-value.
    """
    shells = shell_table({v.kind.b for v in volumes})
    faulty = [v for v in volumes if v.fault is not None]
    places = join_frames_of_reference(find_places([v for v in volumes if v.fault is None]))
    refusals: list[Refusal] = []
    stations: list[StationStacks] = []
    for place in places:
        station, refused = _station(place, _Surroundings(places, faulty, shells, limits, maps))
        refusals += refused
        stations += [station] if station else []
    kept, without_high_b = _same_high_b(stations)
    repeats = _refuse_faulty(faulty, kept)
    ordered = sorted(kept, key=lambda s: s.centre_z_mm)
    return Found(tuple(ordered), (*refusals, *without_high_b, *repeats))


@dataclass(frozen=True, eq=False)
class _Surroundings:
    places: Sequence[Place]
    faulty: Sequence[Volume]
    shells: Mapping[float, float]
    limits: FitLimits
    maps: Sequence[Frame] = ()


def _station(place: Place, around: _Surroundings) -> tuple[StationStacks | None, list[Refusal]]:
    stacks, refusals = make_stacks(place, around.shells)
    broken = _broken_shell(place[0], stacks, around)
    if broken:
        return None, [v.refused(*broken) for v in place]
    reason = (
        _no_weighting(place)
        or _lost_shell(stacks, refusals, around)
        or _mismatch(place, stacks, around)
        or geometry_refusal(place[0], around.limits)
    )
    if reason is None:
        stacks, too_high = _within_range(stacks, around.limits)
        refusals += too_high
        reason = fit_refusal([s.b for s in stacks], around.limits)
    vendor_adc: tuple[Frame, ...] = ()
    if reason is not None and reason[0] == "ONE_SHELL_ONLY" and around.maps:
        vendor_adc, reason = map_of(stacks[0], around.maps, around.limits)
    if reason is None:
        return StationStacks(tuple(stacks), vendor_adc), refusals
    said = {id(frame) for r in refusals for frame in r.instances}
    rest = [v.refused(*reason) for s in stacks for v in s.volumes if id(v.first) not in said]
    return None, [*refusals, *rest]


def _no_weighting(place: Place) -> Reason | None:
    if max(v.kind.b for v in place) > NEAR_ZERO_B:
        return None
    return ("NO_DIFFUSION", "only b 0 was sent for this position; no diffusion weighting.")


def _broken_shell(place: Volume, stacks: Sequence[Stack], around: _Surroundings) -> Reason | None:
    """Find a b-value that was sent for this place, cannot be used, and is not there otherwise."""
    for volume in around.faulty:
        b = shell_of(volume, around.shells)
        if volume.fault is None or _out_of_range(b, around.limits):
            continue
        there = any(s.b == b for s in stacks)
        direction = volume.kind.role is Role.DIRECTIONAL and _made_of_directions(stacks, b)
        if (direction or not there) and lies_in(volume, place):
            code, text = volume.fault
            return code, f"b {volume.kind.b:g} of this position: {text}"
    return None


def _lost_shell(
    stacks: Sequence[Stack], refusals: Sequence[Refusal], around: _Surroundings
) -> Reason | None:
    """Find a b-value of the place itself that makes no image: too few directions, for example."""
    there = {s.b for s in stacks}
    without = fit_refusal([b for b in there if not _out_of_range(b, around.limits)], around.limits)
    for refusal in refusals:
        b = refusal.instances[0].b.value or 0.0
        lost = b > NEAR_ZERO_B and around.shells[b] not in there
        needed = without is not None or not _out_of_range(around.shells[b], around.limits)
        if lost and needed:
            return refusal.code, refusal.reason
    return None


def _mismatch(place: Place, stacks: Sequence[Stack], around: _Surroundings) -> Reason | None:
    """Find a b-value, or a direction of one, that lies here on another grid."""
    there = {s.b for s in stacks}
    for other in around.places:
        near = other[0]
        if other is place or not _comparable(place[0], near) or not mostly_overlap(place[0], near):
            continue
        for volume in other:
            b = shell_of(volume, around.shells)
            a_direction = volume.kind.role is Role.DIRECTIONAL and _made_of_directions(stacks, b)
            if (b not in there or a_direction) and not _out_of_range(b, around.limits):
                return ("SHELL_GEOMETRY_MISMATCH", _told(place[0], volume))
    return None


def _comparable(a: Volume, b: Volume) -> bool:
    """Composed and corrected images are other pictures, not other b-values of a place."""
    return (a.kind.composed, a.kind.correction) == (b.kind.composed, b.kind.correction)


def _made_of_directions(stacks: Sequence[Stack], b: float) -> bool:
    return any(s.b == b and s.volumes[0].kind.role is Role.DIRECTIONAL for s in stacks)


def _out_of_range(b: float, limits: FitLimits) -> bool:
    return b > limits.highest_b_max


def _within_range(stacks: Sequence[Stack], limits: FitLimits) -> tuple[list[Stack], list[Refusal]]:
    """Leave b-values out that are too high to fit where the others can be fitted alone."""
    kept = [s for s in stacks if not _out_of_range(s.b, limits)]
    if len(kept) == len(stacks) or fit_refusal([s.b for s in kept], limits) is not None:
        return list(stacks), []
    text = f"its b-value is above {limits.highest_b_max:g} s/mm², too high for the fit."
    return kept, [
        v.refused("B_NOT_FITTED", text) for s in stacks if s not in kept for v in s.volumes
    ]


def _same_high_b(
    stations: Sequence[StationStacks],
) -> tuple[list[StationStacks], list[Refusal]]:
    if not stations:
        return [], []
    highest = [station.stacks[-1].b for station in stations]
    usual = max(highest, key=lambda b: (highest.count(b), b))
    kept = [s for s in stations if any(stack.b == usual for stack in s.stacks)]
    text = f"the other stations have b {usual:g}, this position has not; send the missing series."
    return kept, [
        volume.refused("MISSING_B_VALUE", text)
        for station in stations
        if station not in kept
        for stack in station.stacks
        for volume in stack.volumes
    ]


def _refuse_faulty(faulty: Sequence[Volume], stations: Sequence[StationStacks]) -> list[Refusal]:
    """Refuse faulty volumes; one that its station does without is a lesser matter."""
    refusals = []
    for volume in faulty:
        if volume.fault is None:
            continue
        spare = any(lies_in(volume, s.first) for s in stations)
        code, text = volume.fault
        incomplete = code in {"MISSING_SLICES", "TOO_FEW_SLICES"}
        refusals.append(volume.refused("INCOMPLETE_REPEAT" if spare and incomplete else code, text))
    return refusals


def _told(a: Volume, b: Volume) -> str:
    (a0, a1), (b0, b1) = range_mm(a, a), range_mm(b, a)
    return (
        f"b {a.kind.b:g} has {len(a.frames)} slices from {a0:.1f} to {a1:.1f} mm, b {b.kind.b:g}"
        f" has {len(b.frames)} from {b0:.1f} to {b1:.1f} mm; slices are missing or shifted."
    )
