"""Images that arrived more than once (dicom.md A3 R4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dicom_objects.reading.copies import DUPLICATE
from dicom_objects.reading.pixels import UndecodablePixels, load_image
from dicom_objects.reading.slices import SAME_POSITION
from dicom_objects.reading.volumes import Refusal, Volume

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from dicom_objects.reading.frames import Frame

_TWO_CONTENTS = (
    "UID_CONFLICT",
    "two different images carry one SOP Instance UID; nothing tells which is right.",
)


def without_resends(frames: Sequence[Frame]) -> tuple[list[Frame], list[Refusal]]:
    """Keep one of each SOP Instance UID; refuse both when two differ under one UID."""
    kept: dict[tuple[object, ...], Frame] = {}
    again: dict[tuple[Path, Path], list[tuple[Frame, Frame]]] = {}
    for frame in frames:
        first = kept.setdefault(_identity(frame), frame)
        if first is not frame:
            again.setdefault((first.path, frame.path), []).append((first, frame))
    conflicts = [
        pair for paths, pairs in again.items() if not _same_bytes(*paths) for pair in pairs
    ]
    differing = [pair for pair in conflicts if not _same_image(*pair)]
    for first, _ in differing:
        kept.pop(_identity(first), None)
    both = tuple(dict.fromkeys(frame for pair in differing for frame in pair))
    return list(kept.values()), [Refusal(both, *_TWO_CONTENTS)] if both else []


def without_copies(volumes: Sequence[Volume]) -> tuple[list[Volume], list[Refusal]]:
    """Keep one of the volumes of one kind and place whose pixels are equal.

    Scanners send one acquisition in two forms (classic and enhanced) and archives keep several
    encodings of it; counted twice it would weigh twice.
    """
    kept: list[Volume] = []
    refusals: list[Refusal] = []
    for volume in volumes:
        if any(_is_copy(volume, other) for other in kept):
            refusals.append(volume.refused(*DUPLICATE))
        else:
            kept.append(volume)
    return kept, refusals


def _is_copy(volume: Volume, other: Volume) -> bool:
    if volume.geometry is None or other.geometry is None or not _same_kind(volume, other):
        return False
    tolerance = SAME_POSITION * min(volume.geometry.spacing_mm)
    return volume.geometry.matches(other.geometry, tolerance) and _same_pixels(
        volume.frames, other.frames
    )


def _same_kind(volume: Volume, other: Volume) -> bool:
    if (volume.kind.role, volume.kind.b) != (other.kind.role, other.kind.b):
        return False
    a, b = volume.gradient, other.gradient
    return a is None or b is None or bool(np.allclose(a, b, atol=0.005))


def _same_pixels(a: Sequence[Frame], b: Sequence[Frame]) -> bool:
    """Compare the middle slice first: it tells repeats apart without reading the rest."""
    middle = len(a) // 2
    try:
        if not np.array_equal(load_image([a[middle]]), load_image([b[middle]])):
            return False
        return bool(np.array_equal(load_image(a), load_image(b)))
    except UndecodablePixels:
        return False


def _identity(frame: Frame) -> tuple[object, ...]:
    origin = frame.pixels.origin if frame.pixels else None
    return (frame.sop_instance_uid, frame.frame_number, origin)


def _same_bytes(a: Path, b: Path) -> bool:
    return a.read_bytes() == b.read_bytes()


def _same_image(a: Frame, b: Frame) -> bool:
    """Whether two files of one UID differ in their encoding only."""
    same_header = (a.b.value, a.gradient, a.plane) == (b.b.value, b.gradient, b.plane)
    return same_header and a.pixels is not None and _same_pixels([a], [b])
