"""The numbers of each bone region, of the MET-RADS groups, and of the whole skeleton."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from imaging.adc_statistics import AdcStatistics, ClassVolumes, adc_statistics, class_volumes
from imaging.anatomy import BONES, STRUCTURES
from imaging.bone_groups import MET_RADS, BoneGroup

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from imaging.lesion_regions import LesionVoxels

WHOLE_SKELETON = BoneGroup("whole_skeleton", "Whole skeleton", BONES)
_SINGLE = tuple(BoneGroup(b.name, b.title, (b,)) for b in BONES)


@dataclass(frozen=True)
class RegionMeasurement:
    """One row of the region table; `coverage` is 0..1, None where the region is not covered.

    `n_lesions` counts the lesions that have most of their bone voxels here; the disease volume
    counts the voxels that lie here, whichever lesion they belong to.
    """

    name: str
    title: str
    coverage: float | None
    bone_volume_ml: float
    disease_volume_ml: float
    n_lesions: int
    adc: AdcStatistics | None
    classes: ClassVolumes

    @property
    def seen(self) -> bool:
        """Whether the numbers are findings; of a region that is not covered nothing is known."""
        return self.coverage is not None or self.disease_volume_ml > 0


@dataclass(frozen=True, eq=False)
class Regions:
    """What the rows are counted from."""

    labels: NDArray[np.uint8] = field(repr=False)
    voxels: LesionVoxels = field(repr=False)
    lesion_regions: Mapping[int, int]
    """By lesion, the label of its region."""
    coverage: Mapping[str, float | None]
    voxel_volume_ml: float
    thresholds_um2_s: tuple[float, float]

    def rows(self) -> tuple[RegionMeasurement, ...]:
        """One row a bone region, and the whole skeleton last."""
        return self._measured((*_SINGLE, WHOLE_SKELETON))

    def met_rads_rows(self) -> tuple[RegionMeasurement, ...]:
        """One row a bone region of MET-RADS-P; together they are the whole skeleton too."""
        return self._measured(MET_RADS)

    def _measured(self, groups: tuple[BoneGroup, ...]) -> tuple[RegionMeasurement, ...]:
        n_voxels = np.bincount(self.labels.reshape(-1), minlength=len(STRUCTURES))
        return tuple(self._row(group, n_voxels * self.voxel_volume_ml) for group in groups)

    def _row(self, group: BoneGroup, bone_ml: NDArray[np.floating[Any]]) -> RegionMeasurement:
        members = [bone.label for bone in group.members]
        here = np.isin(self.voxels.region, members)
        adc = self.voxels.adc_um2_s[here]
        return RegionMeasurement(
            name=group.name,
            title=group.title,
            coverage=self._share(group),
            bone_volume_ml=float(bone_ml[members].sum()),
            disease_volume_ml=int(here.sum()) * self.voxel_volume_ml,
            n_lesions=sum(region in members for region in self.lesion_regions.values()),
            adc=adc_statistics(adc),
            classes=class_volumes(adc, self.thresholds_um2_s, self.voxel_volume_ml),
        )

    def _share(self, group: BoneGroup) -> float | None:
        """Mean over the members, those that are not covered as 0; None where none is covered."""
        shares: list[Any] = [self.coverage[bone.name] for bone in group.members]
        if all(share is None for share in shares):
            return None
        return sum(share or 0.0 for share in shares) / len(shares)
