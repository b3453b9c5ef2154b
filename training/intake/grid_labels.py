"""Labels of any make on the model's grid: every part's share of a voxel, and the largest wins."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from dicom_objects.reading.segmentation import read_segmentation
from imaging.nifti import read_label_map
from imaging.preprocessing import to_probability

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from dicom_objects.reading.segmentation import SegmentMask
    from imaging.geometry import Geometry
    from training.intake.class_map import ClassMap


@dataclass(frozen=True, eq=False)
class LabelPart:
    """Share of class `position` in every voxel of `geometry`, float32 (slice, row, column)."""

    position: int
    geometry: Geometry
    share: NDArray[np.float32] = field(repr=False)


def segmentation_parts(
    paths: Iterable[Path], classes: ClassMap, known: Sequence[str]
) -> Iterator[LabelPart]:
    """Yield the segments of DICOM SEG objects that are of a class in `known`."""
    for path in paths:
        for segment in read_segmentation(path):
            position = classes.position(_names(segment), known, path.name)
            if position:
                yield LabelPart(position, segment.geometry, segment.mask)


def label_map_parts(path: Path, classes: ClassMap, known: Sequence[str]) -> Iterator[LabelPart]:
    """Yield the classes of a label map in a file; its 0 is background."""
    labels, geometry = read_label_map(path)
    for number in np.unique(labels[labels != 0]).tolist():
        position = classes.position([str(number)], known, path.name)
        if position:
            yield LabelPart(position, geometry, (labels == number).astype(np.float32))


def labels_of(parts: Iterable[LabelPart], target: Geometry) -> NDArray[np.uint8]:
    """Return the class with the largest share of every voxel of `target`; the rest is 0.

    Parts of one class (a SEG for each station, say) are joined by the larger share.
    """
    shares: dict[int, NDArray[np.float32]] = {}
    for part in parts:
        moved = to_probability(part.share, part.geometry, target)
        held = shares.get(part.position)
        shares[part.position] = moved if held is None else np.maximum(held, moved)
    winner = np.zeros(target.shape, dtype=np.uint8)
    best = np.zeros(target.shape, dtype=np.float32)
    total = np.zeros(target.shape, dtype=np.float32)
    for position in sorted(shares):
        share = shares.pop(position)
        np.copyto(winner, np.uint8(position), where=share > best)
        np.maximum(best, share, out=best)
        total += share
    winner[1 - total > best] = 0
    return winner


def _names(segment: SegmentMask) -> list[str]:
    """Return what a file may call a segment, the most exact first."""
    coded = [f"{segment.code}:{segment.side}"] if segment.side else []
    return [segment.label, *coded, segment.code, segment.structure]
