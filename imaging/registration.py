"""One body onto another: affine, then a smooth warp, on coarse images of several channels.

The affine part lowers the mean square difference of the channels' sum from the centres of mass
on, over voxels that are drawn by a fixed seed. The warp is Demons with symmetric forces
(Vercauteren et al. 2009, NeuroImage 45:S61) from coarse to fine, a few iterations on one channel
and a few on the next, since SimpleITK's takes one channel. One thread, so that equal images give
equal warps.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import SimpleITK

from imaging.geometry import Geometry
from imaging.resampling import to_itk
from imaging.warps import Warp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

sitk: Any = SimpleITK  # it has no types
_SAMPLED = 0.3
_FIRST_STEP_VOXELS = 4.0
_LAST_STEP_VOXELS = 0.02
_ROUNDS = 5
_VARIANCE = 0.25
"""Blur before a grid is coarsened, as (half of the new voxel)² over the new voxel²."""


@dataclass(frozen=True)
class RegistrationSettings:
    """How bodies are matched; every value is Osteon's choice.

    `demons_iterations` are counts a channel from the coarsest level to the finest, whose voxels
    are `spacing_mm`; each level before has voxels of twice the size. `smoothing_voxels` is the
    Gaussian's SD that keeps the warp smooth, in voxels of each level.
    """

    spacing_mm: tuple[float, float, float] = (10.0, 5.0, 5.0)
    affine_iterations: int = 80
    demons_iterations: tuple[int, ...] = (20, 15, 10)
    smoothing_voxels: float = 1.0
    seed: int = 1


@dataclass(frozen=True, eq=False)
class RegistrationImage:
    """Channels float32 (channel, slice, row, column), of alike scale in both bodies."""

    array: NDArray[np.float32] = field(repr=False)
    geometry: Geometry


def coarse_image(
    array: NDArray[np.floating[Any]],
    geometry: Geometry,
    spacing_mm: tuple[float, float, float],
) -> RegistrationImage:
    """Return channels (channel, slice, row, column) blurred and on voxels of `spacing_mm`.

    Raises:
        GeometryError: the array is not on the geometry.

    """
    target = _coarse_grid(geometry, spacing_mm)
    resampler = sitk.ResampleImageFilter()
    resampler.SetReferenceImage(to_itk(np.zeros(target.shape, np.uint8), target))
    resampler.SetNumberOfThreads(1)
    channels = [
        sitk.GetArrayFromImage(resampler.Execute(_blurred(to_itk(c, geometry), spacing_mm[::-1])))
        for c in array.astype(np.float32)
    ]
    return RegistrationImage(np.stack(channels), target)


def register(
    fixed: RegistrationImage,
    moving: RegistrationImage,
    settings: RegistrationSettings,
    start: NDArray[np.float64] | None = None,
) -> Warp:
    """Return the warp that says where `fixed` finds itself in `moving`; each on its own grid.

    Air must be 0 in every channel: that is what lies outside both images. `start` (4, 4) takes
    points of `fixed` near their place in `moving`, LPS mm; the centres of mass if not given.
    """
    fixed_images = [to_itk(c, fixed.geometry) for c in fixed.array]
    moving_images = [to_itk(c, moving.geometry) for c in moving.array]
    affine = _affine(_sum(fixed_images), _sum(moving_images), settings, start)
    near = [
        sitk.Resample(m, fixed_images[0], affine, sitk.sitkLinear, 0.0, sitk.sitkFloat32)
        for m in moving_images
    ]
    shift = _demons(fixed_images, near, settings)
    values = np.asarray(sitk.GetArrayFromImage(shift), dtype=np.float32)
    return Warp(_matrix(affine), values, fixed.geometry)


def _affine(
    fixed: Any,  # noqa: ANN401
    moving: Any,  # noqa: ANN401
    settings: RegistrationSettings,
    start: NDArray[np.float64] | None,
) -> Any:  # noqa: ANN401
    """Return the affine transform from the fixed image's points to the moving image's."""
    method = sitk.ImageRegistrationMethod()
    method.SetNumberOfThreads(1)
    method.SetMetricAsMeanSquares()
    method.SetMetricSamplingStrategy(method.RANDOM)
    method.SetMetricSamplingPercentage(_SAMPLED, settings.seed)
    method.SetOptimizerAsRegularStepGradientDescent(
        learningRate=_FIRST_STEP_VOXELS,
        minStep=_LAST_STEP_VOXELS,
        numberOfIterations=settings.affine_iterations,
        relaxationFactor=0.6,
    )
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetInterpolator(sitk.sitkLinear)
    method.SetShrinkFactorsPerLevel([4, 2])
    method.SetSmoothingSigmasPerLevel([2, 1])
    method.SmoothingSigmasAreSpecifiedInPhysicalUnitsOff()
    method.SetInitialTransform(_first(fixed, moving, start), inPlace=False)
    return sitk.AffineTransform(
        sitk.CompositeTransform(method.Execute(fixed, moving)).GetBackTransform()
    )


def _first(fixed: Any, moving: Any, start: NDArray[np.float64] | None) -> Any:  # noqa: ANN401
    """Return where the search begins, turning about the middle of the fixed image."""
    centred = sitk.CenteredTransformInitializer(
        fixed,
        moving,
        sitk.AffineTransform(3),
        sitk.CenteredTransformInitializerFilter.MOMENTS,
    )
    if start is None:
        return centred
    centre = np.array(sitk.AffineTransform(centred).GetCenter())
    given = sitk.AffineTransform(3)
    given.SetCenter(centre.tolist())
    given.SetMatrix(start[:3, :3].reshape(-1).tolist())
    given.SetTranslation((start[:3, :3] @ centre + start[:3, 3] - centre).tolist())
    return given


def _demons(fixed: Sequence[Any], near: Sequence[Any], settings: RegistrationSettings) -> Any:  # noqa: ANN401
    """Return the displacement field, mm, on the fixed images' grid."""
    shift = None
    for level in reversed(range(len(settings.demons_iterations))):
        fine = settings.demons_iterations[-1 - level]
        pairs = [(_shrunk(f, level), _shrunk(m, level)) for f, m in zip(fixed, near, strict=True)]
        shift = _start_of(shift, pairs[0][0])
        for part in np.array_split(np.arange(fine), min(_ROUNDS, fine)):
            for channel, other in pairs:
                demons = sitk.FastSymmetricForcesDemonsRegistrationFilter()
                demons.SetNumberOfThreads(1)
                demons.SetNumberOfIterations(len(part))
                demons.SetSmoothDisplacementField(True)
                demons.SetStandardDeviations(settings.smoothing_voxels)
                shift = demons.Execute(channel, other, shift)
    return shift


