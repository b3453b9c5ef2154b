"""The comparison with earlier studies as it stands in `measurements.json`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from report import rounding
from report.rounding import rounded

if TYPE_CHECKING:
    from imaging.quality import QualityNote
    from imaging.response import (
        Change,
        Comparison,
        LesionTrack,
        PriorComparison,
        RegionChange,
        RegistrationQuality,
        TimePoint,
    )


def priors_of(comparison: Comparison | None) -> list[dict[str, object]]:
    """Return one entry for each earlier study that was compared; none where there was none."""
    if comparison is None:
        return []
    headline = comparison.headline
    return [_prior(one, headline=one is headline) for one in comparison.against]


def trend_of(comparison: Comparison | None) -> list[dict[str, object]]:
    """Return the studies in time, this one last; none where no earlier one is known."""
    points = comparison.trend if comparison and len(comparison.trend) > 1 else ()
    return [_point(point) for point in points]


def note_of(note: QualityNote) -> dict[str, object]:
    """Return one quality note."""
    return {
        "code": note.code,
        "severity": note.severity,
        "text": note.text,
        "measured": rounded(note.measured, rounding.SHAPE),
    }


def _prior(one: PriorComparison, *, headline: bool) -> dict[str, object]:
    return {
        "study_uid": one.prior.study_uid,
        "date": one.prior.date or None,
        "totals": _point(one.prior),
        "roles": list(one.roles),
        "headline": headline,
        "interval_days": one.interval_days,
        "same_scanner": one.same_scanner,
        "delta": {
            "tdv_ml": _change(one.tdv, rounding.VOLUME_ML),
            "gadc_um2_s": _change(one.gadc, rounding.ADC_UM2_S),
        },
        "left_out": list(one.left_out),
        "regions": [_region(region) for region in one.regions],
        "met_rads": [_region(region) for region in one.met_rads],
        "lesions": None if one.lesions is None else asdict(one.lesions),
        "tracks": [_track(track) for track in one.tracks],
        "registration": _registration(one.registration),
        "notes": [note_of(note) for note in one.notes],
    }


def _point(point: TimePoint) -> dict[str, object]:
    return {
        "study_uid": point.study_uid,
        "run_id": point.run_id,
        "date": point.date or None,
        "scanner": point.scanner,
        "coverage_status": point.coverage_status,
        "tdv_ml": rounded(point.tdv_ml, rounding.VOLUME_ML),
        "gadc_um2_s": rounded(point.gadc_um2_s, rounding.ADC_UM2_S),
        "n_lesions": point.n_lesions,
        "classes_ml": [rounded(volume, rounding.VOLUME_ML) for volume in point.classes_ml],
    }


def _region(region: RegionChange) -> dict[str, object]:
    return {
        "name": region.name,
        "title": region.title,
        "compared": region.compared,
        "why": region.why,
        "volume_ml": _change(region.volume, rounding.VOLUME_ML),
        "adc_um2_s": _change(region.adc, rounding.ADC_UM2_S),
        "high_b": _change(region.high_b, rounding.SHAPE),
        "marks": [asdict(mark) for mark in region.marks],
        "lesions": None if region.lesions is None else asdict(region.lesions),
    }


def _track(track: LesionTrack) -> dict[str, object]:
    return {
        "state": track.state,
        "tracking_id": track.tracking_id,
        "tracking_uid": track.tracking_uid,
        "region": track.region,
        "current": list(track.current),
        "prior": list(track.prior),
        "volume_ml": _change(track.volume, rounding.VOLUME_ML),
        "adc_um2_s": _change(track.adc, rounding.ADC_UM2_S),
    }


def _change(change: Change, digits: int) -> dict[str, object]:
    """Return a change; its percentage is that of the values before they were rounded."""
    limit = change.limit
    return {
        "before": rounded(change.before, digits),
        "after": rounded(change.after, digits),
        "percent": rounded(change.percent, rounding.PERCENT),
        "ln_ratio": rounded(change.ln_ratio, rounding.SHAPE),
        "limit": None
        if limit is None
        else {
            "low_percent": rounded(limit.low_percent, rounding.PERCENT),
            "high_percent": rounded(limit.high_percent, rounding.PERCENT),
            "source": limit.source,
        },
        "call": change.call,
        "why": change.why,
    }


def _registration(found: RegistrationQuality | None) -> dict[str, object] | None:
    if found is None:
        return None
    return {
        "skeleton_dice": rounded(found.skeleton_dice, rounding.FRACTION),
        "smallest_dice": rounded(found.smallest_dice, rounding.FRACTION),
        "moved_mm": rounded(found.moved_mm, rounding.LENGTH_MM),
        "accepted": found.accepted,
    }
