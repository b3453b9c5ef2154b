"""From an ADC fit to a model's input, and from a model's answer back to the images' grid.

Training and serving both go through here, so that a model meets what it learned on.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from imaging.body import body_mask
from imaging.errors import ModelMismatch, UnusableImages
from imaging.geometry import Geometry
from imaging.intensity import to_standard_scores
from imaging.model import ModelInput
from imaging.resampling import resample
from imaging.separable import along_first, apply_maps, axis_maps, in_plane

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from imaging.adc import AdcFit
    from imaging.model import Channel, ModelSpec
    from imaging.separable import AxisMap

MARGIN_MM = 10.0
"""Room left around the body in the model's input."""
_SAME_SPACING = 0.01
_SLICES_AT_ONCE = 8


def preprocess(
    fit: AdcFit,
    geometry: Geometry,
    spec: ModelSpec,
    further: Mapping[str, NDArray[np.float32]] = MappingProxyType({}),
) -> ModelInput:
    """Crop to the body, resample to the model's grid and normalise the channels.

    Channels are the fit's ("adc_um2_s", "s0") and those in `further`, by quantity, on the same
    grid, such as "normalised_high_b" and "bone_probability".

    The grid keeps the direction of the volume's own axes, turned to slices-to-head,
    rows-to-posterior, columns-to-left ("SPL"), and its slice positions where their distance is
    the model's within 1 %. Resampling is linear; where the model's voxels are more than 1.3
    times larger it averages over the model's voxel. Invalid ADC becomes 0.

    Returns:
        float32 (channel, slice, row, column) and its geometry.

    Raises:
        UnusableImages: `NO_BODY`, nothing in the images stands out from noise.
        ModelMismatch: the model wants a channel that this software cannot make.

    """
    mask = body_mask(fit.s0)
    if not mask.any():
        raise UnusableImages("no body was found in the images: all signal is noise", code="NO_BODY")
    grid = model_grid(mask, geometry, spec.spacing_mm)
    maps = axis_maps(geometry, grid)
    if maps is None:
        message = "the model's grid is not parallel to the images; this is a defect of Osteon"
        raise ModelMismatch(message)
    quantities = {"adc_um2_s": fit.adc_um2_s, "s0": fit.s0, **further}
    array = np.empty((len(spec.channels), *grid.shape), dtype=np.float32)
    for n, channel in enumerate(spec.channels):
        image = np.nan_to_num(_quantity(quantities, channel), nan=0.0, posinf=0.0, neginf=0.0)
        if channel.normalisation == "zscore":
            array[n] = to_standard_scores(apply_maps(image, maps), channel)
            continue
        scale = _scale(image, mask, channel)
        array[n] = np.clip(apply_maps(image, maps) * np.float32(1 / scale), 0, channel.clip)
    return ModelInput(array, grid)


def model_grid(
    mask: NDArray[np.bool_], geometry: Geometry, spacing_mm: tuple[float, float, float]
) -> Geometry:
    """Return the model's grid around `mask`: "SPL" along the volume's axes, at `spacing_mm`."""
    order = _axes_to_spl(geometry)
    affine = geometry.affine.copy()
    affine[:3, :3] = 0
    shape = []
    for axis, native in enumerate(order):
        step = geometry.affine[:3, native]
        native_mm = float(np.linalg.norm(step))
        sign = -1.0 if step[2 - axis] < 0 else 1.0
        direction = step / native_mm * sign
        first, last = _extent(mask, native, native_mm)
        centre_mm = (first + last) / 2 * native_mm * sign
        wanted = spacing_mm[axis]
        if axis == 0 and abs(native_mm / wanted - 1) <= _SAME_SPACING:
            wanted = native_mm
        n = int(np.ceil(round((last - first + 1) * native_mm / wanted, 6)))
        affine[:3, axis] = direction * wanted
        affine[:3, 3] += direction * (centre_mm - (n - 1) / 2 * wanted)
        shape.append(n)
    return Geometry((shape[0], shape[1], shape[2]), affine, geometry.frame_of_reference_uid)