def _start_of(shift: Any, image: Any) -> Any:  # noqa: ANN401
    """Return the coarser level's field on this level's grid, or zeros."""
    if shift is not None:
        return sitk.Resample(shift, image, sitk.Transform(), sitk.sitkLinear, 0.0)
    zeros = sitk.Image(image.GetSize(), sitk.sitkVectorFloat64, 3)
    zeros.CopyInformation(image)
    return zeros


def _shrunk(image: Any, level: int) -> Any:  # noqa: ANN401
    if level == 0:
        return image
    factors = [min(2**level, n) for n in image.GetSize()]
    coarse = [f * s for f, s in zip(factors, image.GetSpacing(), strict=True)]
    return sitk.Shrink(_blurred(image, coarse), factors)


def _blurred(image: Any, spacing_mm: Sequence[float]) -> Any:  # noqa: ANN401
    """Blur along the axes whose voxels will grow."""
    variances = [
        _VARIANCE * new * new if new > 1.01 * old else 0.0
        for old, new in zip(image.GetSpacing(), spacing_mm, strict=True)
    ]
    return sitk.DiscreteGaussian(image, variances)


def _sum(images: Sequence[Any]) -> Any:  # noqa: ANN401
    total = images[0]
    for image in images[1:]:
        total = total + image
    return total


def _matrix(affine: Any) -> NDArray[np.float64]:  # noqa: ANN401
    """Return the affine transform as (4, 4), its centre included."""
    matrix = np.eye(4)
    matrix[:3, :3] = np.reshape(affine.GetMatrix(), (3, 3))
    matrix[:3, 3] = affine.TransformPoint((0.0, 0.0, 0.0))
    return matrix


def _coarse_grid(geometry: Geometry, spacing_mm: tuple[float, float, float]) -> Geometry:
    """Return voxels of `spacing_mm` over the same box, around the same centre."""
    have, want = np.array(geometry.spacing_mm), np.array(spacing_mm)
    shape = np.maximum(np.ceil(np.round(np.array(geometry.shape) * have / want, 6)), 1)
    affine = geometry.affine.copy()
    affine[:3, :3] *= want / have
    middle = geometry.to_patient_mm((np.array(geometry.shape) - 1) / 2)
    affine[:3, 3] = middle - affine[:3, :3] @ ((shape - 1) / 2)
    k, j, i = (int(n) for n in shape)
    return Geometry((k, j, i), affine, geometry.frame_of_reference_uid)
