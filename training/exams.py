"""An exam that a model is measured on: its images, fitted, and what is known of the patient."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from imaging.adc import fit_adc
from imaging.resampling import resample
from imaging.stations import assemble

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imaging.adc import AdcFit
    from imaging.diffusion import DiffusionVolume
    from imaging.geometry import Geometry
    from phantom.acquisition import Acquisition


@dataclass(frozen=True, eq=False)
class Images:
    """A whole body on the grid of its images; without b-value images there is no high-b signal."""

    geometry: Geometry
    fit: AdcFit = field(repr=False)
    high_b: NDArray[np.float32] | None = field(repr=False)


@dataclass(frozen=True, eq=False)
class Known:
    """The truth on the grid of the images: structures by label, disease, and its volume and ADC.

    gADC is None where there is no disease.
    """

    structures: NDArray[np.uint8] = field(repr=False)
    disease: NDArray[np.bool_] = field(repr=False)
    tdv_ml: float
    gadc_um2_s: float | None


@dataclass(frozen=True, eq=False)
class Exam:
    """One exam of one patient."""

    name: str
    patient: str
    images: Images
    known: Known


def fitted(volume: DiffusionVolume) -> Images:
    """Fit a whole body, as serving does."""
    return Images(volume.geometry, fit_adc(volume), volume.high_b)


def known_from(images: Images, structures: NDArray[np.uint8], disease: NDArray[np.bool_]) -> Known:
    """Return what labels say of a patient: TDV is their volume, gADC the measured median in it."""
    adc = images.fit.adc_um2_s[disease]
    finite = adc[np.isfinite(adc)]
    tdv_ml = int(np.count_nonzero(disease)) * images.geometry.voxel_volume_ml
    return Known(structures, disease, tdv_ml, float(np.median(finite)) if finite.size else None)


def synthetic_exam(name: str, acquisition: Acquisition) -> Exam:
    """Make an exam of a synthetic patient's scan; TDV and gADC are those that were planted."""
    images = fitted(assemble(acquisition.stations).volume)
    truth = acquisition.truth

    def moved(labels: NDArray[Any]) -> NDArray[np.uint8]:
        found: NDArray[np.uint8] = resample(
            labels.astype(np.uint8), truth.geometry, images.geometry, order=0
        )
        return found

    gadc = truth.gadc_um2_s if np.isfinite(truth.gadc_um2_s) else None
    diseased = moved(truth.lesion_labels > 0).astype(np.bool_)
    return Exam(name, name, images, Known(moved(truth.labels), diseased, truth.tdv_ml, gadc))
