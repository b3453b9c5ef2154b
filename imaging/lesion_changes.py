"""What became of each lesion in numbers, and how many became what in each region."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from imaging.response import Change, LesionCounts, LesionTrack
from imaging.response_changes import adc_change, volume_change

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from imaging.lesion_identities import Identity
    from imaging.lesion_tracks import Link
    from imaging.measured_study import KnownLesion, MeasuredStudy
    from imaging.response_limits import ResponseLimits
    from imaging.response_regions import DiseaseVoxels

_ONE_SIDED = {
    "new": "not there in the earlier study",
    "resolved": "not there any more",
    "not_covered_before": "not in the images of the earlier study",
    "not_covered_now": "not in the images of this study",
}


@dataclass(frozen=True, eq=False)
class LesionPair:
    """Two studies whose lesions were linked: this one's identities, and both studies' voxels."""

    before: MeasuredStudy
    after: MeasuredStudy
    identities: Mapping[int, Identity]
    voxels: tuple[DiseaseVoxels, DiseaseVoxels]
    limits: ResponseLimits

    def track(self, link: Link) -> LesionTrack:
        """Return a link with its changes, under the name that it has now, or had."""
        earlier = _chosen(self.before, link.earlier)
        current = _chosen(self.after, link.now)
        if current:
            first = current[0]
            known = self.identities[first.label]
            tracking_id, uid, region = known.name, known.tracking_uid, first.region
        else:
            first = earlier[0]
            tracking_id, uid, region = first.name, first.tracking_uid, first.region
        volume, adc = self._changes(link, earlier, current)
        return LesionTrack(
            state=link.state,
            tracking_id=tracking_id,
            tracking_uid=uid,
            region=region,
            current=tuple(self.identities[lesion.label].name for lesion in current),
            prior=tuple(lesion.name for lesion in earlier),
            volume=volume,
            adc=adc,
        )

    def _changes(
        self, link: Link, earlier: Sequence[KnownLesion], current: Sequence[KnownLesion]
    ) -> tuple[Change, Change]:
        before, after = (sum(lesion.volume_ml for lesion in side) for side in (earlier, current))
        adc_before, adc_after = (
            _adc(voxels, labels)
            for voxels, labels in zip(self.voxels, (link.earlier, link.now), strict=True)
        )
        if link.state in _ONE_SIDED:
            why = _ONE_SIDED[link.state]
            shown = None if link.state.startswith("not_covered") else 0.0
            volumes = (before if earlier else shown, after if current else shown)
            return Change(*volumes, why=why), Change(adc_before, adc_after, why=why)
        limits, smallest_ml = self.limits, self.limits.smallest_ml
        return (
            volume_change(before, after, limits.lesion_volume, smallest_ml),
            adc_change(adc_before, adc_after, limits.lesion_adc, (before, after), smallest_ml),
        )


def count(tracks: Sequence[LesionTrack]) -> LesionCounts:
    """Count tracks by what became of them."""
    states = [track.state for track in tracks]
    both = [track for track in tracks if track.current and track.prior]
    judged = [track for track in both if track.volume.call != "not_called"]
    return LesionCounts(
        persistent=states.count("persistent"),
        new=states.count("new"),
        resolved=states.count("resolved"),
        merged=states.count("merged"),
        split=states.count("split"),
        not_covered=states.count("not_covered_before") + states.count("not_covered_now"),
        grown=sum(track.volume.call == "up" for track in both),
        shrunk=sum(track.volume.call == "down" for track in both),
        adc_up=sum(track.adc.call == "up" for track in both),
        adc_down=sum(track.adc.call == "down" for track in both),
        judged=len(judged),
    )


def count_by_region(tracks: Sequence[LesionTrack]) -> dict[str, LesionCounts]:
    """Count the tracks of each bone."""
    regions = {track.region for track in tracks}
    return {name: count([t for t in tracks if t.region == name]) for name in sorted(regions)}


def _chosen(study: MeasuredStudy, labels: Sequence[int]) -> list[KnownLesion]:
    found = [lesion for lesion in study.lesions if lesion.label in labels]
    return sorted(found, key=lambda lesion: (-lesion.volume_ml, lesion.label))


def _adc(voxels: DiseaseVoxels, labels: Sequence[int]) -> float | None:
    values = voxels.located.adc_um2_s[np.isin(voxels.located.lesion, labels)]
    valid = values[np.isfinite(values)]
    return float(np.median(valid)) if valid.size else None
