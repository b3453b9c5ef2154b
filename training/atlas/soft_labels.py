"""Soft labels of one case: for every structure the share of the atlases that say so; their file.

A structure fills a small part of the body, so each is kept inside its own box, in parts of 255.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from training.errors import TrainingError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

_FULL = 255
_NEARLY = 1e-3
"""What float32 may lose of a whole 255th."""


@dataclass(frozen=True, eq=False)
class Box:
    """`shares` uint8 (slice, row, column) in parts of 255; its first voxel is `start`."""

    start: tuple[int, int, int]
    shares: NDArray[np.uint8] = field(repr=False)


@dataclass(frozen=True, eq=False)
class SoftLabels:
    """Shares of the foreground classes by number; background is what they leave of one."""

    shape: tuple[int, int, int]
    boxes: Mapping[int, Box]

    def most_probable(self) -> NDArray[np.uint8]:
        """Return the class with the largest share of every voxel; the first of equal ones."""
        winner = np.zeros(self.shape, dtype=np.uint8)
        best = np.full(self.shape, _FULL, dtype=np.int16)
        for _, part, shares in self._placed():
            best[part] -= shares
        for label, part, shares in self._placed():
            here = shares.astype(np.int16)
            np.copyto(winner[part], np.uint8(label), where=here > best[part])
            np.maximum(best[part], here, out=best[part])
        return winner

    def dense(self, classes: int) -> NDArray[np.float32]:
        """Return probabilities (class, slice, row, column) that sum to one."""
        return self.part((0, 0, 0), self.shape, classes)

    def part(
        self, start: tuple[int, int, int], size: tuple[int, int, int], classes: int
    ) -> NDArray[np.float32]:
        """Return probabilities of the box of `size` from `start`; all background outside."""
        out = np.zeros((classes, *size), dtype=np.float32)
        for label, box in self.boxes.items():
            target, source = _shared(start, size, box)
            out[label][target] = box.shares[source]
        out /= _FULL
        out[0] = 1 - out[1:].sum(axis=0)
        return out

    def _placed(self) -> list[tuple[int, tuple[slice, ...], NDArray[np.uint8]]]:
        return [
            (
                label,
                tuple(slice(a, a + n) for a, n in zip(box.start, box.shares.shape, strict=True)),
                box.shares,
            )
            for label, box in sorted(self.boxes.items())
        ]


def pack(shares: NDArray[np.float32]) -> SoftLabels:
    """Pack probabilities (class, slice, row, column), class 0 the background.

    Shares are rounded down, so that the foreground never holds more than one.
    """
    boxes = {}
    for label in range(1, shares.shape[0]):
        parts = np.floor(shares[label] * _FULL + _NEARLY).astype(np.uint8)
        if parts.any():
            boxes[label] = _box_of(parts)
    k, j, i = shares.shape[1:]
    return SoftLabels((k, j, i), boxes)


def write_soft_labels(soft: SoftLabels, path: Path) -> None:
    """Write the soft labels under their final name in one step."""
    arrays: dict[str, NDArray[np.generic]] = {"shape": np.array(soft.shape)}
    for label, box in soft.boxes.items():
        arrays[f"start_{label}"] = np.array(box.start)
        arrays[f"shares_{label}"] = box.shares
    partial = path.with_suffix(f".{os.getpid()}.partial")
    with partial.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)
    partial.replace(path)


def read_soft_labels(path: Path) -> SoftLabels:
    """Read soft labels.

    Raises:
        TrainingError: `SOFT_LABELS`, the file does not hold them.

    """
    try:
        with np.load(path) as arrays:
            k, j, i = (int(n) for n in arrays["shape"])
            names = [n.removeprefix("start_") for n in arrays.files if n.startswith("start_")]
            boxes = {
                int(n): Box(_triple(arrays[f"start_{n}"]), arrays[f"shares_{n}"]) for n in names
            }
    except (OSError, KeyError, ValueError) as error:
        message = f"{path} holds no soft labels ({error}); delete it and run `osteon train atlas`"
        raise TrainingError(message, code="SOFT_LABELS") from error
    return SoftLabels((k, j, i), boxes)


def _box_of(parts: NDArray[np.uint8]) -> Box:
    start, box = [], []
    for axis in range(3):
        others = tuple(a for a in range(3) if a != axis)
        filled = np.flatnonzero(parts.any(axis=others))
        start.append(int(filled[0]))
        box.append(slice(int(filled[0]), int(filled[-1]) + 1))
    return Box((start[0], start[1], start[2]), parts[box[0], box[1], box[2]].copy())


def _shared(
    start: tuple[int, int, int], size: tuple[int, int, int], box: Box
) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """Where a box and the wanted part meet: in the part, and in the box."""
    target, source = [], []
    for first, n, at, length in zip(start, size, box.start, box.shares.shape, strict=True):
        low = max(first, at)
        high = max(low, min(first + n, at + length))
        target.append(slice(low - first, high - first))
        source.append(slice(low - at, high - at))
    return tuple(target), tuple(source)


def _triple(values: NDArray[np.generic]) -> tuple[int, int, int]:
    k, j, i = (int(n) for n in values)
    return k, j, i
