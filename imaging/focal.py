"""The input of a focal-lesion network: T1 and computed high-b signal on one fine grid.

Training and serving both go through here, so that a model meets what it learned on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from imaging.body import body_mask
from imaging.errors import ModelMismatch, UnusableImages
from imaging.intensity import to_unit_range
from imaging.model import ModelInput
from imaging.multimodal import RigidSettings, on_grid, rigid_motion
from imaging.preprocessing import model_grid
from imaging.resampling import resample
from imaging.separable import apply_maps, axis_maps

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imaging.adc import AdcFit
    from imaging.geometry import Geometry
    from imaging.model import Channel, ModelSpec

_RIGID = RigidSettings()
_HALF = 0.5
FOCAL_B = 1000.0
"""s/mm²: the high-b signal that Wuts et al. use, computed where it was not acquired."""


@dataclass(frozen=True, eq=False)
class MagnitudeImage:
    """A magnitude image float32 (slice, row, column) and its grid."""

    image: NDArray[np.float32] = field(repr=False)
    geometry: Geometry


def computed_signal(fit: AdcFit, b_s_mm2: float = FOCAL_B) -> NDArray[np.float32]:
    """Return S0 exp(-b ADC), float32; 0 where there is no valid ADC (`papers.md` A.5)."""
    signal = fit.s0 * np.exp(fit.adc_um2_s * np.float32(-b_s_mm2 * 1e-6))
    filled: NDArray[np.float32] = np.nan_to_num(signal, nan=0.0, posinf=0.0, neginf=0.0)
    return filled.astype(np.float32, copy=False)


@dataclass(frozen=True, eq=False)
class FocalInput:
    """What a focal network is given, and what registration found.

    `shown` (slice, row, column) on the model's grid is True where T1 shows anything. `moved_mm`
    is how far T1 had to be moved at the middle of the diffusion images.
    """

    given: ModelInput
    shown: NDArray[np.bool_] = field(repr=False)
    moved_mm: float


def focal_input(
    fit: AdcFit,
    geometry: Geometry,
    t1: MagnitudeImage,
    spec: ModelSpec,
    settings: RigidSettings = _RIGID,
) -> ModelInput:
    """Return the network's channels, of `registered_input`."""
    return registered_input(fit, geometry, t1, spec, settings).given


def registered_input(
    fit: AdcFit,
    geometry: Geometry,
    t1: MagnitudeImage,
    spec: ModelSpec,
    settings: RigidSettings = _RIGID,
) -> FocalInput:
    """Register T1 to the diffusion scan and bring both to the model's grid and to [0, 1].

    Channels are "t1" and "b1000", each normalised by "percentiles". T1 is resampled once, from
    its own grid; 0 where it shows nothing.

    Args:
        fit: of the diffusion scan.
        geometry: the grid of `fit`.
        t1: of the same person, in the same frame of reference but for small motion.
        spec: grid spacing and channels.
        settings: of the registration.

    Raises:
        UnusableImages: `NO_BODY`, nothing stands out from noise; `NO_SIGNAL`, a channel is flat.
        ModelMismatch: the model wants another channel or normalisation.

    """
    grid = _grid(fit, geometry, spec)
    motion = rigid_motion((fit.s0, geometry), (t1.image, t1.geometry), settings)
    return _brought(fit, geometry, t1, spec, motion, grid)


def moved_input(
    fit: AdcFit,
    geometry: Geometry,
    t1: MagnitudeImage,
    spec: ModelSpec,
    motion: NDArray[np.float64],
) -> FocalInput:
    """Return what `registered_input` does, where the motion need not be looked for.

    `motion` (4, 4) is where LPS mm of the diffusion scan lie in `t1`. Errors are the same.
    """
    return _brought(fit, geometry, t1, spec, motion, _grid(fit, geometry, spec))


def _grid(fit: AdcFit, geometry: Geometry, spec: ModelSpec) -> Geometry:
    _refuse_unknown(spec.channels)
    mask = body_mask(fit.s0)
    if not mask.any():
        raise UnusableImages("no body was found in the images: all signal is noise", code="NO_BODY")
    return model_grid(mask, geometry, spec.spacing_mm)


def _brought(
    fit: AdcFit,
    geometry: Geometry,
    t1: MagnitudeImage,
    spec: ModelSpec,
    motion: NDArray[np.float64],
    grid: Geometry,
) -> FocalInput:
    images = {
        "t1": on_grid(t1.image, t1.geometry, motion, grid),
        "b1000": _of_the_fit(computed_signal(fit), geometry, grid),
    }
    channels = [to_unit_range(images[c.quantity], c.quantity) for c in spec.channels]
    everywhere = np.ones(t1.image.shape, dtype=np.float32)
    shown = on_grid(everywhere, t1.geometry, motion, grid) > _HALF
    middle = geometry.to_patient_mm((np.array(geometry.shape) - 1) / 2)
    moved_mm = float(np.linalg.norm(motion[:3, :3] @ middle + motion[:3, 3] - middle))
    return FocalInput(ModelInput(np.stack(channels), grid), shown, moved_mm)


def _of_the_fit(
    image: NDArray[np.float32], geometry: Geometry, grid: Geometry
) -> NDArray[np.float32]:
    """Resample as `imaging.preprocessing` does: voxels that grow by 1.3 and more are means."""
    maps = axis_maps(geometry, grid)
    return resample(image, geometry, grid) if maps is None else apply_maps(image, maps)


def _refuse_unknown(channels: tuple[Channel, ...]) -> None:
    for channel in channels:
        if channel.quantity not in ("t1", "b1000") or channel.normalisation != "percentiles":
            message = (
                f"the model wants {channel.quantity!r} by {channel.normalisation!r}; a focal "
                "network is given t1 and b1000 by percentiles"
            )
            raise ModelMismatch(message)
