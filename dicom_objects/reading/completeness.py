"""Whether what has arrived of a study looks whole, from headers alone (reliability.md B2).

No DICOM rule says when a study is complete (dicom.md A3 R9). This rule finds a body that hangs
together: every station has the same b-values with the same number of slices, nothing is missing
inside a station, no gap lies between stations, and they cover as much of the body as expected. It
can be wrong: with four of five stations sent, or two of three b-values at every station, the rest
may still be on its way. What comes later opens the study again, so a wrong guess costs time only.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from dicom_objects.reading.limits import DEFAULT_LIMITS, FitLimits
from dicom_objects.reading.study_plan import plan_study

if TYPE_CHECKING:
    from collections.abc import Sequence
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from dicom_objects.reading.frames import Frame
    from dicom_objects.reading.stations import StationStacks
    from dicom_objects.reading.study_plan import StudyPlan

_PARTS = ("NO_DIFFUSION", "INCOMPLETE_REPEAT")
"""No fault of a whole study, but of one that arrives: b 0 alone of a position, half a repeat."""
_LARGEST_STEP = 1.5
"""From the last slice of a station to the first of the next, in slice spacings."""


@dataclass(frozen=True)
class WholeBody:
    """What a study must have to be taken for whole."""

    coverage_mm: float = 800.0
    """From the lowest to the highest slice; vertex to mid-thigh is 900 and more."""
    b_values: int = 2
    """Different b-values of every station."""
    limits: FitLimits = DEFAULT_LIMITS
    """Which stations can be measured at all."""


@dataclass(frozen=True)
class Completeness:
    """Whether a study looks whole, and one sentence that says what it rests on; no patient data."""

    complete: bool
    sentence: str


def judge_completeness(
    frames: Sequence[Frame], expected: WholeBody, late: AbstractSet[Path] | None = None
) -> Completeness:
    """Judge the frames of one study; their order does not matter.

    Args:
        frames: of everything that has arrived, as `read_headers` gives them.
        expected: how much body and how many b-values.
        late: files that no run has measured yet; where none of them is part of a station there is
            no reason to hurry. None: all are new.

    """
    plan = plan_study(frames, expected.limits)
    stations = plan.stations
    lack = _unfinished(plan) or _lack(stations, expected)
    if lack:
        return Completeness(False, lack)
    if late is not None and late.isdisjoint(_files(stations)):
        return Completeness(False, "nothing that came since the last run is part of a station")
    return Completeness(True, _summary(stations))


def _unfinished(plan: StudyPlan) -> str | None:
    """Diffusion images that make no station may be the first half of one."""
    alone = (r for r in plan.refusals if r.code in _PARTS and r.instances[0].b.value is not None)
    for refusal in (*plan.faults, *alone):
        return f"{refusal.code}: {refusal.reason.rstrip('.')}"
    return None


def _lack(stations: Sequence[StationStacks], expected: WholeBody) -> str | None:
    """Return what is missing before the study looks whole; None when nothing is."""
    if not stations:
        return "no station with two b-values yet"
    unlike = _unlike(stations) or _gap(stations)
    if unlike:
        return unlike
    n_values, coverage_mm = len(stations[0].stacks), _coverage_mm(stations)
    if n_values < expected.b_values:
        return f"{n_values} of {expected.b_values} b-values"
    if coverage_mm < expected.coverage_mm:
        return f"{coverage_mm:.0f} of {expected.coverage_mm:.0f} mm of the body"
    return None


def _unlike(stations: Sequence[StationStacks]) -> str | None:
    """Find a station with other b-values or fewer images than most stations have."""
    contents = [_content(station) for station in stations]
    counted = Counter(contents)
    usual = max(contents, key=lambda content: (counted[content], content))
    for number, content in enumerate(contents, 1):
        if content != usual:
            return f"station {number} has {_told(content)}, others have {_told(usual)}"
    return None


def _content(station: StationStacks) -> tuple[tuple[float, int], ...]:
    """Return each b-value with the number of images behind it."""
    return tuple((stack.b, len(stack.instances)) for stack in station.stacks)


def _told(content: tuple[tuple[float, int], ...]) -> str:
    return ", ".join(f"b {b:g}: {n} images" for b, n in content)


def _gap(stations: Sequence[StationStacks]) -> str | None:
    """Find a step between neighbours that is more than the slices are apart."""
    for number, (below, above) in enumerate(pairwise(stations), 1):
        gap_mm = _extent(above).low_mm - _extent(below).high_mm
        spacing_mm = max(_extent(below).spacing_mm, _extent(above).spacing_mm)
        # The extents reach half a slice beyond the outermost slice positions.
        if gap_mm > (_LARGEST_STEP - 1) * spacing_mm:
            return f"{gap_mm:.0f} mm are missing between stations {number} and {number + 1}"
    return None


def _coverage_mm(stations: Sequence[StationStacks]) -> float:
    extents = [_extent(station) for station in stations]
    return max(e.high_mm for e in extents) - min(e.low_mm for e in extents)


@dataclass(frozen=True)
class _Extent:
    """From where to where a station reaches along the patient's axis."""

    low_mm: float
    high_mm: float
    spacing_mm: float


def _extent(station: StationStacks) -> _Extent:
    """Follow the array axis that runs most from feet to head, through the middle of the others."""
    geometry = station.stacks[0].geometry
    axis = int(np.argmax(np.abs(geometry.affine[2, :3])))
    ends = np.tile([(n - 1) / 2 for n in geometry.shape], (2, 1))
    ends[:, axis] = -0.5, geometry.shape[axis] - 0.5
    low, high = sorted(float(z) for z in geometry.to_patient_mm(ends)[:, 2])
    return _Extent(low, high, geometry.spacing_mm[axis])


def _files(stations: Sequence[StationStacks]) -> frozenset[Path]:
    return frozenset(
        image.path for found in stations for stack in found.stacks for image in stack.instances
    )


def _summary(stations: Sequence[StationStacks]) -> str:
    listed = ", ".join(f"{stack.b:g}" for stack in stations[0].stacks)
    return f"{len(stations)} stations with b {listed} cover {_coverage_mm(stations):.0f} mm"
