"""Every lesion of a run for the console, in the order that the reader asks for; and those gone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from report.changes import change_cell
from report.lesion_choice import ListedLesion, since_words, tracks_by_lesion
from report.rounding import present
from report.shown import lesion_rows
from report.tables import title_of

if TYPE_CHECKING:
    from collections.abc import Mapping

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
    lesions.sort(key=lambda one: _place(order, *one))
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


def _place(
    order: LesionOrder, lesion: Mapping[str, Any], track: LesionTrack | None
) -> tuple[float, str]:
    """Return by what a lesion is sorted; equal ones stand by their names."""
    name = str(lesion["name"])
    match order:
        case LesionOrder.NAME:
            return (0.0, name)
        case LesionOrder.REGION:
            return (0.0, f"{title_of(lesion['region'])} {name}")
        case LesionOrder.VOLUME:
            return (-lesion["volume_ml"], name)
        case LesionOrder.ADC:
            return (-((lesion["adc_um2_s"] or {}).get("median") or -1.0), name)
        case LesionOrder.CHANGE:
            return (-_growth(track), name)


def _growth(track: LesionTrack | None) -> float:
    """Return the change in %: a new lesion has grown most, what was not followed comes last."""
    if track is None:
        return -math.inf
    if track.state == "new":
        return math.inf
    percent = track.volume.percent
    return -math.inf if percent is None else percent


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
