"""Sentences on what was done with the images of a series, and what is unusual in it."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

from dicom_objects.reading.roles import Role

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dicom_objects.reading.screening import Screened
    from dicom_objects.reading.stations import StationStacks
    from dicom_objects.reading.study_plan import StudyPlan
    from dicom_objects.reading.traces import Stack

Note = tuple[str, str]
"""Series UID and sentence."""


def notes_by_series(plan: StudyPlan, stations: Sequence[StationStacks]) -> dict[str, list[str]]:
    """Return the notes of every series that has some; each sentence once."""
    notes: dict[str, dict[str, None]] = {}
    for uid, text in _all_notes(plan, stations):
        notes.setdefault(uid, {})[text] = None
    return {uid: list(texts) for uid, texts in notes.items()}


def _all_notes(plan: StudyPlan, stations: Sequence[StationStacks]) -> Iterator[Note]:
    for one in plan.screened:
        yield from ((one.series_uid, text) for text in _of_series(one))
    yield from _left_out(plan)
    for station in stations:
        for stack in station.stacks:
            yield from _of_stack(stack)
        for frame in station.vendor_adc:
            text = f"the scanner's ADC map stands for the fit: only b {station.stacks[0].b:g} was"
            yield frame.series_uid, f"{text} sent."
    yield from _between(stations)


def _left_out(plan: StudyPlan) -> Iterator[Note]:
    counted: Counter[Note] = Counter()
    for refusal in plan.refusals:
        if refusal.code in {"DUPLICATE", "INCOMPLETE_REPEAT"}:
            uid = refusal.instances[0].series_uid
            counted[uid, refusal.reason] += len(refusal.instances)
    for (uid, reason), n_images in counted.items():
        yield uid, f"{n_images} images left out: {reason}"


def _of_series(one: Screened) -> Iterator[str]:
    zero = sorted({f.b.value for f, role in one.images if role is Role.B0 and f.b.value})
    if zero:
        listed = ", ".join(f"{b:g}" for b in zero)
        yield f"b {listed} s/mm² stands for b 0."
    if any(f.b.source == "implied by its series" for f, _ in one.images):
        yield "images without a b-value are taken for b 0: others of the series have one."
    yield from _of_b_values(one)


def _of_b_values(one: Screened) -> Iterator[str]:
    for frame in {f.b: f for f, _ in one.images if f.b.value is not None}.values():
        b = frame.b
        if b.doubt:
            yield f"{b.source} says b {b.value:g}, {b.doubt[1]} says {b.doubt[0]:g}."
        if b.nominal and b.value is not None and abs(b.nominal - b.value) > 0.5:
            yield f"b {b.value:g} s/mm² was played out where the protocol says {b.nominal:g}."
    if any("low confidence" in f.b.source for f, _ in one.images):
        yield "the b-value stands in a private element whose owner a de-identifier removed."


def _of_stack(stack: Stack) -> Iterator[Note]:
    repeats = max(len(group) for group in stack.groups)
    for volume in stack.volumes:
        uid = volume.first.series_uid
        if repeats > 1:
            yield uid, f"b {stack.b:g}: {repeats} repeats were averaged."
        if len(stack.groups) > 1:
            text = f"the geometric mean of {len(stack.groups)} directions."
            yield uid, f"b {stack.b:g}: the trace is {text}"
        if volume.kind.composed:
            yield uid, "composed by the scanner from its stations: interpolated and blended."


def _between(stations: Sequence[StationStacks]) -> Iterator[Note]:
    several = len({uid for s in stations for uid in _frames_of_reference(s)}) > 1
    for station in stations:
        if several:
            text = "the stations have different frames of reference; joined by their positions."
            yield from ((uid, text) for uid in _series(station))
    for lower, upper in pairwise(stations):
        a, b = (s.stacks[0].geometry.spacing_mm for s in (lower, upper))
        if any(abs(x - y) > 0.01 * x for x, y in zip(a, b, strict=True)):
            text = "the stations have different voxel sizes."
            yield from ((uid, text) for s in (lower, upper) for uid in _series(s))


def _series(station: StationStacks) -> set[str]:
    return {v.first.series_uid for stack in station.stacks for v in stack.volumes}


def _frames_of_reference(station: StationStacks) -> set[str]:
    return {v.kind.frame_of_reference_uid for stack in station.stacks for v in stack.volumes}
