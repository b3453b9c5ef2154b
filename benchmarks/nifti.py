"""Just enough of NIfTI-1 to read what dcm2niix writes, so that no library's cost is counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

_TYPES = {4: np.dtype("<i2"), 16: np.dtype("<f4"), 512: np.dtype("<u2")}
"""The codes of `datatype` that MR images have."""


def read_nifti(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return the stored voxels (slice, row, column) and the affine (index i, j, k → RAS mm)."""
    header = np.fromfile(path, dtype=np.uint8, count=348).tobytes()
    columns, rows, slices = np.frombuffer(header, "<i2", 3, offset=42)
    dtype = _TYPES[int(np.frombuffer(header, "<i2", 1, offset=70)[0])]
    offset = int(np.frombuffer(header, "<f4", 1, offset=108)[0])
    affine = np.eye(4)
    affine[:3] = np.frombuffer(header, "<f4", 12, offset=280).reshape(3, 4)
    voxels = np.fromfile(path, dtype, int(columns) * int(rows) * int(slices), offset=offset)
    return voxels.reshape(slices, rows, columns), affine
