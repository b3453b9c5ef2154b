"""How right tracks of measured lesions are, beside what is true of a synthetic person.

A true link (a lesion through both visits, or what merged, split, came or went) is right if exactly
one measured track touches it, that track touches no other true link, and it is there at a visit
if and only if the truth is. A true link that no measured lesion touches is missed: that is the
finding of disease, not the following of lesions.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from phantom.follow_up_truth import TrueLink

TOUCHES = 0.1
"""Share of a true part, or of the measured lesion, that both must hold in common."""


@dataclass(frozen=True)
class MeasuredLink:
    """Numbers of lesions that a comparison says are one, in each visit's lesion map."""

    state: str
    before: tuple[int, ...]
    after: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class SeenVisit:
    """True parts and measured lesions of one visit, on one grid."""

    parts: NDArray[np.uint16] = field(repr=False)
    lesions: NDArray[np.uint16] = field(repr=False)

    def touched(self) -> dict[int, frozenset[int]]:
        """Return the true parts that each measured lesion touches."""
        sizes = np.bincount(self.parts.reshape(-1))
        found = np.bincount(self.lesions.reshape(-1))
        both = (self.parts > 0) & (self.lesions > 0)
        pairs, counts = np.unique(
            np.stack([self.lesions[both], self.parts[both]]), axis=1, return_counts=True
        )
        touched: dict[int, frozenset[int]] = {}
        for (lesion, part), n in zip(pairs.T.tolist(), counts.tolist(), strict=True):
            if n >= TOUCHES * min(int(sizes[part]), int(found[lesion])):
                touched[lesion] = touched.get(lesion, frozenset()) | {part}
        return touched


@dataclass(frozen=True)
class TrackScore:
    """Counts of true links, and of measured tracks that touch none of them."""

    right: int = 0
    wrong: int = 0
    missed: int = 0
    false: int = 0

    @property
    def share_right(self) -> float | None:
        """Of the true links that were found at all; None where none was."""
        found = self.right + self.wrong
        return self.right / found if found else None

    def __add__(self, other: TrackScore) -> TrackScore:
        """Add the counts of another pair."""
        return TrackScore(
            self.right + other.right,
            self.wrong + other.wrong,
            self.missed + other.missed,
            self.false + other.false,
        )


def score_tracks(
    truth: Sequence[TrueLink],
    measured: Sequence[MeasuredLink],
    before: SeenVisit,
    after: SeenVisit,
) -> TrackScore:
    """Count the true links by how the measured tracks hold them."""
    touched = before.touched(), after.touched()
    held = [(_parts(touched[0], link.before), _parts(touched[1], link.after)) for link in measured]
    right = wrong = missed = 0
    for link in truth:
        holders = [h for h in held if _touches(h, link)]
        if not holders:
            missed += 1
        elif len(holders) == 1 and _is_right(holders[0], link, truth):
            right += 1
        else:
            wrong += 1
    return TrackScore(right, wrong, missed, sum(not any(h) for h in held))


def _parts(touched: dict[int, frozenset[int]], lesions: Iterable[int]) -> frozenset[int]:
    return frozenset().union(*(touched.get(k, frozenset()) for k in lesions))


def _touches(held: tuple[frozenset[int], frozenset[int]], link: TrueLink) -> bool:
    return bool(held[0] & set(link.before) or held[1] & set(link.after))


def _is_right(
    held: tuple[frozenset[int], frozenset[int]], link: TrueLink, truth: Sequence[TrueLink]
) -> bool:
    alone = sum(_touches(held, other) for other in truth) == 1
    there = bool(held[0]) == bool(link.before) and bool(held[1]) == bool(link.after)
    return alone and there
