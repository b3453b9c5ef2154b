"""Images that share positions: which of them belong together (dicom.md A3 R4)."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from dicom_objects.reading.planes import coordinates_mm
from dicom_objects.reading.slices import SAME_POSITION, Ladder, ladder, ladder_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from dicom_objects.reading.frames import Frame

    Rungs = NDArray[np.float64]
    Key = Callable[[Frame], object]

_MOSTLY = 0.5


def split_repeats(frames: Sequence[Frame]) -> list[list[Frame]]:
    """Split images of one kind into volumes, each sorted along the normal.

    Where positions occur more than once, or several bed positions are mixed, an attribute that
    leaves regular volumes tells them apart. Where none does but every position occurs equally
    often, the images are repeats and any one of each position makes a volume: their mean does not
    depend on the choice. What stays irregular comes back whole, for the caller to refuse.
    """
    keys = _keys(frames)
    parts = _clean_split(list(frames), keys)
    if parts is None:
        parts = _partly_clean(frames, keys) or _layers(frames) or [list(frames)]
    return [_ordered(part) for part in parts]


def _keys(frames: Sequence[Frame]) -> list[Key]:
    # An enhanced object or a mosaic is often one volume; classic instances are never.
    keys: list[Key] = [lambda f: f.sop_class_uid, lambda f: f.sop_instance_uid]
    keys += [_repeat_key(k) for k in range(len(frames[0].repeat))]
    keys.append(lambda f: f.series_number)
    return [key for key in keys if len({key(f) for f in frames}) > 1]


def _repeat_key(k: int) -> Key:
    return lambda frame: frame.repeat[k] if k < len(frame.repeat) else ""


def _clean_split(frames: list[Frame], keys: Sequence[Key]) -> list[list[Frame]] | None:
    """Split by as few attributes as leave nothing but regular volumes; None: there are none."""
    if _is_clean(ladder(frames)):
        return [frames]
    for k, key in enumerate(keys):
        parts = _parts(frames, key)
        if not 1 < len(parts) <= len(frames) // 2:
            continue
        found = [_clean_split(part, keys[k + 1 :]) for part in parts]
        volumes = [volume for part in found if part is not None for volume in part]
        if None not in found and not _halves(volumes):
            return volumes
    return None


def _partly_clean(frames: Sequence[Frame], keys: Sequence[Key]) -> list[list[Frame]] | None:
    """Split where some parts are regular volumes and no part has a position twice."""
    for key in keys:
        parts = _parts(frames, key)
        ladders = [ladder(part) for part in parts]
        clean = [part for part, found in zip(parts, ladders, strict=True) if _is_clean(found)]
        once = all(found.counts.max() == 1 for found in ladders)
        if once and clean and not _halves(clean):
            return parts
    return None


def _layers(frames: Sequence[Frame]) -> list[list[Frame]] | None:
    found = ladder(frames)
    n = int(found.counts[0])
    if found.fault() or found.counts.min() != found.counts.max() or n == 1:
        return None
    ordered = _ordered(frames)
    return [ordered[k::n] for k in range(n)]


def _parts(frames: Sequence[Frame], key: Key) -> list[list[Frame]]:
    parts: dict[object, list[Frame]] = {}
    for frame in frames:
        parts.setdefault(key(frame), []).append(frame)
    return list(parts.values())


def _is_clean(found: Ladder) -> bool:
    return found.counts.max() == 1 and found.fault() is None


def _halves(volumes: Sequence[Sequence[Frame]]) -> bool:
    """Whether two parts are pieces of one volume, not repeats of it or bed positions."""
    rungs = [ladder(volume).positions_mm for volume in volumes]
    return any(
        _interleaved(a, b) or (_torn(a, b) and not _bridged(a, b, rungs))
        for a, b in combinations(rungs, 2)
    )


def _interleaved(a: Rungs, b: Rungs) -> bool:
    """Whether two parts fill each other's gaps, like odd and even slices."""
    if len(a) == len(b) and np.abs(a - b).max() < SAME_POSITION * (a[1] - a[0]):
        return False
    shared = min(a[-1], b[-1]) - max(a[0], b[0])
    return bool(shared > _MOSTLY * min(a[-1] - a[0], b[-1] - b[0]))


def _torn(a: Rungs, b: Rungs) -> bool:
    """Whether one or two slices of a common grid are missing between two parts."""
    spacing = a[1] - a[0]
    steps = max(a[0] - b[-1], b[0] - a[-1]) / spacing
    on_grid = abs(steps - round(steps)) < SAME_POSITION
    return bool(on_grid and 1.5 < steps < 3.5 and abs(b[1] - b[0] - spacing) < 0.01 * spacing)


def _bridged(a: Rungs, b: Rungs, rungs: Sequence[Rungs]) -> bool:
    """Whether another part lies where two parts leave a gap."""
    middle = (max(a[0], b[0]) + min(a[-1], b[-1])) / 2
    return any(c[0] < middle < c[-1] for c in rungs)


def _ordered(frames: Sequence[Frame]) -> list[Frame]:
    """Sort along the normal; repeats at one position by what tells them apart."""
    at = coordinates_mm(frames)[:, 0]
    rung = ladder_of(at).rung_of(at)
    order = sorted(
        range(len(frames)),
        key=lambda k: (
            rung[k],
            frames[k].repeat,
            frames[k].sop_instance_uid,
            frames[k].frame_number,
        ),
    )
    return [frames[k] for k in order]
