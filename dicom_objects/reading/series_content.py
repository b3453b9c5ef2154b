"""What a series holds, in words and numbers: for its record."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from dicom_objects.reading.planes import group_by_plane, plane_of
from dicom_objects.reading.records import VolumeRecord
from dicom_objects.reading.roles import NEAR_ZERO_B, TENSOR_B0, Role, is_derived_b0
from dicom_objects.reading.shells import shell_table
from dicom_objects.reading.slices import ladder
from dicom_objects.reading.traces import how_traced, shell_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dicom_objects.reading.frames import Frame
    from dicom_objects.reading.volumes import Volume

Images = "Sequence[tuple[Frame, Role]]"
_KINDS = {
    Role.B0: "b0",
    Role.TRACE: "vendor-trace",
    Role.DIRECTIONAL: "direction",
    Role.UNSTATED: "not stated",
}
_WEIGHTED = (Role.TRACE, Role.DIRECTIONAL, Role.UNSTATED)
_WITH_B = (*_KINDS, Role.COMPUTED)


@dataclass(frozen=True)
class Extent:
    """Where the largest volume of a series is; None where the series has no place."""

    n_slices: int | None = None
    rows: int | None = None
    columns: int | None = None
    spacing_mm: tuple[float, float, float] | None = None
    slice_range_mm: tuple[float, float] | None = None


def content_of(images: Sequence[tuple[Frame, Role]], *, used: bool) -> str:
    """Name the content; b 0 alone is diffusion only if it says so or was used (dicom.md A3 R3)."""
    roles = {role for _, role in images}
    if Role.TRACE in roles:
        return "dwi-mixed" if Role.DIRECTIONAL in roles else "dwi-trace"
    if roles & {Role.DIRECTIONAL} or _unstated_with_b(images):
        return "dwi-directions"
    if Role.B0 in roles and (used or _says_diffusion(images)):
        derived = all(TENSOR_B0 in f.image_type for f, role in images if role is Role.B0)
        return "derived" if derived else "dwi-trace"
    if Role.ADC in roles:
        return "adc"
    made = any(role in {Role.OTHER, Role.COMPUTED} and is_derived_b0(f) for f, role in images)
    return "derived" if made or Role.COMPUTED in roles else "other"


def b_values_of(images: Sequence[tuple[Frame, Role]], content: str) -> tuple[float, ...]:
    """Return the b-values of acquired and computed signals in s/mm², ascending."""
    if content in {"adc", "other"}:
        return ()
    values = {f.b.value for f, role in images if role in _WITH_B and f.b.value is not None}
    return tuple(sorted({round(b, 4) for b in values}))


def b_labels_of(images: Sequence[tuple[Frame, Role]], content: str) -> tuple[float, ...]:
    """Return the b-values for people: shells, rounded, with 0 for every repeat of b 0."""
    shells = shell_table(b for b in b_values_of(images, content) if b > NEAR_ZERO_B)
    labels = {float(round(b)) for b in shells.values()}
    for frame, role in images:
        if content not in {"adc", "other"} and frame.b.value is not None:
            labels |= {0.0} if role is Role.B0 else set()
            near = role is Role.DIRECTIONAL and frame.b.value <= NEAR_ZERO_B
            labels |= {float(round(frame.b.value))} if near else set()
    return tuple(sorted(labels))


def volumes_of(volumes: Sequence[Volume]) -> tuple[VolumeRecord, ...]:
    """Count volumes by b-value and kind."""
    counted = Counter((round(v.kind.b, 4), _KINDS[v.kind.role]) for v in volumes)
    return tuple(VolumeRecord(b, kind, n) for (b, kind), n in sorted(counted.items()))


def trace_of(volumes: Sequence[Volume]) -> tuple[tuple[float, str], ...]:
    """Say for each b > 0 how the series gives the trace."""
    shells = shell_table({v.kind.b for v in volumes})
    by_shell: dict[float, list[Volume]] = {}
    for volume in volumes:
        if volume.kind.role in _WEIGHTED:
            by_shell.setdefault(shell_of(volume, shells), []).append(volume)
    return tuple(
        (round(median(v.kind.b for v in found), 4), how_traced(found))
        for _, found in sorted(by_shell.items())
    )


def extent_of(images: Sequence[tuple[Frame, Role]]) -> Extent:
    """Return the slice positions of the plane that holds most images."""
    placed = [frame for frame, _ in images if frame.plane is not None]
    if not placed:
        return Extent()
    most = max(group_by_plane(placed), key=len)
    plane, found = plane_of(most[0]), ladder(most)
    between = found.spacing_mm
    spacing = None if between is None else (*map(float, plane.spacing_mm), round(between, 4))
    ends = (float(found.positions_mm[0]), float(found.positions_mm[-1]))
    return Extent(
        n_slices=len(found.counts),
        rows=plane.rows,
        columns=plane.columns,
        spacing_mm=None if spacing is None else (spacing[0], spacing[1], spacing[2]),
        slice_range_mm=(round(ends[0], 3), round(ends[1], 3)),
    )


def _says_diffusion(images: Sequence[tuple[Frame, Role]]) -> bool:
    return any("DIFFUSION" in frame.image_type for frame, _ in images)


def _unstated_with_b(images: Sequence[tuple[Frame, Role]]) -> bool:
    return any(role is Role.UNSTATED and f.b.value is not None for f, role in images)
