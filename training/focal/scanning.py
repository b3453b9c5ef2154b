"""Both scans of a synthetic patient, on the network's grid: as served, or quicker for fitting."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial.transform import Rotation

from imaging.adc import fit_adc
from imaging.focal import MagnitudeImage, moved_input, registered_input
from imaging.stations import assemble

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imaging.geometry import Geometry
    from imaging.model import ModelInput
    from phantom.acquisition import Protocol
    from phantom.patient import Patient
    from phantom.t1 import T1Protocol, T1Scan
    from phantom.truth import Truth
    from training.focal.settings import FocalCohort, FocalExperiment

_T1_SOURCE = 7302
_PIXEL_SOURCE = 7303
_MISS_SOURCE = 7304


@dataclass(frozen=True, eq=False)
class Scans:
    """What the network is given, what is true on the diffusion images, and the lesions planned."""

    given: ModelInput
    truth: Truth = field(repr=False)
    planned: int


def scan_patient(experiment: FocalExperiment, seed: int, *, diseased: bool, quickly: bool) -> Scans:
    """Scan a patient with diffusion and T1, and bring both to the network's grid.

    `quickly` draws pixels and what registration misses, as the cohort's settings say; otherwise
    pixels are the protocol's and T1 is registered as serving does.
    """
    # Fitting needs no phantom; only this does.
    from phantom.acquisition import acquire, body_grid  # noqa: PLC0415
    from phantom.body import paint_body  # noqa: PLC0415
    from phantom.patient import PatientOptions, make_patient  # noqa: PLC0415
    from phantom.t1 import acquire_t1  # noqa: PLC0415

    how = experiment.cohort
    count = len(make_patient(seed).disease.lesions) if diseased else None
    person = make_patient(seed, PatientOptions(diseased, count))
    protocol = _protocol(how, person, quickly=quickly)
    body = paint_body(person, body_grid(person, protocol))
    scan = acquire(person, protocol, body)
    t1 = acquire_t1(person, body, _t1_protocol(how, seed))
    volume = assemble(scan.stations).volume
    fit, image = fit_adc(volume), MagnitudeImage(t1.image, t1.geometry)
    spec = experiment.model_spec()
    if quickly and how.misses:
        motion = missed_motion(t1, volume.geometry, seed, how)
        looked = moved_input(fit, volume.geometry, image, spec, motion)
    else:
        looked = registered_input(fit, volume.geometry, image, spec)
    return Scans(looked.given, scan.truth, len(person.disease.lesions))


def missed_motion(
    t1: T1Scan, diffusion: Geometry, seed: int, how: FocalCohort
) -> NDArray[np.float64]:
    """Return (4, 4) from LPS mm of diffusion to those of T1: the truth and the seed's error."""
    rng = np.random.default_rng((seed, _MISS_SOURCE))
    shift = rng.normal(0, how.misses[0], 3)
    turn = Rotation.from_euler("xyz", rng.normal(0, how.misses[1], 3), degrees=True).as_matrix()
    middle = diffusion.to_patient_mm((np.array(diffusion.shape) - 1) / 2)
    error = np.eye(4)
    error[:3, :3] = turn
    error[:3, 3] = middle - turn @ middle + shift
    found: NDArray[np.float64] = np.linalg.inv(t1.to_diffusion) @ error
    return found


def _protocol(how: FocalCohort, person: Patient, *, quickly: bool) -> Protocol:
    from phantom.acquisition import Protocol, body_grid  # noqa: PLC0415

    asked = Protocol(
        slice_mm=how.slice_mm,
        in_plane_mm=how.in_plane_mm or None,
        matrix=(how.matrix[0], how.matrix[1]) if how.matrix else None,
    )
    if not (quickly and how.pixels_mm):
        return asked
    grid = body_grid(person, asked)
    low, high = how.pixels_mm
    pixel = float(np.random.default_rng((person.seed, _PIXEL_SOURCE)).uniform(low, high))
    rows, columns = (
        round(n * mm / pixel) for n, mm in zip(grid.shape[1:], grid.spacing_mm[1:], strict=True)
    )
    return Protocol(slice_mm=how.slice_mm, in_plane_mm=pixel, matrix=(rows, columns))


def _t1_protocol(how: FocalCohort, seed: int) -> T1Protocol:
    from phantom.t1 import T1Protocol  # noqa: PLC0415

    coarser = np.random.default_rng((seed, _T1_SOURCE)).uniform(1, how.t1_coarsest, 2)
    return T1Protocol(how.t1_slice_mm * float(coarser[0]), how.t1_in_plane_mm * float(coarser[1]))
