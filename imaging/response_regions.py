"""Region by region: what changed where both studies show the bone.

A region that one study does not show, or shows another share of, is not compared: not covered is
not zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from imaging.anatomy import BONES, BY_NAME
from imaging.bone_groups import MET_RADS
from imaging.lesion_regions import locate
from imaging.region_measurements import WHOLE_SKELETON
from imaging.response import Change, LesionCounts, RegionChange
from imaging.response_changes import adc_change, marks, unknown, volume_change

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from imaging.lesion_regions import LesionVoxels
    from imaging.measured_study import MeasuredStudy, RegionFigures, StudyImages
    from imaging.response_limits import ResponseLimits

SAME_SHARE = 0.2
"""A region is compared where both studies show it alike, to this share of it (Osteon's choice:
the height of a cut region is only estimated)."""
_MEMBERS = {group.name: [b.name for b in group.members] for group in (*MET_RADS, WHOLE_SKELETON)}
_MEMBERS |= {bone.name: [bone.name] for bone in BONES}


@dataclass(frozen=True, eq=False)
class DiseaseVoxels:
    """The disease of one study by voxel and region."""

    located: LesionVoxels
    signal: NDArray[np.float32]
    signal_unit: str

    @classmethod
    def of(cls, images: StudyImages) -> DiseaseVoxels:
        """Count a voxel for its bone, or for its lesion's where it lies outside every bone."""
        found, _ = locate(images.adc_um2_s, images.labels, images.lesion_labels, images.geometry)
        return cls(found, images.signal[tuple(found.index.T)], images.signal_unit)

    def adc_median(self, names: Sequence[str]) -> float | None:
        """Return the median ADC in these regions, µm²/s; None where there is no disease."""
        return _median(self.located.adc_um2_s[self._within(names)])

    def signal_median(self, names: Sequence[str]) -> float | None:
        """Return the median normalised signal in these regions; None where there is none."""
        return _median(self.signal[self._within(names)]) if self.signal_unit else None

    def _within(self, names: Sequence[str]) -> NDArray[np.bool_]:
        return np.isin(self.located.region, [BY_NAME[name].label for name in names])


@dataclass(frozen=True, eq=False)
class RegionPair:
    """Two studies whose regions are compared."""

    before: MeasuredStudy
    after: MeasuredStudy
    voxels: tuple[DiseaseVoxels | None, DiseaseVoxels | None]
    same_scanner: bool
    limits: ResponseLimits

    @cached_property
    def reasons(self) -> dict[str, str]:
        """Why a bone is not compared, by name; bones that are compared are not in it."""
        earlier = {region.name: region for region in self.before.regions}
        found = {
            now.name: _reason(earlier.get(now.name), now)
            for now in self.after.regions
            if now.name in BY_NAME
        }
        return {name: why for name, why in found.items() if why}

    @cached_property
    def left_out(self) -> tuple[str, ...]:
        """Bones that only one study shows in full: totals compare the others."""
        unseen = {r.name for r in self.before.regions if r.coverage is None}
        unseen &= {r.name for r in self.after.regions if r.coverage is None}
        return tuple(name for name in self.reasons if name not in unseen)

    def totals(self) -> tuple[Change, Change]:
        """Return the changes of TDV and of gADC over what both studies show."""
        return self._volume_of_all(), self._adc_of_all()

    def rows(
        self,
        which: Callable[[MeasuredStudy], tuple[RegionFigures, ...]],
        counts: dict[str, LesionCounts] | None,
    ) -> tuple[RegionChange, ...]:
        """Return the rows of the region table or of MET-RADS-P; `counts` by name of bone."""
        earlier = {region.name: region for region in which(self.before)}
        return tuple(self._row(earlier.get(now.name), now, counts) for now in which(self.after))

    def _row(
        self,
        before: RegionFigures | None,
        now: RegionFigures,
        counts: dict[str, LesionCounts] | None,
    ) -> RegionChange:
        members = _MEMBERS[now.name]
        why = self._why_not(members)
        lesions = None if counts is None else total([counts[m] for m in members if m in counts])
        if before is None or why:
            nothing = unknown(why or "not measured in the earlier study")
            return RegionChange(
                now.name, now.title, False, nothing.why, nothing, nothing, nothing, (), lesions
            )
        volumes = (before.volume_ml, now.volume_ml)
        limits = self.limits
        adc = self._adc(before.adc_um2_s, now.adc_um2_s, volumes)
        volume = volume_change(*volumes, limits.tdv, limits.smallest_ml)
        signal = self._signal(members)
        return RegionChange(
            now.name, now.title, True, "", volume, adc, signal, marks(adc, limits), lesions
        )

    def _why_not(self, members: Sequence[str]) -> str:
        """Ask of a group for every member that either study shows, and for at least one."""
        reasons = self.reasons
        either = [reasons[m] for m in members if m in self.left_out]
        if either or not all(m in reasons for m in members):
            return next(iter(either), "")
        return reasons[members[0]]

    def _adc(self, before: float | None, now: float | None, volumes: tuple[float, float]) -> Change:
        limit = self.limits.gadc(same_scanner=self.same_scanner)
        return adc_change(before, now, limit, volumes, self.limits.smallest_ml)

    def _signal(self, members: Sequence[str]) -> Change:
        before, now = self.voxels
        if before is None or now is None:
            return unknown("images are not kept")
        if not before.signal_unit or before.signal_unit != now.signal_unit:
            return unknown("the signals of the studies have no common unit")
        return Change(
            before.signal_median(members), now.signal_median(members), why="there is no limit"
        )

    def _compared(self) -> list[str]:
        return [bone.name for bone in BONES if bone.name not in self.reasons]

    def _volume_of_all(self) -> Change:
        before, now = self.before.point.tdv_ml, self.after.point.tdv_ml
        if self.left_out:
            before, now = (_volume(study, self._compared()) for study in (self.before, self.after))
        return volume_change(before, now, self.limits.tdv, self.limits.smallest_ml)

    def _adc_of_all(self) -> Change:
        points = (self.before.point, self.after.point)
        if not self.left_out:
            volumes = (points[0].tdv_ml, points[1].tdv_ml)
            return self._adc(points[0].gadc_um2_s, points[1].gadc_um2_s, volumes)
        first, second = self.voxels
        if first is None or second is None:
            return unknown("the studies do not show the same, and images are not kept")
        names = self._compared()
        volumes = (_volume(self.before, names), _volume(self.after, names))
        return self._adc(first.adc_median(names), second.adc_median(names), volumes)


def total(counts: Sequence[LesionCounts]) -> LesionCounts:
    """Add counts up."""
    names = LesionCounts.__dataclass_fields__
    return LesionCounts(**{name: sum(getattr(c, name) for c in counts) for name in names})


def _reason(before: RegionFigures | None, now: RegionFigures) -> str:
    if before is None or before.coverage is None:
        return "not in the images of the earlier study"
    if now.coverage is None:
        return "not in the images of this study"
    if abs(before.coverage - now.coverage) > SAME_SHARE:
        return f"shown to {before.coverage:.0%} in the earlier study and {now.coverage:.0%} in this"
    return ""


def _volume(study: MeasuredStudy, names: Sequence[str]) -> float:
    return sum(region.volume_ml for region in study.regions if region.name in names)


def _median(values: NDArray[np.float32]) -> float | None:
    valid = values[np.isfinite(values)]
    return float(np.median(valid)) if valid.size else None
