"""Every lesion of a run for the console, in the order that the reader asks for; and those gone."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from report.changes import change_cell
from report.lesion_choice import ListedLesion, since_words, tracks_by_lesion
from report.rounding import present
from report.shown import lesion_rows
from report.tables import title_of

if TYPE_CHECKING:
    from imaging.response import Comparison, LesionTrack
    from report.shown import Document


class LesionOrder(StrEnum):
    """By what the list is sorted; the string stands in the address of the page."""

    NAME = "name"
    REGION = "region"
    VOLUME = "volume"
    ADC = "adc"
    CHANGE = "change"


@dataclass(frozen=True)
class FollowedLesion:
    """One lesion of this study, with a word that a reader looks for first."""

    listed: ListedLesion
    mark: str
    """ "new", "grown", "shrunk", or empty."""
    adc_since: str


@dataclass(frozen=True)
class GoneLesion:
    """A lesion of the earlier study that is not in this one."""

    name: str
    region: str
    volume_before_ml: str
    what: str


def followed_lesions(
    document: Document, comparison: Comparison | None, order: LesionOrder
) -> tuple[FollowedLesion, ...]:
    """Return all lesions of the burden; sorted by volume, ADC or change the largest is first."""
    tracks = tracks_by_lesion(comparison)
    lesions = [(lesion, tracks.get(lesion["name"])) for lesion in document["lesions"]]
    keys = {
        LesionOrder.NAME: lambda one: one[0]["name"],
        LesionOrder.REGION: lambda one: (title_of(one[0]["region"]), one[0]["name"]),
        LesionOrder.VOLUME: lambda one: -one[0]["volume_ml"],
        LesionOrder.ADC: lambda one: -((one[0]["adc_um2_s"] or {}).get("median") or -1.0),
        LesionOrder.CHANGE: lambda one: _change_key(one[1]),
    }
    lesions.sort(key=keys[order])
    rows = lesion_rows([lesion for lesion, _ in lesions])
    return tuple(
        FollowedLesion(ListedLesion(row, since_words(track)), _mark(track), _adc_since(track))
        for row, (_, track) in zip(rows, lesions, strict=True)
    )


def gone_lesions(comparison: Comparison | None) -> tuple[GoneLesion, ...]:
    """Return what the earlier study had and this one does not show or does not cover."""
    words = {"resolved": "no longer seen", "not_covered_now": "not covered now"}
    prior = comparison.headline if comparison else None
    return tuple(
        GoneLesion(
            track.tracking_id,
            title_of(track.region),
            present(track.volume.before, 2),
            words[track.state],
        )
        for track in (prior.tracks if prior else ())
        if track.state in words
    )


def _change_key(track: LesionTrack | None) -> tuple[int, float]:
    """Sort new ones first, then by growth; what was not followed comes last."""
    if track is None:
        return (2, 0.0)
    if track.state == "new":
        return (0, -(track.volume.after or 0.0))
    percent = track.volume.percent
    return (2, 0.0) if percent is None else (1, -percent)


def _mark(track: LesionTrack | None) -> str:
    if track is None:
        return ""
    if track.state == "new":
        return "new"
    return {"up": "grown", "down": "shrunk"}.get(track.volume.call, "")


def _adc_since(track: LesionTrack | None) -> str:
    if track is None or track.adc.percent is None:
        return ""
    return change_cell(track.adc)
