"""Lesions of an earlier study found again in this one, or why they were not looked for."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from imaging.follow_up_registration import FollowUpRegistration, carry_nearest, register_studies
from imaging.geometry import Geometry
from imaging.lesion_tracks import Carried, Link, TrackRule, link_lesions
from imaging.quality import QualityNote

if TYPE_CHECKING:
    from imaging.measured_study import MeasuredStudy, StudyImages
    from imaging.response import RegistrationQuality
    from imaging.warps import Warp


@dataclass(frozen=True)
class FollowRule:
    """How lesions are followed; every value is Osteon's choice."""

    registration: FollowUpRegistration = field(default_factory=FollowUpRegistration)
    tracks: TrackRule = field(default_factory=TrackRule)
    diffuse_burden: float = 0.2
    """With this share of the bone diseased, disease is diffuse: it has no lesions to follow
    (`clinical_and_console.md` A5)."""


@dataclass(frozen=True)
class Followed:
    """What became of the lesions of one earlier study; `links` None: they were not followed."""

    links: tuple[Link, ...] | None
    registration: RegistrationQuality | None = None
    notes: tuple[QualityNote, ...] = ()


def follow_lesions(now: MeasuredStudy, earlier: MeasuredStudy, rule: FollowRule) -> Followed:
    """Register the earlier study, carry its lesions over and link them with this one's.

    Where images are not kept, disease is diffuse or the registration is bad, lesions are not
    followed and a note says so; regions are still compared.
    """
    if now.images is None or earlier.images is None:
        return _not_followed("FOLLOW_UP_NO_IMAGES", "its images are not kept", None)
    burden = max(now.burden, earlier.burden)
    if burden >= rule.diffuse_burden:
        why = f"disease is diffuse ({100 * burden:.0f} % of the bone) and has no single lesions"
        return _not_followed("FOLLOW_UP_DIFFUSE", why, burden)
    warp, quality = register_studies(now.images, earlier.images, rule.registration)
    if not quality.accepted:
        why = (
            f"after registration the bones agree to a Dice of {quality.skeleton_dice:.2f} only"
            f" (at least {quality.smallest_dice:g} is asked for)"
        )
        failed = _not_followed("FOLLOW_UP_REGISTRATION", why, quality.skeleton_dice)
        return replace(failed, registration=quality)
    links = link_lesions(_carried(now.images, earlier.images, warp), rule.tracks)
    return Followed(_covered(links, now, earlier), quality)


def _not_followed(code: str, why: str, measured: float | None) -> Followed:
    text = f"Lesions of the earlier study were not followed: {why}. Regions are compared."
    return Followed(None, None, (QualityNote(code, "warning", text, measured),))


def _carried(now: StudyImages, earlier: StudyImages, warp: Warp) -> Carried:
    """Bring both studies onto this one's grid, longer at both ends where the earlier reaches."""
    below, above = _further_slices(now.geometry, earlier.geometry, warp)
    n, rows, columns = now.geometry.shape
    grid = _longer(now.geometry, below, above)
    lesions = np.zeros(grid.shape, np.uint16)
    lesions[below : below + n] = now.lesion_labels
    shown = np.zeros((below + n + above, rows, columns), np.bool_)
    shown[below : below + n] = True
    whole = np.ones(earlier.geometry.shape, np.uint8)
    return Carried(
        grid,
        lesions,
        carry_nearest(earlier.lesion_labels, earlier.geometry, warp, grid),
        shown,
        carry_nearest(whole, earlier.geometry, warp, grid) > 0,
    )


def _further_slices(now: Geometry, earlier: Geometry, warp: Warp) -> tuple[int, int]:
    corners = np.array(np.meshgrid(*[(0, n - 1) for n in earlier.shape])).reshape(3, -1).T
    points = earlier.to_patient_mm(corners) - warp.matrix[:3, 3]
    slices = now.to_index(points @ np.linalg.inv(warp.matrix[:3, :3]).T)[:, 0]
    # Never more than the earlier study has: a failed registration asks for any number.
    most = earlier.shape[0]
    below = int(np.clip(np.ceil(-slices.min()), 0, most))
    above = int(np.clip(np.ceil(slices.max() - (now.shape[0] - 1)), 0, most))
    return below, above


def _longer(geometry: Geometry, below: int, above: int) -> Geometry:
    affine = geometry.affine.copy()
    affine[:3, 3] = geometry.to_patient_mm((-below, 0, 0))
    n, rows, columns = geometry.shape
    return Geometry((below + n + above, rows, columns), affine, geometry.frame_of_reference_uid)


def _covered(
    links: tuple[Link, ...], now: MeasuredStudy, earlier: MeasuredStudy
) -> tuple[Link, ...]:
    """Call nothing new or resolved in a bone that the other study does not show.

    A lesion too small to be carried over at all is gone, if its bone is shown.
    """
    shown_now, shown_earlier = _shown(now), _shown(earlier)
    regions_now = {lesion.label: lesion.region for lesion in now.lesions}
    regions = {lesion.label: lesion.region for lesion in earlier.lesions}
    linked = {label for link in links for label in link.earlier}
    lost = [Link("resolved", (), (label,)) for label in regions if label not in linked]
    settled = []
    for link in (*links, *lost):
        state = link.state
        if state == "new" and not {regions_now[k] for k in link.now} & shown_earlier:
            state = "not_covered_before"
        if state == "resolved" and not {regions[k] for k in link.earlier} & shown_now:
            state = "not_covered_now"
        settled.append(replace(link, state=state))
    return tuple(settled)


def _shown(study: MeasuredStudy) -> set[str]:
    return {region.name for region in study.regions if region.coverage is not None}
