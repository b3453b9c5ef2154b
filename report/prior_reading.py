"""The comparison of a `measurements.json` as values again, for pages made long after the run."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from imaging.quality import QualityNote
from imaging.response import (
    Change,
    Comparison,
    LesionCounts,
    LesionTrack,
    Mark,
    PriorComparison,
    RegionChange,
    RegistrationQuality,
    TimePoint,
)
from imaging.response_limits import Limit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from imaging.response import Role

    Part = Mapping[str, Any]


@dataclass(frozen=True)
class WrittenChange(Change):
    """A change as it was written: its percentage is that of the values before rounding."""

    written_percent: float | None = None

    @property
    def percent(self) -> float | None:
        """As it was written; None where it is not known."""
        return self.written_percent


def comparison_of(document: Part) -> Comparison | None:
    """Return what `report.prior_documents` wrote, rounded as it was; None where there is none.

    The histogram of an earlier study is in its own document and not in this one
    (`with_prior_histogram`). Documents before 2.4 hold nothing.
    """
    trend = tuple(_point(point) for point in document.get("trend") or ())
    if not trend:
        return None
    priors = document["priors"]
    chosen: Role = next((p["roles"][0] for p in priors if p["headline"]), "previous")
    return Comparison(trend, tuple(_prior(prior) for prior in priors), chosen)


def with_prior_histogram(
    comparison: Comparison | None, volumes_ml: Sequence[float]
) -> Comparison | None:
    """Add the histogram of the earlier study that the headline numbers are against."""
    headline = comparison.headline if comparison else None
    if comparison is None or headline is None:
        return comparison
    prior = dataclasses.replace(headline.prior, adc_histogram_ml=tuple(volumes_ml))
    with_it = dataclasses.replace(headline, prior=prior)
    against = tuple(with_it if one is headline else one for one in comparison.against)
    return dataclasses.replace(comparison, against=against)


def _prior(prior: Part) -> PriorComparison:
    delta, found = prior["delta"], prior["registration"]
    return PriorComparison(
        prior=_point(prior["totals"]),
        roles=tuple(prior["roles"]),
        interval_days=prior["interval_days"],
        same_scanner=prior["same_scanner"],
        tdv=_change(delta["tdv_ml"]),
        gadc=_change(delta["gadc_um2_s"]),
        left_out=tuple(prior["left_out"]),
        regions=tuple(_region(region) for region in prior["regions"]),
        met_rads=tuple(_region(region) for region in prior["met_rads"]),
        tracks=tuple(_track(track) for track in prior["tracks"]),
        lesions=_counts(prior["lesions"]),
        registration=None if found is None else RegistrationQuality(**found),
        notes=tuple(QualityNote(**note) for note in prior["notes"]),
    )


def _point(point: Part) -> TimePoint:
    low, middle, high = point["classes_ml"]
    fields = {**point, "date": point["date"] or "", "classes_ml": (low, middle, high)}
    return TimePoint(**fields)


def _region(region: Part) -> RegionChange:
    return RegionChange(
        name=region["name"],
        title=region["title"],
        compared=region["compared"],
        why=region["why"],
        volume=_change(region["volume_ml"]),
        adc=_change(region["adc_um2_s"]),
        high_b=_change(region["high_b"]),
        marks=tuple(Mark(**mark) for mark in region["marks"]),
        lesions=_counts(region["lesions"]),
    )


def _track(track: Part) -> LesionTrack:
    return LesionTrack(
        state=track["state"],
        tracking_id=track["tracking_id"],
        tracking_uid=track["tracking_uid"],
        region=track["region"],
        current=tuple(track["current"]),
        prior=tuple(track["prior"]),
        volume=_change(track["volume_ml"]),
        adc=_change(track["adc_um2_s"]),
    )


def _change(change: Part) -> Change:
    limit = change["limit"]
    return WrittenChange(
        change["before"],
        change["after"],
        None if limit is None else Limit(**limit),
        change["call"],
        change["why"],
        change["percent"],
    )


def _counts(counts: Part | None) -> LesionCounts | None:
    return None if counts is None else LesionCounts(**counts)
