"""The page of the report as pixels, for a PACS that shows no PDF (PS3.3 A.8.1).

It says nothing of the patient: the viewer shows that from the header, as with every image.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydicom.uid import SecondaryCaptureImageStorage

from dicom_objects.writing.references import refer_as_a_whole
from dicom_objects.writing.study_object import begin, finish

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from pydicom import Dataset

    from dicom_objects.writing.study_object import ObjectIdentity, StudySource


def capture_page(page: NDArray[np.uint8], identity: ObjectIdentity, source: StudySource) -> Dataset:
    """Encode a page (row, column, red green blue) without loss and without compression."""
    made = begin(identity, source, SecondaryCaptureImageStorage, "OT")
    made.ConversionType = "WSD"
    made.ImageType = ["DERIVED", "SECONDARY", "REPORT"]
    made.DerivationDescription = "Report of the measurements on the images that are referred to"
    set_pixels(made, page)
    refer_as_a_whole(made, source.images)
    return finish(made, source)


def set_pixels(made: Dataset, pixels: NDArray[np.uint8]) -> None:
    """Set 8-bit pixels, ([frame,] row, column [, red green blue]), that name nobody."""
    colours = pixels.shape[-1] == 3
    rows, columns = pixels.shape[-3:-1] if colours else pixels.shape[-2:]
    made.SamplesPerPixel = 3 if colours else 1
    made.PhotometricInterpretation = "RGB" if colours else "MONOCHROME2"
    if colours:
        made.PlanarConfiguration = 0
    made.Rows, made.Columns = rows, columns
    made.BitsAllocated = made.BitsStored = 8
    made.HighBit = 7
    made.PixelRepresentation = 0
    made.BurnedInAnnotation = "NO"
    made.RecognizableVisualFeatures = "YES"
    made.LossyImageCompression = "00"
    stored = pixels.tobytes()
    made.PixelData = stored + b"\0" * (len(stored) % 2)
    made["PixelData"].VR = "OB"
