"""What Philips sends beside its images: a private object and a presentation state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydicom.sequence import Sequence as Items
from pydicom.uid import GrayscaleSoftcopyPresentationStateStorage, MRImageStorage

from dicom_objects.scanner.documents import document_header
from dicom_objects.scanner.headers import Sequence, header_of
from dicom_objects.uids import derived_uid

if TYPE_CHECKING:
    from pydicom import Dataset

    from dicom_objects.scanner.scan import Scan

PRIVATE_MR_SERIES = "1.3.46.670589.11.0.0.12.2"


def private_object(scan: Scan, sequence: Sequence) -> Dataset:
    """Return the private object of a series: rows and columns, but no pixels."""
    header = document_header(scan, sequence, PRIVATE_MR_SERIES)
    header.Rows = header.Columns = 80
    return header


def presentation_state(scan: Scan, sequence: Sequence) -> Dataset:
    """Return a Grayscale Softcopy Presentation State that shows the series of the same station."""
    header = document_header(scan, sequence, GrayscaleSoftcopyPresentationStateStorage)
    series_uid = scan.uid("series", str(sequence.number - 2))
    image = header_of(
        {
            "ReferencedSOPClassUID": MRImageStorage,
            "ReferencedSOPInstanceUID": derived_uid(str(series_uid), "0"),
        }
    )
    shown = header_of({"SeriesInstanceUID": series_uid, "ReferencedImageSequence": Items([image])})
    header.update(
        header_of(
            {
                "Modality": "PR",
                "BodyPartExamined": "WHOLEBODY",
                "ContentLabel": "DEFAULT",
                "ContentDescription": "",
                "ContentCreatorName": "",
                "PresentationCreationDate": header.StudyDate,
                "PresentationCreationTime": header.StudyTime,
                "ReferencedSeriesSequence": Items([shown]),
                "DisplayedAreaSelectionSequence": Items([_whole_area()]),
                "PresentationLUTShape": "IDENTITY",
            }
        )
    )
    return header


def _whole_area() -> Dataset:
    return header_of(
        {
            "DisplayedAreaTopLeftHandCorner": [1, 1],
            "DisplayedAreaBottomRightHandCorner": [80, 80],
            "PresentationSizeMode": "SCALE TO FIT",
            "PresentationPixelAspectRatio": [1, 1],
        }
    )