def to_labels(
    probability: NDArray[np.floating[Any]], model_geometry: Geometry, target: Geometry
) -> NDArray[np.uint8]:
    """Return the most probable class of every voxel of `target`, 0 outside the model's grid.

    Args:
        probability: (class, slice, row, column) on `model_geometry`, summing to one over classes
            (a class that stays below the even share everywhere in a slab is not looked at).
        model_geometry: the grid of `probability`.
        target: the grid of the answer.

    """
    maps = axis_maps(model_geometry, target)
    if maps is None:
        return _labels_between_any_grids(probability, model_geometry, target)
    turned = probability.transpose([0, *(m.source_axis + 1 for m in maps)])
    rows, columns = _covered(maps[1]), _covered(maps[2])
    labels = np.zeros(target.shape, dtype=np.uint8)
    for start in range(0, target.shape[0], _SLICES_AT_ONCE):
        part = slice(start, start + _SLICES_AT_ONCE)
        box = (maps[0].weights[part], maps[1].weights[rows], maps[2].weights[columns])
        labels[part, rows, columns] = _most_probable(turned, box)
    return labels


def to_probability(
    probability: NDArray[np.floating[Any]], model_geometry: Geometry, target: Geometry
) -> NDArray[np.float32]:
    """Return one class's probability (slice, row, column) on `target`: float32, 0 outside."""
    values = probability.astype(np.float32, copy=False)
    maps = axis_maps(model_geometry, target)
    if maps is None:
        return resample(values, model_geometry, target)
    return apply_maps(values, maps)


def _quantity(
    quantities: Mapping[str, NDArray[np.float32]], channel: Channel
) -> NDArray[np.float32]:
    if channel.quantity not in quantities:
        known = ", ".join(sorted(quantities))
        message = f"the model wants a channel {channel.quantity!r}; this software makes {known}"
        raise ModelMismatch(message)
    return quantities[channel.quantity]


def _scale(image: NDArray[np.float32], mask: NDArray[np.bool_], channel: Channel) -> float:
    if channel.normalisation == "fixed":
        return channel.scale
    if channel.normalisation != "percentile":
        message = f"channel {channel.quantity}: no normalisation {channel.normalisation!r}"
        raise ModelMismatch(message)
    percentile = float(np.percentile(image[mask], 90))
    if percentile <= 0:
        message = f"{channel.quantity} is zero in nearly all of the body: the images are not usable"
        raise UnusableImages(message, code="NO_SIGNAL")
    return channel.scale * percentile


def _axes_to_spl(geometry: Geometry) -> tuple[int, int, int]:
    """Array axes that lie closest to (z, y, x) of the patient, each used once."""
    cosines = np.abs(geometry.affine[:3, :3] / np.array(geometry.spacing_mm))
    orders = [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)]
    return max(orders, key=lambda o: float(cosines[2, o[0]] + cosines[1, o[1]] + cosines[0, o[2]]))


def _extent(mask: NDArray[np.bool_], axis: int, spacing_mm: float) -> tuple[int, int]:
    """First and last index of the body along `axis` with its margin, inside the array."""
    others = tuple(a for a in range(3) if a != axis)
    filled = np.flatnonzero(mask.any(axis=others))
    margin = int(np.ceil(MARGIN_MM / spacing_mm))
    return max(0, int(filled[0]) - margin), min(mask.shape[axis] - 1, int(filled[-1]) + margin)


def _covered(axis_map: AxisMap) -> slice:
    """Target positions that the source covers."""
    inside = np.flatnonzero(axis_map.weights.any(axis=1))
    return slice(int(inside[0]), int(inside[-1]) + 1) if inside.size else slice(0, 0)


def _most_probable(
    probability: NDArray[np.floating[Any]],
    weights: tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]],
) -> NDArray[np.uint8]:
    """Arg-max over classes of a few target slices."""
    slices, rows, columns = weights
    labels = np.zeros((slices.shape[0], rows.shape[0], columns.shape[0]), dtype=np.uint8)
    used = np.flatnonzero(slices.any(axis=0))
    if used.size == 0:
        return labels
    near = slice(int(used[0]), int(used[-1]) + 1)
    even_share = 0.9 / probability.shape[0]
    best = np.zeros(labels.shape, dtype=np.float32)
    for n, class_probability in enumerate(probability):
        values = class_probability[near]
        if values.max() < even_share:
            continue
        moved = along_first(values.astype(np.float32), slices[:, near])
        here = in_plane(moved, rows, columns)
        np.copyto(labels, np.uint8(n), where=here > best)
        np.maximum(best, here, out=best)
    return labels


def _labels_between_any_grids(
    probability: NDArray[np.floating[Any]], model_geometry: Geometry, target: Geometry
) -> NDArray[np.uint8]:
    labels = np.zeros(target.shape, dtype=np.uint8)
    best = np.zeros(target.shape, dtype=np.float32)
    for n, class_probability in enumerate(probability):
        here = resample(class_probability.astype(np.float32), model_geometry, target)
        np.copyto(labels, np.uint8(n), where=here > best)
        np.maximum(best, here, out=best)
    return labels
