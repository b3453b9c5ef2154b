"""From the volumes of one place to one image for each b-value (dicom.md A3 R4 and R5).

The vendor's trace is used where there is one, else the geometric mean of directions that measure
the trace. Repeats are averaged as magnitudes; the mean of directions is taken of what is left.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dicom_objects.reading.gradients import measure_the_trace
from dicom_objects.reading.roles import NEAR_ZERO_B, Role, is_derived_b0

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dicom_objects.reading.frames import Frame
    from dicom_objects.reading.volumes import Refusal, Volume
    from imaging.geometry import Geometry

VENDOR_TRACE, FROM_DIRECTIONS, PARTIAL = "vendor-trace", "from-directions", "partial-directions"
_EQUAL_B = 0.02
"""Directions of one trace have one b-value, within this share of it."""


@dataclass(frozen=True, eq=False)
class Stack:
    """One b-value of one station, ascending along the normal.

    The image is the geometric mean over `groups` of the arithmetic mean of each group's volumes.
    """

    b: float
    groups: tuple[tuple[Volume, ...], ...] = field(repr=False)

    @property
    def geometry(self) -> Geometry:
        """The grid of all volumes."""
        return self.groups[0][0].grid

    @property
    def instances(self) -> tuple[Frame, ...]:
        """Every image that the stack is made of."""
        return tuple(frame for volume in self.volumes for frame in volume.frames)

    @property
    def volumes(self) -> tuple[Volume, ...]:
        """Every volume that the stack is made of."""
        return tuple(volume for group in self.groups for volume in group)

    @property
    def standing_for_it(self) -> tuple[Frame, ...]:
        """One image a slice: the first repeat of the first direction."""
        return self.groups[0][0].frames


def make_stacks(
    place: Sequence[Volume], shells: Mapping[float, float]
) -> tuple[list[Stack], list[Refusal]]:
    """Make one stack of every b-value of a place, and refuse what is not needed for it."""
    by_shell: dict[float, list[Volume]] = {}
    for volume in place:
        by_shell.setdefault(shell_of(volume, shells), []).append(volume)
    stacks: list[Stack] = []
    refusals: list[Refusal] = []
    # Trace images first: which b 0 belongs to them depends on them.
    for b in sorted(by_shell, reverse=True):
        stack, refused = _stack(b, by_shell[b], stacks)
        stacks += [stack] if stack else []
        refusals += refused
    return sorted(stacks, key=lambda s: s.b), refusals


def shell_of(volume: Volume, shells: Mapping[float, float]) -> float:
    """Return the shell; single directions at b 1-10 are kept apart from b 0."""
    b = volume.kind.b
    return b if b <= NEAR_ZERO_B and volume.kind.role is Role.DIRECTIONAL else shells[b]


def how_traced(volumes: Sequence[Volume]) -> str:
    """Say what the volumes of one b-value give: a vendor's trace, a mean, or too few directions."""
    if any(v.kind.role is Role.TRACE for v in volumes):
        return VENDOR_TRACE
    complete = all(v.fault is None for v in volumes)
    directions = _by_direction(volumes)
    values = [v.kind.b for v in volumes]
    equal = max(values) - min(values) <= _EQUAL_B * max(values)
    spread = measure_the_trace([group[0].gradient for group in directions])
    return FROM_DIRECTIONS if complete and equal and spread else PARTIAL


def _stack(
    b: float, volumes: Sequence[Volume], weighted: Sequence[Stack]
) -> tuple[Stack | None, list[Refusal]]:
    zero = [v for v in volumes if v.kind.role is Role.B0]
    if zero:
        return _zero_stack(b, zero, weighted)
    traces = [v for v in volumes if v.kind.role is Role.TRACE]
    directions = [v for v in volumes if v.kind.role is Role.DIRECTIONAL]
    if len({v.first.series_description for v in traces}) > 1:
        text = (
            f"b {b:g} was sent more than once for this position, in series of different names;"
            " which to use is not said."
        )
        return None, [v.refused("REPEATED_SHELL", text) for v in traces]
    if traces:
        text = f"single directions of b {b:g}; the scanner's own trace image is used."
        return Stack(b, (tuple(traces),)), [v.refused("TRACE_USED", text) for v in directions]
    if how_traced(directions) == FROM_DIRECTIONS and b > NEAR_ZERO_B:
        return Stack(b, tuple(_by_direction(directions))), []
    reason = _too_few(b, len(_by_direction(directions)))
    return None, [v.refused(*reason) for v in directions]


def _too_few(b: float, n_directions: int) -> tuple[str, str]:
    if b <= NEAR_ZERO_B:
        text = f"single directions of b {b:g}: neither b 0 nor diffusion weighted enough to fit."
        return "NEAR_B0", text
    text = (
        f"{n_directions} diffusion direction(s) of b {b:g} do not measure the trace: they do not"
        " cover space evenly; send all directions or the trace images."
    )
    return "DIRECTIONS_ONLY", text


def _zero_stack(
    b: float, zero: Sequence[Volume], weighted: Sequence[Stack]
) -> tuple[Stack, list[Refusal]]:
    """Take the b 0 of the series that holds the trace, else an acquired one, else a derived one.

    Images of another series may be distorted otherwise (reversed phase encoding), so b 0 is
    averaged within the best series and with series that repeat the whole acquisition only.
    """
    with_weighting = {v.first.series_uid for s in weighted for v in s.volumes}

    def rank(volume: Volume) -> tuple[bool, bool]:
        return volume.first.series_uid not in with_weighting, is_derived_b0(volume.first)

    best = min(rank(v) for v in zero)
    used = [v for v in zero if rank(v) == best]
    if best[0]:
        used = [v for v in used if v.first.series_uid == used[0].first.series_uid]
    refusals = [v.refused(*_other_zero(v)) for v in zero if v not in used]
    return Stack(b, (tuple(used),)), refusals


def _other_zero(volume: Volume) -> tuple[str, str]:
    if is_derived_b0(volume.first):
        return (
            "DERIVED_B0",
            "a b 0 that was made by processing; another one of this position is used.",
        )
    return ("OTHER_B0", "another b 0 of this position; the one of the trace's series is used.")


def _by_direction(volumes: Sequence[Volume]) -> list[tuple[Volume, ...]]:
    """Group repeats of one direction; volumes without a known direction stay alone."""
    groups: list[list[Volume]] = []
    for volume in volumes:
        home = next((g for g in groups if _same_direction(g[0], volume)), None)
        if home is None:
            groups.append([volume])
        else:
            home.append(volume)
    return [tuple(group) for group in groups]


def _same_direction(a: Volume, b: Volume) -> bool:
    if a.gradient is None or b.gradient is None:
        return False
    return all(abs(x - y) <= 0.005 for x, y in zip(a.gradient, b.gradient, strict=True))
