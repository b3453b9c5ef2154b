"""What is true between two visits of a synthetic person: which lesion became which."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from imaging.lesions import find_lesions
from phantom.acquisition import Protocol, acquire, body_grid
from phantom.body_models import paint_body

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from phantom.acquisition import Acquisition
    from phantom.body import Body
    from phantom.patient import Patient

USUAL = Protocol()


@dataclass(frozen=True, eq=False)
class Visit:
    """One scanned visit. Parts are the connected parts of the true disease from 0.1 mL on.

    `parts` uint16 (slice, row, column) on the images' grid: 0, or the part's number. `held` names
    the planned lesions that each part holds.
    """

    patient: Patient = field(repr=False)
    body: Body = field(repr=False)
    acquisition: Acquisition = field(repr=False)
    parts: NDArray[np.uint16] = field(repr=False)
    held: dict[int, frozenset[int]]


@dataclass(frozen=True)
class TrueLink:
    """Parts of two visits that hold the same planned lesions."""

    state: str
    """As `imaging.response.TrackState`."""
    before: tuple[int, ...]
    after: tuple[int, ...]


def scan_visit(patient: Patient, protocol: Protocol = USUAL) -> Visit:
    """Paint and scan one visit of `phantom.follow_up.make_visits`."""
    body = paint_body(patient, body_grid(patient, protocol))
    acquisition = acquire(patient, protocol, body)
    grown = body.lesions
    index = grown.index[1::2]  # the painting grid has two slices a slice, and one more
    parts = find_lesions(index > 0, acquisition.truth.geometry)
    names = np.array([-1, *(patient.disease.lesions[k].seed for k in grown.planned)])
    pairs = np.unique(np.stack([parts[parts > 0], index[parts > 0]]), axis=1)
    held: dict[int, frozenset[int]] = {}
    for part, number in pairs.T.tolist():
        held[part] = held.get(part, frozenset()) | {int(names[number])}
    return Visit(patient, body, acquisition, parts, held)


def true_links(before: Visit, after: Visit) -> tuple[TrueLink, ...]:
    """Return every part of both visits in exactly one link."""
    links: list[TrueLink] = []
    left = [(0, k) for k in before.held] + [(1, k) for k in after.held]
    while left:
        reached = [left[0]]
        for side, number in reached:
            own = (before, after)[side].held[number]
            other = (before, after)[1 - side].held
            found = [(1 - side, k) for k, names in other.items() if own & names]
            reached += [node for node in found if node not in reached]
        left = [node for node in left if node not in reached]
        sides = [tuple(sorted(k for side, k in reached if side == s)) for s in (0, 1)]
        links.append(TrueLink(_state(*sides), *sides))
    return tuple(links)


def truth_of_pair(before: Visit, after: Visit) -> dict[str, Any]:
    """Return what is true of two visits as a document: TDV in mL, gADC in µm²/s, the links."""
    truths = (before.acquisition.truth, after.acquisition.truth)
    return {
        "tdv_ml": [truth.tdv_ml for truth in truths],
        "gadc_um2_s": [truth.gadc_um2_s if truth.lesions else None for truth in truths],
        "links": [
            {
                "state": link.state,
                "before": [_place(before, k) for k in link.before],
                "after": [_place(after, k) for k in link.after],
            }
            for link in true_links(before, after)
        ],
    }


def _place(visit: Visit, part: int) -> dict[str, Any]:
    index = np.argwhere(visit.parts == part)
    geometry = visit.acquisition.truth.geometry
    return {
        "part": part,
        "volume_ml": len(index) * geometry.voxel_volume_ml,
        "centroid_mm": geometry.to_patient_mm(index.mean(axis=0)).tolist(),
    }


def _state(before: tuple[int, ...], after: tuple[int, ...]) -> str:
    if not before:
        return "new"
    if not after:
        return "resolved"
    if len(before) == len(after) == 1:
        return "persistent"
    return "split" if len(after) > len(before) else "merged"
