"""Which slices lie in one direction, and where they are along it (dicom.md A3 R4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from dicom_objects.reading.frames import Frame, Plane

_SAME_ANGLE = 0.0087
"""Direction cosines of planes within 0.5 degrees differ by less than this."""
_SAME_SPACING_MM = 0.01
_SAME_ECHO_TIME_MS = 0.05
_BESIDE = 0.5
"""In pixels: images whose corners lie further apart in-plane belong to different volumes."""


def plane_of(frame: Frame) -> Plane:
    """Return the plane of a frame that is known to have one.

    Raises:
        ValueError: it has none; screening lets none through.

    """
    if frame.plane is None:
        message = "an image without a plane cannot be placed"
        raise ValueError(message)
    return frame.plane


def axes_of(plane: Plane) -> NDArray[np.float64]:
    """Return three rows: the slice normal, the direction down a column and along a row."""
    rx, ry, rz, cx, cy, cz = plane.orientation
    normal = (ry * cz - rz * cy, rz * cx - rx * cz, rx * cy - ry * cx)
    return np.array([normal, (cx, cy, cz), (rx, ry, rz)], dtype=np.float64)


def coordinates_mm(frames: Sequence[Frame]) -> NDArray[np.float64]:
    """Return (frame, 3): position along the first frame's normal, column and row direction.

    InstanceNumber and SliceLocation are not trusted.
    """
    corners = np.array([plane_of(f).position_mm for f in frames], dtype=np.float64)
    result: NDArray[np.float64] = corners @ axes_of(plane_of(frames[0])).T
    return result


def alike(a: Frame, b: Frame) -> bool:
    """Whether both have the same orientation, in-plane spacing, size, echo time and patient."""
    return _same_plane(_outline(a), _outline(b))


def group_by_plane(frames: Sequence[Frame]) -> list[list[Frame]]:
    """Split frames by orientation, size, spacing, echo time and place beside each other."""
    kinds: dict[tuple[object, ...], list[Frame]] = {}
    for frame in frames:
        kinds.setdefault(_outline(frame), []).append(frame)
    groups: list[tuple[tuple[object, ...], list[Frame]]] = []
    for outline, members in kinds.items():
        home = next((g for known, g in groups if _same_plane(known, outline)), None)
        if home is None:
            groups.append((outline, members))
        else:
            home.extend(members)
    return [part for _, members in groups for part in _beside_each_other(members)]


def _outline(frame: Frame) -> tuple[object, ...]:
    plane = plane_of(frame)
    size = (plane.rows, plane.columns, frame.patient_position)
    return (size, frame.echo_time_ms, plane.orientation, plane.spacing_mm)


def _same_plane(a: tuple[object, ...], b: tuple[object, ...]) -> bool:
    tolerances = (0.0, _SAME_ECHO_TIME_MS, _SAME_ANGLE, _SAME_SPACING_MM)
    return a == b or (
        a[0] == b[0]
        and all(_close(x, y, t) for x, y, t in zip(a[1:], b[1:], tolerances[1:], strict=True))
    )


def _close(a: object, b: object, tolerance: float) -> bool:
    if a is None or b is None:
        return a is b
    return bool(np.allclose(np.asarray(a, float), np.asarray(b, float), rtol=0, atol=tolerance))


def _beside_each_other(frames: list[Frame]) -> list[list[Frame]]:
    """Split images of one orientation whose corners are more than half a pixel apart in-plane."""
    corners = coordinates_mm(frames)[:, 1:] / np.array(plane_of(frames[0]).spacing_mm)
    if np.ptp(corners, axis=0).max() <= _BESIDE:
        return [frames]
    homes: list[tuple[NDArray[np.float64], list[Frame]]] = []
    for frame, corner in zip(frames, corners, strict=True):
        home = next((g for at, g in homes if np.abs(corner - at).max() <= _BESIDE), None)
        if home is None:
            homes.append((corner, [frame]))
        else:
            home.append(frame)
    return [members for _, members in homes]
