"""Whether a mask is a spinal canal: one long, narrow, unbroken tube along the body.

A canal that the anatomy model drew badly would give every number of the study a wrong unit, so its
shape is checked before it serves as reference (`papers.md` A.4, consequence: it must pass quality
control first).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cc3d
import numpy as np

from imaging.morphology import grown
from imaging.quality import QualityNote

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imaging.geometry import Geometry

JOIN_MM = 40.0
"""Gaps up to about this are a model's, as in `imaging.fragments`; the tube goes on beyond them."""
_STEP_MM = 20.0
"""The centre line has a point this often; closer ones follow single voxels, not the spine."""


@dataclass(frozen=True)
class CanalRule:
    """What the shape of a canal may be; round figures of ours around an adult's anatomy.

    The canal is 10 to 25 mm wide, 60 to 75 cm long in images from vertex to mid-thigh.
    """

    volume_ml: tuple[float, float] = (20.0, 400.0)
    shortest_mm: float = 150.0
    least_share_of_images: float = 0.15
    """Length over the length of the images: 0.3 in a scan from vertex to feet."""
    least_largest_share: float = 0.8
    """Share of the volume that one connected part holds."""
    least_filled: float = 0.8
    """Share of the slices between its ends that show it."""
    section_mm2: tuple[float, float] = (60.0, 600.0)
    """Median area in a slice."""
    least_straightness: float = 0.6
    """Length along z over the length of the centre line; a spine that leans by 45° has 0.7."""


@dataclass(frozen=True)
class CanalShape:
    """Numbers of one mask; `share_of_images`, `largest_share`, `filled`, `straightness` are 0..1.

    All but `volume_ml` and `largest_share` are those of the largest connected part.
    """

    volume_ml: float
    largest_share: float
    length_mm: float
    share_of_images: float
    filled: float
    section_mm2: float
    straightness: float


def canal_shape(canal: NDArray[np.bool_], geometry: Geometry) -> CanalShape:
    """Measure a mask (slice, row, column); slices are counted along the first axis.

    Parts within `JOIN_MM` of each other are one: models leave gaps of a few slices.
    """
    volume_ml = int(np.count_nonzero(canal)) * geometry.voxel_volume_ml
    if volume_ml == 0:
        return CanalShape(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    largest, share = _largest_part(canal, geometry)
    n_voxels = np.count_nonzero(largest, axis=(1, 2))
    slices = np.flatnonzero(n_voxels)
    n_long = int(slices[-1] - slices[0] + 1)
    slice_mm, row_mm, column_mm = geometry.spacing_mm
    return CanalShape(
        volume_ml=volume_ml,
        largest_share=share,
        length_mm=n_long * slice_mm,
        share_of_images=n_long / canal.shape[0],
        filled=slices.size / n_long,
        section_mm2=float(np.median(n_voxels[slices])) * row_mm * column_mm,
        straightness=_straightness(largest, slices, geometry),
    )


def canal_problem(shape: CanalShape, rule: CanalRule = CanalRule()) -> QualityNote | None:
    """Return the first thing that is wrong with a canal, None when it may serve as reference.

    Codes: `CANAL_VOLUME`, `CANAL_SHORT`, `CANAL_PARTS`, `CANAL_BROKEN`, `CANAL_SECTION`,
    `CANAL_CROOKED`.
    """
    return next((note for note in _problems(shape, rule) if note is not None), None)


def _problems(shape: CanalShape, rule: CanalRule) -> tuple[QualityNote | None, ...]:
    return (*_size_problems(shape, rule), *_form_problems(shape, rule))


def _size_problems(shape: CanalShape, rule: CanalRule) -> tuple[QualityNote | None, ...]:
    low, high = rule.volume_ml
    volume = f"has {shape.volume_ml:.0f} mL; {low:.0f} to {high:.0f} are expected"
    length = f"is only {shape.length_mm:.0f} mm long"
    long_enough = (
        shape.length_mm >= rule.shortest_mm and shape.share_of_images >= rule.least_share_of_images
    )
    return (
        _unless(low <= shape.volume_ml <= high, "CANAL_VOLUME", volume, shape.volume_ml),
        _unless(long_enough, "CANAL_SHORT", length, shape.length_mm),
    )


def _form_problems(shape: CanalShape, rule: CanalRule) -> tuple[QualityNote | None, ...]:
    low, high = rule.section_mm2
    share, filled, section = shape.largest_share, shape.filled, shape.section_mm2
    straight = shape.straightness
    parts = f"lies in parts; the largest has {share:.0%} of it"
    broken = f"shows in {filled:.0%} of the slices between its ends"
    thick = f"has a section of {section:.0f} mm²; {low:.0f} to {high:.0f} are expected"
    crooked = f"is crooked: {straight:.2f} times as long along the body as its own line"
    return (
        _unless(share >= rule.least_largest_share, "CANAL_PARTS", parts, share),
        _unless(filled >= rule.least_filled, "CANAL_BROKEN", broken, filled),
        _unless(low <= section <= high, "CANAL_SECTION", thick, section),
        _unless(straight >= rule.least_straightness, "CANAL_CROOKED", crooked, straight),
    )


def _unless(fine: bool, code: str, finding: str, measured: float) -> QualityNote | None:
    if fine:
        return None
    return QualityNote(code, "warning", f"The spinal canal found {finding}.", measured)


def _largest_part(canal: NDArray[np.bool_], geometry: Geometry) -> tuple[NDArray[np.bool_], float]:
    """Return the largest part and its share of the voxels."""
    joined = grown(canal, geometry, JOIN_MM / 2)
    parts: NDArray[Any] = cc3d.connected_components(np.ascontiguousarray(joined), connectivity=26)
    n_voxels = np.bincount(parts[canal])
    n_voxels[0] = 0
    largest: NDArray[np.bool_] = canal & (parts == int(n_voxels.argmax()))
    return largest, float(n_voxels.max() / n_voxels.sum())


def _straightness(part: NDArray[np.bool_], slices: NDArray[np.intp], geometry: Geometry) -> float:
    index = np.argwhere(part)
    per_step = max(1, round(_STEP_MM / geometry.spacing_mm[0]))
    step = (index[:, 0] - slices[0]) // per_step
    n_voxels = np.bincount(step)
    centres = np.stack([np.bincount(step, weights=index[:, axis]) for axis in range(3)], axis=1)
    line = geometry.to_patient_mm(centres[n_voxels > 0] / n_voxels[n_voxels > 0, np.newaxis])
    own_mm = float(np.linalg.norm(np.diff(line, axis=0), axis=1).sum())
    along = geometry.affine[:3, 0] / geometry.spacing_mm[0]
    return abs(float((line[-1] - line[0]) @ along)) / own_mm if own_mm > 0 else 0.0
