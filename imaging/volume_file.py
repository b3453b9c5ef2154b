"""Images of whole numbers as NIfTI files that a viewer opens at once; equal images, equal bytes.

ITK writes the header's geometry (`imaging.nifti`). What it cannot say is filled in here, at the
offsets of nifti1.h: the slope, the window to show, what the values are, and that they are labels.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from imaging.nifti import write_image

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from imaging.geometry import Geometry

NO_ADC = 0
"""Stored where there is no valid ADC: a valid one is at least 1 µm²/s."""
LEVEL = 1
"""Of deflate: the quickest; what it saves less is measured in docs/decisions/0021."""
_WHOLE = np.iinfo(np.int16).max
_TWELVE_BITS = 4095
_LABELS = 1002  # NIFTI_INTENT_LABEL
_DESCRIPTION_BYTES = 79
_GZIP = 16 + zlib.MAX_WBITS  # zlib's gzip header names no file and no time


@dataclass(frozen=True, eq=False)
class VolumeFile:
    """Stored numbers (slice, row, column) and what they mean: value = slope x stored."""

    stored: NDArray[np.integer[Any]] = field(repr=False)
    """uint8, int16 or uint16."""
    geometry: Geometry
    description: str
    """ASCII, at most 79 characters; nothing that names a patient."""
    slope: float = 1.0
    window: tuple[float, float] = (0.0, 0.0)
    """Values to show as darkest and brightest; both 0: the viewer chooses."""
    is_labels: bool = False


def adc_volume(adc_um2_s: NDArray[np.float32], geometry: Geometry) -> VolumeFile:
    """Return the ADC to 1 µm²/s, int16; `NO_ADC` where it is NaN."""
    whole = np.maximum(np.rint(adc_um2_s), np.float32(NO_ADC + 1))  # NaN stays NaN
    stored = np.nan_to_num(whole, nan=NO_ADC, copy=False).clip(max=_WHOLE).astype(np.int16)
    description = f"ADC in um2/s, {NO_ADC} is no valid fit; Osteon, research use only"
    return VolumeFile(stored, geometry, description, window=(0.0, 3000.0))


def signal_volume(image: NDArray[np.float32], geometry: Geometry, b_s_mm2: float) -> VolumeFile:
    """Return magnitude signal as int16: as it is where it fits, else by a slope.

    Scanners store whole numbers, so the slope is 1 where the brightest voxel has between 12 and
    15 bits of them. A fainter image is stored in 12 bits, a brighter one in 15.
    """
    highest = float(image.max())
    bits = _WHOLE if highest > _WHOLE else _TWELVE_BITS
    slope = highest / bits if highest > _WHOLE or 0 < highest < _TWELVE_BITS else 1.0
    scaled = image if slope == 1.0 else image * np.float32(1 / slope)
    stored = np.rint(scaled).clip(0, _WHOLE).astype(np.int16)
    description = f"signal at b {b_s_mm2:g} s/mm2; Osteon, research use only"
    return VolumeFile(stored, geometry, description, slope, (0.0, bright_signal(image)))


def probability_volume(
    probability: NDArray[np.floating[Any]], geometry: Geometry, of: str
) -> VolumeFile:
    """Return a probability in steps of 1/255, uint8."""
    stored = np.rint(probability * np.float32(255)).astype(np.uint8)
    description = f"probability of {of}; Osteon, research use only"
    return VolumeFile(stored, geometry, description, 1 / 255, (0.0, 1.0))


def label_volume(
    labels: NDArray[np.unsignedinteger[Any]], geometry: Geometry, of: str
) -> VolumeFile:
    """Return a label map: uint8 where its numbers fit, else as it is."""
    small = labels.dtype == np.uint8 or int(labels.max()) <= np.iinfo(np.uint8).max
    stored = labels.astype(np.uint8, copy=False) if small else labels
    description = f"labels of {of}; Osteon, research use only"
    return VolumeFile(stored, geometry, description, is_labels=True)


def bright_signal(image: NDArray[np.float32]) -> float:
    """Return the signal that one voxel in 200 exceeds: what a window ends at."""
    sample = image.reshape(-1)[:: max(1, image.size // 1_000_000)]
    return float(np.percentile(sample, 99.5))


def write_volume(volume: VolumeFile, path: Path) -> None:
    """Write a file whose name ends in `.nii.gz`.

    Raises:
        GeometryError: the stored numbers are not on the geometry.

    """
    bare = path.with_suffix("")
    write_image(volume.stored, volume.geometry, bare)
    content = bytearray(bare.read_bytes())
    bare.unlink()
    _say(content, volume)
    packer = zlib.compressobj(LEVEL, zlib.DEFLATED, _GZIP)
    path.write_bytes(packer.compress(content) + packer.flush())


def _say(content: bytearray, volume: VolumeFile) -> None:
    """Fill in what ITK leaves out of the header."""
    darkest, brightest = volume.window
    struct.pack_into("<h", content, 68, _LABELS if volume.is_labels else 0)  # intent_code
    struct.pack_into("<2f", content, 112, volume.slope, 0.0)  # scl_slope, scl_inter
    struct.pack_into("<2f", content, 124, brightest, darkest)  # cal_max, cal_min
    text = volume.description.encode("ascii")[:_DESCRIPTION_BYTES]
    struct.pack_into(f"<{_DESCRIPTION_BYTES + 1}s", content, 148, text)  # descrip
