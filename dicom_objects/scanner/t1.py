"""T1-weighted stations beside the diffusion stations: same table positions, a grid of their own.

Classic spin echo images in every flavour, with its scanner's equipment and scale. The person has
moved a little since the diffusion scan (`phantom.t1`), which no header says.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from dicom_objects.scanner.headers import Sequence
from dicom_objects.scanner.mr_image import slices_of
from dicom_objects.scanner.object_series import ObjectSeries
from dicom_objects.scanner.scan import numbered

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dicom_objects.scanner.scan import Scan
    from imaging.geometry import Geometry
    from phantom.t1 import T1Scan

FIRST_NUMBER = 11
ECHO_TIME_MS = 9.5
REPETITION_TIME_MS = 560.0


def t1_series(scan: Scan, t1: T1Scan) -> Iterator[ObjectSeries]:
    """Cut the T1-weighted scan at the diffusion stations: one series each."""
    unit = max(float(t1.image.max()), 1e-6) / scan.habit.full_scale
    digest = hashlib.blake2b(t1.image.tobytes(), digest_size=8).hexdigest()
    for position, station in numbered(scan.stations):
        part = _slices_at(t1.geometry, station.volume.geometry)
        name = f"t1_tse_tra_st{position}"
        kind = ("ORIGINAL", "PRIMARY", "M", "ND")
        number = FIRST_NUMBER + position - 1
        sequence = Sequence(number, name, kind, "SE", ECHO_TIME_MS, REPETITION_TIME_MS)
        header = scan.header(sequence)
        header.ScanOptions = "SAT_GEMS" if scan.habit.name == "ge" else ""
        header.EchoTrainLength = 3
        header.SeriesInstanceUID = scan.uid("t1 series", str(position), digest)
        grid = t1.geometry.crop((part.start, 0, 0), (part.stop, *t1.geometry.shape[1:]))
        volume = scan.volume(header, scan.placed(grid, position), t1.image[part], unit)
        yield ObjectSeries(number, name, slices_of(volume))


def _slices_at(t1: Geometry, station: Geometry) -> slice:
    """Return the T1 slices, feet to head, whose middle lies in a station's slab."""
    half = station.spacing_mm[0] / 2
    ends = [float(station.to_patient_mm((k, 0, 0))[2]) for k in (0, station.shape[0] - 1)]
    z = t1.origin_mm[2] + t1.spacing_mm[0] * np.arange(t1.shape[0])
    inside = np.flatnonzero((z >= min(ends) - half) & (z <= max(ends) + half))
    return slice(int(inside[0]), int(inside[-1]) + 1)
