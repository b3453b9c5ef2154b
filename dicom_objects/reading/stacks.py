"""Slices to stacks: images of one series and shell, sorted along the slice normal (A3 R4)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from imaging.geometry import Geometry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from dicom_objects.reading.frames import Frame, Plane

_SAME_ANGLE = 0.0087
"""Direction cosines of planes within 0.5 degrees differ by less than this."""
_SAME_SPACING_MM = 0.01
_SAME_POSITION = 0.1
"""As a share of the slice spacing."""


@dataclass(frozen=True, eq=False)
class Stack:
    """One b-value of one station: instances sorted along the normal, one a position."""

    b: float
    instances: tuple[Frame, ...] = field(repr=False)
    geometry: Geometry

    @property
    def range_mm(self) -> tuple[float, float]:
        """First and last slice position along the normal."""
        return (_projection(self.instances[0]), _projection(self.instances[-1]))


@dataclass(frozen=True)
class Refusal:
    """Instances that are not used, and why."""

    instances: tuple[Frame, ...] = field(repr=False)
    code: str
    reason: str


def build_stacks(b: float, instances: Sequence[Frame]) -> tuple[list[Stack], list[Refusal]]:
    """Sort the images of one series and one shell into complete stacks.

    Images on other planes become stacks of their own; positions that occur twice are split by
    acquisition, temporal position and time; a stack with a hole is refused.
    """
    stacks: list[Stack] = []
    refusals: list[Refusal] = []
    for group in _by_plane(instances):
        for part in _split_repeats(group):
            ordered = tuple(sorted(part, key=_projection))
            refusal = _refusal(ordered)
            if refusal:
                refusals.append(refusal)
            else:
                stacks.append(Stack(b, ordered, _geometry(ordered)))
    return stacks, refusals


def same_grid(a: Stack, b: Stack) -> bool:
    """Whether two stacks lie on one grid, positions within a tenth of the spacing."""
    tolerance = _SAME_POSITION * min(a.geometry.spacing_mm)
    return same_plane(a, b) and a.geometry.matches(b.geometry, tolerance)


def same_plane(a: Stack, b: Stack) -> bool:
    """Whether both have the same orientation, in-plane spacing, size and echo time."""
    return _alike(a.instances[0], b.instances[0])


def overlap_share(a: Stack, b: Stack) -> float:
    """Return the share of the shorter stack's extent along the normal that both cover."""
    (a0, a1), (b0, b1) = a.range_mm, b.range_mm
    shorter = min(a1 - a0, b1 - b0)
    return max(0.0, min(a1, b1) - max(a0, b0)) / shorter if shorter > 0 else 0.0


def covers(stack: Stack, instance: Frame) -> bool:
    """Whether the instance lies on a slice position of the stack, in the same plane."""
    if instance.plane is None or not _alike(stack.instances[0], instance):
        return False
    at, spacing = _projection(instance), stack.geometry.spacing_mm[0]
    return any(abs(_projection(i) - at) < _SAME_POSITION * spacing for i in stack.instances)


def _by_plane(instances: Sequence[Frame]) -> list[list[Frame]]:
    groups: list[list[Frame]] = []
    for instance in instances:
        home = next((g for g in groups if _alike(g[0], instance)), None)
        if home is None:
            groups.append([instance])
        else:
            home.append(instance)
    return groups


def _alike(a: Frame, b: Frame) -> bool:
    one, other = _plane(a), _plane(b)
    return (
        (one.rows, one.columns, a.patient_position, a.echo_time_ms)
        == (other.rows, other.columns, b.patient_position, b.echo_time_ms)
        and _close(one.orientation, other.orientation, _SAME_ANGLE)
        and _close(one.spacing_mm, other.spacing_mm, _SAME_SPACING_MM)
    )


def _close(a: tuple[float, ...], b: tuple[float, ...], tolerance: float) -> bool:
    return all(abs(x - y) <= tolerance for x, y in zip(a, b, strict=True))


def _split_repeats(group: list[Frame]) -> list[list[Frame]]:
    """Split by the first attribute that leaves no position twice; else leave as it is."""
    if not _repeated_positions(group):
        return [group]
    for k in range(len(group[0].repeat)):
        parts: dict[str, list[Frame]] = {}
        for instance in group:
            parts.setdefault(instance.repeat[k], []).append(instance)
        if not any(_repeated_positions(part) for part in parts.values()):
            return list(parts.values())
    return [group]


def _repeated_positions(instances: Sequence[Frame]) -> bool:
    positions = np.sort([_projection(i) for i in instances])
    return bool(np.any(np.diff(positions) < 0.01))


def _refusal(ordered: tuple[Frame, ...]) -> Refusal | None:
    if len(ordered) < 2:
        text = "a single slice makes no volume; send the whole series."
        return Refusal(ordered, "TOO_FEW_SLICES", text)
    positions = np.array([_projection(i) for i in ordered])
    steps = np.diff(positions)
    spacing = float(np.median(steps))
    if steps.min() < 0.01:
        at = positions[int(np.argmin(steps))]
        text = f"two images lie at {at:.1f} mm and nothing tells which one to use."
        return Refusal(ordered, "DUPLICATE_SLICES", text)
    if steps.max() > spacing * (1 + _SAME_POSITION):
        k = int(np.argmax(steps))
        text = (
            f"slices are missing between {positions[k]:.1f} and {positions[k + 1]:.1f} mm along the"
            f" normal ({len(ordered)} slices {spacing:.1f} mm apart); send the series again."
        )
        return Refusal(ordered, "MISSING_SLICES", text)
    if steps.min() < spacing * (1 - _SAME_POSITION):
        text = f"slice distances vary from {steps.min():.2f} to {steps.max():.2f} mm."
        return Refusal(ordered, "UNEVEN_SLICES", text)
    return None


def _geometry(ordered: tuple[Frame, ...]) -> Geometry:
    first, last = _plane(ordered[0]), _plane(ordered[-1])
    along_row, down_column = np.split(np.array(first.orientation), 2)
    affine = np.eye(4)
    step = (np.array(last.position_mm) - first.position_mm) / (len(ordered) - 1)
    affine[:3, 0] = step
    affine[:3, 1] = down_column * first.spacing_mm[0]
    affine[:3, 2] = along_row * first.spacing_mm[1]
    affine[:3, 3] = first.position_mm
    shape = (len(ordered), first.rows, first.columns)
    return Geometry(shape, affine, first.frame_of_reference_uid)


def _normal(plane: Plane) -> NDArray[np.float64]:
    along_row, down_column = np.split(np.array(plane.orientation), 2)
    return np.cross(along_row, down_column)


def _projection(instance: Frame) -> float:
    """Position along the slice normal in mm; InstanceNumber and SliceLocation are not trusted."""
    plane = _plane(instance)
    return float(np.dot(_normal(plane), plane.position_mm))


def _plane(instance: Frame) -> Plane:
    if instance.plane is None:  # refused before it gets here
        message = "instance without a plane"
        raise ValueError(message)
    return instance.plane
