"""Exams of a site that labels some structures only: what it never labels is not scored.

A site that draws livers and nothing else has not said that there is no spleen.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from imaging.anatomy import BONES, ORGANS
from training.scoring.lesions import ExamLesions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from training.scoring.case import CaseResult

_MEMBERS = {
    "skeleton": frozenset(b.name for b in BONES),
    "skeleton_without_ribs": frozenset(b.name for b in BONES if b.name != "ribs"),
    "organs": frozenset(o.name for o in ORGANS),
    "kidneys": frozenset({"kidney_left", "kidney_right"}),
}


def labelled_only(cases: Sequence[CaseResult]) -> tuple[list[CaseResult], tuple[str, ...]]:
    """Return the exams with what is labelled in any of them, and what was left out, by name.

    A group goes where one of its members was found but is never labelled. Without a lesion in any
    exam there are no lesions to score: the truth of a site that labels none is not "healthy".
    """
    found = {name for case in cases for name in case.structures}
    labelled = {n for case in cases for n, s in case.structures.items() if s.true_volume_ml > 0}
    unknown = found - labelled
    unknown |= {group for group, members in _MEMBERS.items() if members & unknown}
    kept = [
        replace(c, structures={n: s for n, s in c.structures.items() if n not in unknown})
        for c in cases
    ]
    left_out = sorted(unknown & found)
    if not any(case.lesions.lesions for case in cases):
        kept = [_without_lesions(case) for case in kept]
        left_out.append("disease")
    return kept, tuple(left_out)


def _without_lesions(case: CaseResult) -> CaseResult:
    nothing = ExamLesions((), (), ())
    return replace(case, lesion_source="", lesions=nothing, disease=None, tdv_ml=0.0)
