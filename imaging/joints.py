"""What is found where two stations meet, and what a reader should know about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from imaging.errors import UnusableImages
from imaging.quality import QualityNote
from imaging.station_gain import seam, signal_ratio
from imaging.station_grid import overlap_mm
from imaging.station_shift import alignment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from imaging.geometry import Geometry
    from imaging.station_gain import Seam
    from imaging.station_grid import PlacedStation
    from imaging.station_shift import Alignment

NOTABLE_STEP = 0.1
"""A residual signal step from here on can raise or hide disease at a joint."""
NOTABLE_SHIFT_MM = 5.0
"""About two pixels: from here on a structure shows twice, or breaks, at a joint."""
SAME_BODY = 0.8
"""Correlation of the low-b images in the overlap below which stations do not show one place."""


@dataclass(frozen=True)
class Joint:
    """Where two stations meet.

    `overlap_mm` follows from slice positions; negative is a gap. `gain` is the signal of the
    upper station over the lower one before correction, at the lowest b-value. `steps` holds what
    remains after it by b-value, relative and signed (0.03: the upper one is 3 % brighter; 0 at the
    lowest b, which was matched); `residual_step` is its size at the highest b. `measured` is
    False where too little of the body lies there: nothing was corrected. `correlation` and
    `shift_mm` (LPS x, y, z: from where the lower station shows the body to where the upper one
    does) compare the lowest b in the overlap; None where it cannot be told. `same_frame` is
    False where the stations name different frames of reference.
    """

    lower: str
    upper: str
    overlap_mm: float
    gain: float
    residual_step: float
    measured: bool = True
    steps: Mapping[float, float] = field(default_factory=dict)
    correlation: float | None = None
    shift_mm: tuple[float, float, float] | None = None
    same_frame: bool = True

    @property
    def shift_length_mm(self) -> float:
        """Length of the shift, 0 where it is not known."""
        return 0.0 if self.shift_mm is None else sum(v * v for v in self.shift_mm) ** 0.5


def measure_joint(lower: PlacedStation, upper: PlacedStation, grid: Geometry) -> Joint:
    """Compare two neighbours, the lower one first: gain, what it leaves, correlation and shift.

    Raises:
        UnusableImages: `STATION_FRAME_MISMATCH` when they name different frames of reference
            and do not show the same place where they overlap.

    """
    b_values = tuple(lower.images)
    place = seam(lower, upper, b_values[0])
    gain = signal_ratio(place, b_values[0])
    steps = _steps(place, gain)
    aligned = _aligned(place, grid)
    joint = Joint(
        lower=lower.name,
        upper=upper.name,
        overlap_mm=overlap_mm(lower.source.geometry, upper.source.geometry),
        gain=gain or 1.0,
        residual_step=abs(steps[max(steps)]) if steps else 0.0,
        measured=gain is not None,
        steps=steps,
        correlation=None if aligned is None else aligned.correlation,
        shift_mm=None if aligned is None else aligned.shift_mm,
        same_frame=_same_frame(lower, upper),
    )
    _require_one_body(joint)
    return joint


def joint_notes(joints: Sequence[Joint]) -> tuple[QualityNote, ...]:
    """Say where stations do not fit together in signal or place, or where it cannot be told."""
    notes = [note for joint in joints for note in (*_signal(joint), *_place(joint))]
    return (*notes, *_confirmed_frames(joints))


def _signal(joint: Joint) -> Iterator[QualityNote]:
    where = f"between {joint.lower} and {joint.upper}"
    if not joint.measured:
        text = f"The signal step {where} could not be measured; nothing was corrected there."
        yield QualityNote("SIGNAL_STEP_UNKNOWN", "warning", text)
    elif joint.residual_step >= NOTABLE_STEP:
        text = (
            f"A signal step of {joint.residual_step:.0%} remains {where} at b {max(joint.steps):g} "
            "after correction; compare signal across the joint with care."
            if joint.steps
            else f"A signal step of {joint.residual_step:.0%} remains {where}."
        )
        yield QualityNote("SIGNAL_STEP", "warning", text, joint.residual_step)


def _place(joint: Joint) -> Iterator[QualityNote]:
    pair = f"{joint.lower} and {joint.upper}"
    if joint.shift_length_mm >= NOTABLE_SHIFT_MM and joint.shift_mm is not None:
        x, y, z = joint.shift_mm
        text = (
            f"{pair} show the body {joint.shift_length_mm:.0f} mm apart where they overlap "
            f"(left {x:+.0f}, back {y:+.0f}, head {z:+.0f} mm); look at the joint for structures "
            "that break or show twice."
        )
        yield QualityNote("STATION_SHIFT", "warning", text, joint.shift_length_mm)
    if joint.correlation is not None and joint.correlation < SAME_BODY:
        text = f"{pair} look unlike each other where they overlap; the patient may have moved."
        yield QualityNote("STATION_MISMATCH", "warning", text, joint.correlation)
    if not joint.same_frame and joint.correlation is None:
        text = (
            f"{pair} name different frames of reference and share no slice that could confirm "
            "their positions; these were taken as they stand."
        )
        yield QualityNote("STATION_FRAME", "warning", text)


def _confirmed_frames(joints: Sequence[Joint]) -> Iterator[QualityNote]:
    """One remark for all: some vendors begin a new frame whenever the table moves."""
    confirmed = [j.correlation for j in joints if not j.same_frame and j.correlation is not None]
    if confirmed:
        text = (
            "Stations name different frames of reference; where they overlap they show the same "
            f"body (correlation {min(confirmed):.2f} or more), so their positions were used."
        )
        yield QualityNote("STATION_FRAME", "info", text, min(confirmed))


def _steps(place: Seam, gain: float | None) -> dict[float, float]:
    if gain is None:
        return {}
    ratios = {b: signal_ratio(place, b) for b in place.lower.images}
    return {b: ratio / gain - 1.0 for b, ratio in ratios.items() if ratio is not None}


def _aligned(place: Seam, grid: Geometry) -> Alignment | None:
    if not place.shared or not place.body.any():
        return None
    below, above = place.images(min(place.lower.images))
    covered = place.covered
    if covered is not None:
        below, above = below * covered, above * covered
    return alignment(below, above, grid)


def _same_frame(lower: PlacedStation, upper: PlacedStation) -> bool:
    frames = {s.source.geometry.frame_of_reference_uid for s in (lower, upper)} - {""}
    return len(frames) < 2


def _require_one_body(joint: Joint) -> None:
    if joint.same_frame or joint.correlation is None or joint.correlation >= SAME_BODY:
        return
    message = (
        f"{joint.lower} and {joint.upper} name different frames of reference and do not show the "
        f"same body where they overlap (correlation {joint.correlation:.2f}, at least "
        f"{SAME_BODY:g} is needed): send stations of one session"
    )
    raise UnusableImages(message, code="STATION_FRAME_MISMATCH")
