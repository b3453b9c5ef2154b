"""Rotating projections as multi-frame Secondary Capture: grey (A.8.3) and true colour (A.8.5).

One object a turn and not one a frame: a PACS plays it as a loop, and a study has two more objects
and not 240. Pixels are not compressed, which every PACS takes (docs/decisions/0015).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from highdicom.sr import CodedConcept
from pydicom.sr.codedict import codes as dicom_codes
from pydicom.uid import (
    MultiFrameGrayscaleByteSecondaryCaptureImageStorage,
    MultiFrameTrueColorSecondaryCaptureImageStorage,
)

from dicom_objects.writing.references import refer_as_a_whole
from dicom_objects.writing.secondary_capture import set_pixels
from dicom_objects.writing.study_object import begin, finish

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from pydicom import Dataset

    from dicom_objects.writing.study_object import ObjectIdentity, StudySource

_FRAME_MS = 100
_FRAME_TIME = 0x00181063


def encode_mip_series(
    frames: NDArray[np.uint8], identity: ObjectIdentity, source: StudySource
) -> Dataset:
    """Encode one turn, (frame, row, column) or with (red, green, blue), in order of the angle.

    Grey values are those to be shown: high signal is dark in the values themselves, because
    viewers differ in what they do with MONOCHROME1, which these objects may not have either.
    """
    grey = frames.ndim == 3
    sop_class_uid = (
        MultiFrameGrayscaleByteSecondaryCaptureImageStorage
        if grey
        else MultiFrameTrueColorSecondaryCaptureImageStorage
    )
    made = begin(identity, source, sop_class_uid, str(source.header.Modality))
    made.ConversionType = "SYN"
    made.ImageType = ["DERIVED", "SECONDARY", "PROJECTION IMAGE", "MIP"]
    made.DerivationDescription = (
        f"{len(frames)} maximum intensity projections of the highest b-value around the length "
        "axis of the body, high signal dark. Not for measurement of lengths."
    )
    made.DerivationCodeSequence = [_projection()]
    made.NumberOfFrames = len(frames)
    made.FrameIncrementPointer = _FRAME_TIME
    made.FrameTime = _FRAME_MS
    made.CineRate = made.RecommendedDisplayFrameRate = 1000 // _FRAME_MS
    made.PreferredPlaybackSequencing = 0  # looping
    if grey:
        made.PresentationLUTShape = "IDENTITY"
        made.RescaleIntercept, made.RescaleSlope, made.RescaleType = 0, 1, "US"
        made.WindowCenter, made.WindowWidth = 128, 256
    set_pixels(made, frames)
    refer_as_a_whole(made, source.images)
    return finish(made, source)


def _projection() -> CodedConcept:
    code = dicom_codes.DCM.MaximumIntensityProjection
    return CodedConcept(code.value, code.scheme_designator, code.meaning)
