"""From the diffusion images of one series to its volumes: one b-value, one kind, one direction."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from dicom_objects.reading.copies import DUPLICATE, without_equal_images
from dicom_objects.reading.planes import group_by_plane, plane_of
from dicom_objects.reading.repeats import split_repeats
from dicom_objects.reading.roles import Role, correction_of, is_composed
from dicom_objects.reading.slices import fault_of, geometry_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dicom_objects.reading.frames import Frame
    from dicom_objects.reading.slices import Reason
    from imaging.geometry import Geometry

_SAME_DIRECTION = 0.005
"""Components of one direction differ by rounding only; directions of a scheme by far more."""


@dataclass(frozen=True)
class Refusal:
    """Images that are not used, and why."""

    instances: tuple[Frame, ...] = field(repr=False)
    code: str
    reason: str


@dataclass(frozen=True)
class Kind:
    """What all images of a volume share."""

    role: Role
    b: float
    """In s/mm² as the header gives it."""
    direction: int | None
    """Number of the diffusion direction in its series; None where there is none."""
    frame_of_reference_uid: str
    composed: bool
    """Joined from stations by the scanner."""
    correction: str
    """Siemens' word for the distortion correction, "" where there is none."""


@dataclass(frozen=True, eq=False)
class Volume:
    """Images of one kind, ascending along their normal; `geometry` is None where they are faulty.

    `fault` is the code and the sentence that say what is wrong.
    """

    kind: Kind
    frames: tuple[Frame, ...] = field(repr=False)
    geometry: Geometry | None
    fault: Reason | None = None

    @property
    def first(self) -> Frame:
        """One frame for all: they share kind, plane and series."""
        return self.frames[0]

    @property
    def gradient(self) -> tuple[float, ...] | None:
        """The diffusion direction (x, y, z), None when the headers give none."""
        return self.first.gradient

    @property
    def grid(self) -> Geometry:
        """The geometry of a volume without a fault.

        Raises:
            ValueError: the volume has a fault.

        """
        if self.geometry is None:
            message = "a faulty volume has no geometry"
            raise ValueError(message)
        return self.geometry

    def refused(self, code: str, reason: str) -> Refusal:
        """Refuse all images of the volume."""
        return Refusal(self.frames, code, reason)


def build_volumes(
    judged: Sequence[tuple[Frame, Role]], fault_in: Callable[[Frame, Role], Reason | None]
) -> tuple[list[Volume], list[Refusal]]:
    """Sort the diffusion images of one series into volumes; copies of one image count once.

    Args:
        judged: images that have a plane and a b-value, with their roles.
        fault_in: why an image may not be used at all; None when it may.

    """
    kinds: dict[Kind, list[Frame]] = {}
    directions = _Directions()
    for frame, role in judged:
        number = directions.number(frame) if role is Role.DIRECTIONAL else None
        kinds.setdefault(_kind(frame, role, number), []).append(frame)
    volumes: list[Volume] = []
    refusals: list[Refusal] = []
    for kind, frames in kinds.items():
        for plane in group_by_plane(frames):
            single, copies = without_equal_images(plane)
            refusals += [Refusal(tuple(copies), *DUPLICATE)] if copies else []
            volumes += [_volume(kind, part, fault_in) for part in split_repeats(single)]
    return volumes, refusals


def _kind(frame: Frame, role: Role, direction: int | None) -> Kind:
    return Kind(
        role,
        frame.b.value or 0.0,
        direction,
        plane_of(frame).frame_of_reference_uid,
        is_composed(frame),
        correction_of(frame),
    )


def _volume(
    kind: Kind, ordered: Sequence[Frame], fault_in: Callable[[Frame, Role], Reason | None]
) -> Volume:
    faults = (fault_in(frame, kind.role) for frame in ordered)
    fault = next((f for f in faults if f), None) or fault_of(ordered)
    return Volume(kind, tuple(ordered), None if fault else geometry_of(ordered), fault)


class _Directions:
    """Numbers the gradient directions of a series; those equal but for rounding are one."""

    def __init__(self) -> None:
        self._known: dict[tuple[float, ...], int] = {}

    def number(self, frame: Frame) -> int | None:
        if frame.gradient is None:
            return None
        found = self._known.get(frame.gradient)
        if found is None:
            known = self._known.items()
            near = (n for g, n in known if np.allclose(g, frame.gradient, atol=_SAME_DIRECTION))
            found = next(near, len(set(self._known.values())))
            self._known[frame.gradient] = found
        return found
