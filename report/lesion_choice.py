"""Which lesions a page lists: the largest, and all that are new since the earlier study."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from report.changes import change_cell
from report.shown import lesion_rows

if TYPE_CHECKING:
    from imaging.response import Comparison, LesionTrack
    from report.shown import Document, LesionRow

LARGEST = 5
MOST = 10
"""Of all that are listed: a page has one side."""
_STATES = {
    "new": "new",
    "merged": "merged",
    "split": "split",
    "not_covered_before": "not covered before",
}


@dataclass(frozen=True)
class ListedLesion:
    """One lesion with what became of it; `since` is empty where there is no earlier study."""

    row: LesionRow
    since: str


@dataclass(frozen=True)
class LesionList:
    """The lesions that are shown, and in words how many are not."""

    lesions: tuple[ListedLesion, ...]
    rest: str


def choose_lesions(document: Document, comparison: Comparison | None = None) -> LesionList:
    """Choose the five largest and the new ones, ten at most, in the document's order."""
    rows = lesion_rows(document["lesions"])
    tracks = tracks_by_lesion(comparison)
    largest = sorted(document["lesions"], key=lambda one: -one["volume_ml"])[:LARGEST]
    kept = {lesion["name"] for lesion in largest}
    new = [row.name for row in rows if _is_new(tracks.get(row.name)) and row.name not in kept]
    kept |= set(new[: MOST - len(kept)])
    listed = [
        ListedLesion(row, since_words(tracks.get(row.name))) for row in rows if row.name in kept
    ]
    return LesionList(tuple(listed), _rest(len(rows) - len(listed), new[MOST - LARGEST :]))


def tracks_by_lesion(comparison: Comparison | None) -> dict[str, LesionTrack]:
    """Return what became of each lesion of this study, by its name."""
    prior = comparison.headline if comparison else None
    return {name: track for track in (prior.tracks if prior else ()) for name in track.current}


def _is_new(track: LesionTrack | None) -> bool:
    return track is not None and track.state == "new"


def since_words(track: LesionTrack | None) -> str:
    """Say in a word or a number what became of a lesion; empty where nothing is known."""
    if track is None:
        return ""
    if track.state == "persistent":
        return change_cell(track.volume)
    return _STATES.get(track.state, track.state)


def _rest(n_left: int, new_left: list[str]) -> str:
    if not n_left:
        return ""
    among = f", {len(new_left)} of them new" if new_left else ""
    return f"{n_left} smaller ones{among} in lesions.csv"
