"""One two-dimensional image of a study and everything that its header says about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from dicom_objects.reading.bvalues import BReading


@dataclass(frozen=True)
class Pixels:
    """How to turn stored bytes into the image.

    The image is `stored[row0:row0 + rows, column0:column0 + columns]` of one stored frame, with
    rows and columns of its plane: all of it, or one tile of a mosaic.
    """

    offset: int | None
    """Where the uncompressed stored frame begins in the file; None: it must be decoded."""
    dtype: str
    slope: float
    intercept: float
    lossy: bool
    stored_shape: tuple[int, int]
    """Rows and columns of the stored frame."""
    origin: tuple[int, int] = (0, 0)
    """Row and column of the stored frame where the image begins."""
    unused_bits: int = 0
    """High bits of each uncompressed value that are not its own (overlays may stand there)."""
    transfer_syntax_uid: str = ""


@dataclass(frozen=True)
class Plane:
    """Where one slice is, in LPS mm (C.7.6.2)."""

    position_mm: tuple[float, ...]
    orientation: tuple[float, ...]
    spacing_mm: tuple[float, ...]
    """Between rows, between columns."""
    rows: int
    columns: int
    frame_of_reference_uid: str


@dataclass(frozen=True)
class Frame:
    """A classic instance, one frame of an enhanced one, or one tile of a mosaic.

    Text that is missing is "", numbers that are missing None.
    """

    path: Path = field(repr=False)
    frame_number: int | None
    """From 1 in a multi-frame object; None in a single-frame one. The tiles of a mosaic have one
    SOP Instance UID and no frame number: `pixels.origin` tells them apart."""
    sop_class_uid: str
    sop_instance_uid: str
    study_uid: str
    series_uid: str
    series_number: int | None
    series_description: str = field(repr=False)
    patient_id: str = field(repr=False)
    manufacturer: str
    patient_position: str
    image_type: tuple[str, ...]
    """ImageType and, for enhanced objects, FrameType: upper case tokens."""
    sequence_name: str
    directionality: str
    gradient: tuple[float, ...] | None
    b: BReading
    echo_time_ms: float | None
    repeat: tuple[str, ...]
    """What tells repeats at one position apart: acquisition number, temporal position, time."""
    plane: Plane | None
    pixels: Pixels | None
    problem: tuple[str, str] | None = None
    """Code and sentence when this form of object cannot be read."""
    private_stripped: bool = False
    """No b-value, and no private group is left in which the vendor would have kept it."""
