"""Whether a place can be measured by its geometry (dicom.md A4)."""

from __future__ import annotations

from math import acos, degrees
from typing import TYPE_CHECKING

from dicom_objects.reading.planes import axes_of, plane_of

if TYPE_CHECKING:
    from dicom_objects.reading.limits import FitLimits
    from dicom_objects.reading.slices import Reason
    from dicom_objects.reading.volumes import Volume


def geometry_refusal(volume: Volume, limits: FitLimits) -> Reason | None:
    """Refuse a place that lies too oblique or whose voxels are too large."""
    along_z = abs(float(axes_of(plane_of(volume.first))[0][2]))
    angle = degrees(acos(min(along_z, 1.0)))
    if angle > limits.oblique_max_degrees:
        text = (
            f"the slices are turned {angle:.0f} degrees from axial;"
            f" at most {limits.oblique_max_degrees:g} can be measured."
        )
        return ("OBLIQUE_TOO_LARGE", text)
    between_slices, *in_plane = volume.grid.spacing_mm
    coarse = max(in_plane) > limits.in_plane_spacing_max_mm
    if coarse or between_slices > limits.slice_spacing_max_mm:
        text = (
            f"voxels of {max(in_plane):.1f} mm in-plane and slices {between_slices:.1f} mm apart;"
            f" at most {limits.in_plane_spacing_max_mm:g} and {limits.slice_spacing_max_mm:g} mm"
            " can be measured."
        )
        return ("SPACING_RANGE", text)
    return None
