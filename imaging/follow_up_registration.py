"""The earlier study brought onto this one: rigid by the bones' middles, affine, then a warp.

What both studies show of the body is known by name (the anatomy network's labels), so the search
begins at a rigid fit of the middles of the bones that both show whole. Affine and warp
(`imaging.registration`) then match bones, every second bone region, organs, and ADC. One thread
and a fixed number of steps: equal studies give equal warps in a bounded time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import SimpleITK

from imaging.anatomy import BONES, ORGANS, SPINAL_CANAL, STRUCTURES
from imaging.coverage import LEAST_SHARE, region_coverage
from imaging.registration import RegistrationSettings, coarse_image, register
from imaging.resampling import to_itk
from imaging.response import RegistrationQuality

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    from imaging.geometry import Geometry
    from imaging.measured_study import StudyImages
    from imaging.registration import RegistrationImage
    from imaging.warps import Warp

sitk: Any = SimpleITK  # it has no types
_EVERY_SECOND = ("skull", "thoracic_spine", "sacrum", "ribs", "femur_left", "femur_right")
_ADC_SCALE_UM2_S = 3000.0
_LEAST_LANDMARKS = 3
_IS_BONE = np.array([s in BONES for s in STRUCTURES])


@dataclass(frozen=True)
class FollowUpRegistration:
    """How studies of one patient are matched; every value is Osteon's choice."""

    warp: RegistrationSettings = field(
        default_factory=lambda: RegistrationSettings(
            spacing_mm=(10.0, 8.0, 8.0), affine_iterations=40, demons_iterations=(20, 15, 8)
        )
    )
    smallest_dice: float = 0.5
    """With bones that agree less after registration, lesions are not followed."""


def register_studies(
    now: StudyImages, earlier: StudyImages, settings: FollowUpRegistration
) -> tuple[Warp, RegistrationQuality]:
    """Return where points of this study lie in the earlier one, and how well that fits."""
    start = rigid_start(now, earlier)
    fixed, moving = (_matched(images, settings.warp) for images in (now, earlier))
    warp = register(fixed, moving, settings.warp, start)
    return warp, _quality(now, earlier, warp, settings.smallest_dice)


def rigid_start(now: StudyImages, earlier: StudyImages) -> NDArray[np.float64] | None:
    """Return the rigid map (4, 4), LPS mm, from this study's points to the earlier one's.

    It takes the middles of structures that both show whole to each other with the least squares
    (Kabsch 1976). None with fewer than three in common.
    """
    here, there = _middles(now), _middles(earlier)
    names = [name for name in here if name in there]
    if len(names) < _LEAST_LANDMARKS:
        return None
    p, q = (np.array([found[name] for name in names]) for found in (here, there))
    p_middle, q_middle = p.mean(axis=0), q.mean(axis=0)
    u, _, vt = np.linalg.svd((p - p_middle).T @ (q - q_middle))
    mirrored = np.sign(np.linalg.det(u @ vt))
    turn = vt.T @ np.diag([1.0, 1.0, mirrored]) @ u.T
    start = np.eye(4)
    start[:3, :3] = turn
    start[:3, 3] = q_middle - turn @ p_middle
    return start


def carry_nearest(
    labels: NDArray[Any], geometry: Geometry, warp: Warp, target: Geometry
) -> NDArray[Any]:
    """Return labels of the earlier study (any count) on `target` of this one; 0 outside."""
    moved: NDArray[Any] = sitk.GetArrayFromImage(
        sitk.Resample(
            to_itk(labels, geometry),
            to_itk(np.zeros(target.shape, np.uint8), target),
            warp.itk_transform(),
            sitk.sitkNearestNeighbor,
            0.0,
        )
    )
    return moved.astype(labels.dtype, copy=False)


def _matched(images: StudyImages, settings: RegistrationSettings) -> RegistrationImage:
    """Bones, every second region of them, organs and canal, and ADC, coarse."""
    labels = images.labels
    second = [s.label for s in BONES if s.name in _EVERY_SECOND]
    soft = [s.label for s in (*ORGANS, SPINAL_CANAL)]
    channels = np.stack(
        [
            _IS_BONE[labels].astype(np.float32),
            np.isin(labels, second).astype(np.float32),
            np.isin(labels, soft).astype(np.float32),
            np.clip(np.nan_to_num(images.adc_um2_s) / _ADC_SCALE_UM2_S, 0, 1).astype(np.float32),
        ]
    )
    return coarse_image(channels, images.geometry, settings.spacing_mm)


def _middles(images: StudyImages) -> dict[str, NDArray[np.float64]]:
    """Return the centroids of structures that are shown whole, LPS mm."""
    shares = region_coverage(images.labels, images.geometry)
    found = {}
    for structure in (*BONES, *ORGANS):
        whole = (shares.get(structure.name, 1.0) or 0.0) >= LEAST_SHARE
        index = np.argwhere(images.labels == structure.label) if whole else np.empty((0, 3))
        if len(index):
            found[structure.name] = images.geometry.to_patient_mm(index.mean(axis=0))
    return found


def _quality(
    now: StudyImages, earlier: StudyImages, warp: Warp, smallest_dice: float
) -> RegistrationQuality:
    """Compare bones by name where the earlier study's images reach."""
    carried = carry_nearest(earlier.labels, earlier.geometry, warp, now.geometry)
    inside = carry_nearest(
        np.ones(earlier.geometry.shape, np.uint8), earlier.geometry, warp, now.geometry
    )
    here = np.where(inside > 0, now.labels, 0)
    bone, other = _IS_BONE[here], _IS_BONE[carried]
    size = np.count_nonzero(bone) + np.count_nonzero(other)
    dice = 2 * np.count_nonzero(bone & (here == carried)) / size if size else 0.0
    points = now.geometry.to_patient_mm(np.argwhere(bone)[::997])
    apart = warp.moved_mm(points) - points
    moved = float(np.median(np.linalg.norm(apart, axis=1))) if len(points) else 0.0
    return RegistrationQuality(float(dice), moved, bool(dice >= smallest_dice), smallest_dice)
