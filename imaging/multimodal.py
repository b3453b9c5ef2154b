"""A T1-weighted scan onto the diffusion scan of the same person: rigid, by mutual information.

Mattes et al. 2003 (IEEE TMI 22:120) from coarse to fine with a fixed seed and one thread, so that
equal images give equal motions.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import SimpleITK
from scipy import ndimage

from imaging.errors import UnusableImages
from imaging.geometry import Geometry
from imaging.resampling import resample, to_itk
from imaging.separable import SMOOTHING_RATIO

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

sitk: Any = SimpleITK  # it has no types
_BINS = 32
_FLOOR = 0.01


@dataclass(frozen=True)
class RigidSettings:
    """How the scans are matched; every value is Osteon's choice."""

    shrink: tuple[int, ...] = (4, 2, 1)
    samples: int = 30_000
    """How many voxels of every level the metric looks at."""
    iterations: int = 60
    seed: int = 1
    voxel_mm: float = 4.5
    """Voxels are averaged by whole numbers while they stay below this: marrow, fat and air are
    what is matched, and finer voxels cost time only."""


def rigid_motion(
    fixed: tuple[NDArray[np.float32], Geometry],
    moving: tuple[NDArray[np.float32], Geometry],
    settings: RigidSettings = RigidSettings(),
) -> NDArray[np.float64]:
    """Return (4, 4): where LPS mm of `fixed` lie in `moving`.

    Both are a magnitude image with its grid. Signals are taken as logarithms, since the signal of
    bright organs would hide the rest.

    Raises:
        GeometryError: an image is not on its geometry.
        UnusableImages: `NOT_REGISTERED`, the scans have too little in common.

    """
    images = [_coarse(_levels(i), g, settings.voxel_mm) for i, g in (fixed, moving)]
    start = sitk.Euler3DTransform()
    start.SetCenter(tuple(fixed[1].to_patient_mm((np.array(fixed[1].shape) - 1) / 2)))
    method = _method(settings, images[0].GetNumberOfPixels())
    method.SetInitialTransform(start, inPlace=False)
    try:
        with _one_thread():
            found = sitk.CompositeTransform(method.Execute(*images)).GetBackTransform()
    except RuntimeError as error:  # all that ITK raises: no overlap, too few slices to smooth
        message = "the two scans share too little of the body to be matched"
        raise UnusableImages(message, code="NOT_REGISTERED") from error
    return _matrix(found)


def on_grid(
    image: NDArray[np.float32],
    geometry: Geometry,
    motion: NDArray[np.float64],
    target: Geometry,
) -> NDArray[np.float32]:
    """Return the moving image on `target`, a grid in the fixed scan's coordinates; linear, once.

    Where the target's voxels are more than 1.3 times larger along an axis of the image, they hold
    the mean over their width.
    """
    placed = Geometry(geometry.shape, np.linalg.inv(motion) @ geometry.affine)
    return resample(_softened(image, placed, target), placed, target)


def _softened(
    image: NDArray[np.float32], geometry: Geometry, target: Geometry
) -> NDArray[np.float32]:
    """Blur each axis so that one voxel has the spread of the target's."""
    axes = geometry.affine[:3, :3] / geometry.spacing_mm
    wanted = target.affine[:3, :3] / target.spacing_mm
    nearest = np.abs(axes.T @ wanted).argmax(axis=1)
    ratio = np.array(target.spacing_mm)[nearest] / geometry.spacing_mm
    # A box that is n voxels wide has the variance (n² - 1) / 12 more than one of one voxel.
    sigma = np.sqrt(np.where(ratio > SMOOTHING_RATIO, ratio**2 - 1, 0.0) / 12)
    if not sigma.any():
        return image
    soft: NDArray[np.float32] = ndimage.gaussian_filter(image, sigma, mode="nearest", truncate=3)
    return soft


def _coarse(image: NDArray[np.float32], geometry: Geometry, voxel_mm: float) -> Any:  # noqa: ANN401
    """Return an ITK image whose voxels are means of as many as fit into `voxel_mm`."""
    whole = to_itk(image, geometry)
    factors = [max(1, int(voxel_mm / mm)) for mm in geometry.spacing_mm]
    fits = [f if n >= 4 * f else 1 for f, n in zip(factors, geometry.shape, strict=True)]
    return sitk.BinShrink(whole, fits[::-1])


@contextmanager
def _one_thread() -> Iterator[None]:
    """Keep ITK to one thread: the metric adds up in the default number of them."""
    threads = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    try:
        yield
    finally:
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(threads)


def _method(settings: RigidSettings, n_voxels: int) -> Any:  # noqa: ANN401
    shares = [min(1.0, settings.samples * f**3 / n_voxels) for f in settings.shrink]
    method = sitk.ImageRegistrationMethod()
    method.SetNumberOfThreads(1)
    method.SetMetricAsMattesMutualInformation(numberOfHistogramBins=_BINS)
    method.SetMetricSamplingStrategy(method.RANDOM)
    method.SetMetricSamplingPercentagePerLevel(shares, settings.seed)
    method.SetOptimizerAsRegularStepGradientDescent(
        learningRate=4.0,
        minStep=0.01,
        numberOfIterations=settings.iterations,
        relaxationFactor=0.6,
    )
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetInterpolator(sitk.sitkLinear)
    method.SetShrinkFactorsPerLevel(list(settings.shrink))
    method.SetSmoothingSigmasPerLevel([f / 2 for f in settings.shrink])
    method.SmoothingSigmasAreSpecifiedInPhysicalUnitsOff()
    return method


def _levels(image: NDArray[np.float32]) -> NDArray[np.float32]:
    top = max(float(np.percentile(image, 99.5)), 1e-6)
    levels: NDArray[np.float32] = np.log(np.maximum(image / np.float32(top), np.float32(_FLOOR)))
    return levels


def _matrix(rigid: Any) -> NDArray[np.float64]:  # noqa: ANN401
    origin, *axes = (
        np.array(rigid.TransformPoint(p))
        for p in ((0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
    )
    matrix = np.eye(4)
    matrix[:3, :3] = np.stack([axis - origin for axis in axes], axis=1)
    matrix[:3, 3] = origin
    return matrix
