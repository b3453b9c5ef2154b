"""Frames made by hand over one raw file: a world whose every voxel says where it is.

The signal is a function of the position in mm and of b, so a volume is right exactly when its
pixels say what its geometry says.
"""

from dataclasses import replace

import numpy as np

from dicom_objects.reading.bvalues import BReading
from dicom_objects.reading.frames import Frame, Pixels, Plane
from dicom_objects.reading.station_images import load_stack

ROWS, COLUMNS = 8, 6
SPACING_MM = (2.0, 3.0)
SLICE_MM = 5.0
TRACE = ("DERIVED", "PRIMARY", "DIFFUSION", "TRACEW")
AXES = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))


def signal(points_mm, b, gain=1.0):
    """Return the signal at LPS positions (..., 3): unlike its neighbours, weaker at higher b.

    One voxel further it differs by 0.5 % or more; storing it as an integer costs 0.05 %.
    """
    x, y, z = np.moveaxis(np.asarray(points_mm, dtype=np.float64), -1, 0)
    return gain * (20000 + 60 * x - 80 * y + 45 * z) * np.exp(-b / 1000)


class World:
    """Collects frames and writes their pixels into one file."""

    def __init__(self, path):
        self.path = path
        self.frames = []
        self.stored = []

    def add(self, corner_mm, orientation, *, b=50.0, gain=1.0, **changes):
        """Add one slice whose first pixel is at `corner_mm`."""
        along_row, down_column = np.split(np.array(orientation, dtype=float), 2)
        rows, columns = np.mgrid[:ROWS, :COLUMNS]
        points = (
            np.array(corner_mm, dtype=float)
            + rows[..., None] * down_column * SPACING_MM[0]
            + columns[..., None] * along_row * SPACING_MM[1]
        )
        image = np.rint(signal(points, b, gain)).astype("<u2")
        offset = len(self.frames) * image.nbytes
        frame = replace(
            self._blank(offset),
            plane=Plane(
                tuple(map(float, corner_mm)),
                tuple(map(float, orientation)),
                SPACING_MM,
                ROWS,
                COLUMNS,
                "1.2.3",
            ),
            b=BReading(b, "test"),
        )
        self.frames.append(replace(frame, **changes))
        self.stored.append(image)
        return self.frames[-1]

    def add_volume(self, origin_mm, orientation, n_slices, **settings):
        """Add slices along the normal from `origin_mm` on."""
        normal = np.cross(orientation[:3], orientation[3:])
        return [
            self.add(np.array(origin_mm) + k * SLICE_MM * normal, orientation, **settings)
            for k in range(n_slices)
        ]

    def copy(self, frame, **changes):
        """Send the pixels of a frame again as another object."""
        image = self.stored[self.frames.index(frame)]
        offset = len(self.frames) * image.nbytes
        again = replace(
            frame,
            sop_instance_uid=f"1.2.3.{len(self.frames)}",
            pixels=replace(frame.pixels, offset=offset),
        )
        self.frames.append(replace(again, **changes))
        self.stored.append(image)
        return self.frames[-1]

    def write(self):
        """Write the pixels of all frames."""
        self.path.write_bytes(b"".join(image.tobytes() for image in self.stored))

    def _blank(self, offset):
        number = len(self.frames)
        return Frame(
            path=self.path,
            frame_number=None,
            sop_class_uid="1.2.840.10008.5.1.4.1.1.4",
            sop_instance_uid=f"1.2.3.{number}",
            study_uid="1.2",
            series_uid="1.2.9",
            series_number=9,
            series_description="made",
            patient_id="P",
            manufacturer="TEST",
            patient_position="HFS",
            image_type=TRACE,
            sequence_name="",
            directionality="",
            gradient=None,
            b=BReading(0.0, "test"),
            echo_time_ms=60.0,
            repeat=("", "", ""),
            plane=None,
            pixels=Pixels(offset, "<u2", 1.0, 0.0, lossy=False, stored_shape=(ROWS, COLUMNS)),
        )


def gains(stack):
    """Return (slice, voxel) how often the true signal each voxel of a stack has."""
    geometry = stack.geometry
    index = np.moveaxis(np.indices(geometry.shape), 0, -1)
    found = load_stack(stack) / signal(geometry.to_patient_mm(index), stack.b)
    return found.reshape(len(found), -1)


def assert_right(plan, expected_gain=None, *, by_slice=False):
    """Assert that every voxel of every station has the signal of the place that it claims.

    The gain must be one for a whole stack, or for each slice where repeats that nothing tells
    apart may stand for each other.
    """
    for station in plan.stations:
        for stack in station.stacks:
            found = gains(stack)
            assert np.ptp(found, axis=1 if by_slice else None).max() < 0.002
            assert 0.999 < found.min() <= found.max() < 1.401
            if expected_gain is not None:
                assert abs(np.median(found) - expected_gain) < 0.001
