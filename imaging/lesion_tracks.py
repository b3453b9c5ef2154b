"""Which lesion of one study is which of another: an overlap graph and its parts.

Lesions of the earlier study are carried onto this one. Two lesions are one where their best match
is each other, or a good part of the smaller lies in the other, or, where nothing overlaps at all,
where their middles are near (`clinical_and_console.md` A7).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial.distance import cdist

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imaging.geometry import Geometry
    from imaging.response import TrackState


@dataclass(frozen=True)
class TrackRule:
    """When lesions of two studies are the same; the values are Osteon's choice after A7."""

    overlap: float = 0.1
    """Share of the smaller lesion that lies in the other, from which two are linked if each is
    the other's best match."""
    part_overlap: float = 0.4
    """The same for a further part of a lesion that split or merged: more, because neighbours
    touch where a registration is off by a voxel."""
    near_mm: float = 15.0
    """Without any overlap, middles may be this far apart, and no further than both radii and
    `slack_mm`."""
    slack_mm: float = 5.0
    inside: float = 0.5
    """Share of a lesion that must lie in the other study's images to be new or resolved."""


@dataclass(frozen=True, eq=False)
class Carried:
    """Lesions of both studies on one grid that reaches as far as either study does.

    `now` and `earlier` uint16 (slice, row, column), 0 or the lesion's number in its own study;
    `shown_now` and `shown_earlier` where each study has images.
    """

    geometry: Geometry
    now: NDArray[np.uint16] = field(repr=False)
    earlier: NDArray[np.uint16] = field(repr=False)
    shown_now: NDArray[np.bool_] = field(repr=False)
    shown_earlier: NDArray[np.bool_] = field(repr=False)


@dataclass(frozen=True)
class Link:
    """Lesions of both studies that are one: numbers in each study's lesion map."""

    state: TrackState
    now: tuple[int, ...]
    earlier: tuple[int, ...]


def link_lesions(carried: Carried, rule: TrackRule = TrackRule()) -> tuple[Link, ...]:
    """Return every lesion of both studies in exactly one link, by the number of its first."""
    now, earlier = _sizes(carried.now), _sizes(carried.earlier)
    edges = _overlapping(carried, now, earlier, rule)
    edges |= _near(carried, now, earlier, edges, rule)
    links = [_link(carried, a, b, rule) for a, b in _parts(set(now), set(earlier), edges)]
    return tuple(sorted(links, key=lambda link: (not link.now, link.now, link.earlier)))


def _sizes(labels: NDArray[np.uint16]) -> dict[int, int]:
    counts = np.bincount(labels.reshape(-1))
    return {int(k): int(counts[k]) for k in np.flatnonzero(counts) if k}


def _overlapping(
    carried: Carried, now: dict[int, int], earlier: dict[int, int], rule: TrackRule
) -> set[tuple[int, int]]:
    both = (carried.now > 0) & (carried.earlier > 0)
    pairs, counts = np.unique(
        np.stack([carried.now[both], carried.earlier[both]]), axis=1, return_counts=True
    )
    shares = {
        (int(a), int(b)): float(n) / min(now[int(a)], earlier[int(b)])
        for (a, b), n in zip(pairs.T, counts, strict=True)
    }
    voxels = {(int(a), int(b)): int(n) for (a, b), n in zip(pairs.T, counts, strict=True)}
    best_of_now = _best(voxels, 0)
    best_of_earlier = _best(voxels, 1)
    kept = set()
    for pair, share in shares.items():
        own = best_of_now[pair[0]] == pair, best_of_earlier[pair[1]] == pair
        if (all(own) and share >= rule.overlap) or (any(own) and share >= rule.part_overlap):
            kept.add(pair)
    return kept


def _best(voxels: dict[tuple[int, int], int], side: int) -> dict[int, tuple[int, int]]:
    """Return for each lesion of a side the pair with the most common voxels."""
    found: dict[int, tuple[int, int]] = {}
    for pair, n in sorted(voxels.items()):
        if pair[side] not in found or n > voxels[found[pair[side]]]:
            found[pair[side]] = pair
    return found


def _near(
    carried: Carried,
    now: dict[int, int],
    earlier: dict[int, int],
    edges: set[tuple[int, int]],
    rule: TrackRule,
) -> set[tuple[int, int]]:
    """Link lesions that are still alone and nearest to each other."""
    alone = sorted(set(now) - {a for a, _ in edges})
    others = sorted(set(earlier) - {b for _, b in edges})
    if not alone or not others:
        return set()
    distance = cdist(
        _middles(carried.now, alone, carried.geometry),
        _middles(carried.earlier, others, carried.geometry),
    )
    radii = [
        np.array([_radius_mm(sizes[k], carried.geometry) for k in chosen])
        for sizes, chosen in ((now, alone), (earlier, others))
    ]
    reach = np.minimum(rule.near_mm, radii[0][:, None] + radii[1][None, :] + rule.slack_mm)
    found = set()
    for i, a in enumerate(alone):
        j = int(distance[i].argmin())
        if int(distance[:, j].argmin()) == i and distance[i, j] <= reach[i, j]:
            found.add((a, others[j]))
    return found


def _middles(
    labels: NDArray[np.uint16], chosen: list[int], geometry: Geometry
) -> NDArray[np.float64]:
    index = np.argwhere(labels)
    number = labels[tuple(index.T)]
    return geometry.to_patient_mm([index[number == k].mean(axis=0) for k in chosen])


def _radius_mm(n_voxels: int, geometry: Geometry) -> float:
    """Of a ball of the same volume."""
    return float((750 * n_voxels * geometry.voxel_volume_ml / np.pi) ** (1 / 3))


def _parts(
    now: set[int], earlier: set[int], edges: set[tuple[int, int]]
) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Return the connected parts of the graph: numbers of now, numbers of earlier."""
    parts = []
    left = [(0, a) for a in sorted(now)] + [(1, b) for b in sorted(earlier)]
    waiting = dict.fromkeys(left)
    while waiting:
        reached = [next(iter(waiting))]
        for side, number in reached:
            waiting.pop((side, number), None)
            linked = [(1 - side, e[1 - side]) for e in sorted(edges) if e[side] == number]
            reached += [node for node in linked if node not in reached]
        parts.append(
            (
                tuple(sorted(n for side, n in reached if side == 0)),
                tuple(sorted(n for side, n in reached if side == 1)),
            )
        )
    return parts


def _link(
    carried: Carried, now: tuple[int, ...], earlier: tuple[int, ...], rule: TrackRule
) -> Link:
    return Link(_state(carried, now, earlier, rule), now, earlier)


def _state(
    carried: Carried, now: tuple[int, ...], earlier: tuple[int, ...], rule: TrackRule
) -> TrackState:
    if not earlier:
        seen = _share(carried.shown_earlier, carried.now, now)
        return "new" if seen >= rule.inside else "not_covered_before"
    if not now:
        seen = _share(carried.shown_now, carried.earlier, earlier)
        return "resolved" if seen >= rule.inside else "not_covered_now"
    if len(now) == len(earlier) == 1:
        return "persistent"
    # Several to several has no word of its own: the side with fewer says which way it went.
    return "split" if len(now) > len(earlier) else "merged"


def _share(shown: NDArray[np.bool_], labels: NDArray[np.uint16], numbers: tuple[int, ...]) -> float:
    return float(shown[np.isin(labels, numbers)].mean())
