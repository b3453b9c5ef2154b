"""How much of each bone region the images show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from imaging.anatomy import BONES, BY_NAME, STRUCTURES
from imaging.quality import QualityNote

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from imaging.geometry import Geometry

SEEN_ML = 1.0
"""A region with less volume than this is not in the images; a few voxels are a model's error."""

TYPICAL_HEIGHT_MM: dict[str, float] = {
    "skull": 180.0,
    "cervical_spine": 110.0,
    "thoracic_spine": 270.0,
    "lumbar_spine": 180.0,
    "sacrum": 100.0,
    "pelvis": 200.0,
    "ribs": 300.0,
    "sternum": 160.0,
    "clavicles": 40.0,
    "scapulae": 150.0,
    "humerus_left": 250.0,
    "humerus_right": 250.0,
    "femur_left": 200.0,
    "femur_right": 200.0,
}
"""Height along z of an adult's region as vertex-to-mid-thigh images show it: round figures of
ours, used only to judge a region that the end of the images cuts."""


def region_coverage(labels: NDArray[np.uint8], geometry: Geometry) -> dict[str, float | None]:
    """Return for each bone the share that the images show: None where it is not in them.

    A region that does not reach the first or last slice is complete (1.0). One that does is cut
    there; its share is its height over the typical height, at most 1.0. This is an estimate.
    """
    n_voxels = np.stack([np.bincount(s.reshape(-1), minlength=len(STRUCTURES)) for s in labels])
    volumes_ml = n_voxels.sum(axis=0) * geometry.voxel_volume_ml
    height_mm = abs(float(geometry.affine[2, 0]))
    shares: dict[str, float | None] = {}
    for bone in BONES:
        if volumes_ml[bone.label] < SEEN_ML:
            shares[bone.name] = None
            continue
        present = np.flatnonzero(n_voxels[:, bone.label])
        first, last = int(present[0]), int(present[-1])
        cut = first == 0 or last == len(n_voxels) - 1
        typical = TYPICAL_HEIGHT_MM[bone.name]
        shares[bone.name] = min(1.0, (last - first + 1) * height_mm / typical) if cut else 1.0
    return shares


LEAST_SHARE = 0.8
"""A region with less of it in the images is cut; bodies differ from the typical height by more
than a tenth."""
LEAST_LIMB_SHARE = 0.5
"""Scans end at the middle of the thigh and often of the upper arm (A1)."""
_LIMBS = frozenset({"humerus_left", "humerus_right", "femur_left", "femur_right"})


@dataclass(frozen=True)
class BodyCoverage:
    """Whether the images show the body from vertex to mid-thigh, and which regions they do not.

    `missing` are not in the images at all, `cut` only in part; names of bones. What is missing
    has no disease volume: not 0, unknown.
    """

    missing: tuple[str, ...] = ()
    cut: tuple[str, ...] = ()

    @property
    def status(self) -> Literal["complete", "partial"]:
        """`partial` where any region is missing or cut."""
        return "partial" if self.missing or self.cut else "complete"


def body_coverage(shares: Mapping[str, float | None]) -> BodyCoverage:
    """Judge the shares that `region_coverage` returns."""
    missing = tuple(name for name, share in shares.items() if share is None)
    cut = tuple(
        name
        for name, share in shares.items()
        if share is not None and share < (LEAST_LIMB_SHARE if name in _LIMBS else LEAST_SHARE)
    )
    return BodyCoverage(missing, cut)


def coverage_words(coverage: BodyCoverage) -> str:
    """Name the regions for people: "not covered: Skull; cut: Sternum"; empty where complete."""
    return "; ".join(
        f"{words}: {', '.join(BY_NAME[name].title for name in names)}"
        for words, names in (("not covered", coverage.missing), ("cut", coverage.cut))
        if names
    )


def coverage_note(coverage: BodyCoverage) -> QualityNote | None:
    """Return `PARTIAL_COVERAGE` that names the regions; `measured` is how many they are."""
    if coverage.status == "complete":
        return None
    text = (
        f"The body is covered in part ({coverage_words(coverage)}). The numbers are those of what "
        "was seen, and do not compare with a whole body's."
    )
    return QualityNote(
        "PARTIAL_COVERAGE", "warning", text, float(len(coverage.missing) + len(coverage.cut))
    )
