"""Objects of a study that are no images: their header."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dicom_objects.scanner.headers import Sequence, file_meta

if TYPE_CHECKING:
    from pydicom import Dataset

    from dicom_objects.scanner.scan import Scan

_NOT_OF_A_DOCUMENT = (
    "ImageType", "AcquisitionNumber", "AcquisitionDate", "AcquisitionTime", "ContentDate",
    "ContentTime", "ScanningSequence", "SequenceVariant", "ScanOptions", "MRAcquisitionType",
    "EchoTime", "RepetitionTime", "EchoTrainLength", "NumberOfAverages", "FlipAngle",
    "MagneticFieldStrength", "BodyPartExamined", "PatientPosition", "ProtocolName",
    "InPlanePhaseEncodingDirection",
)  # fmt: skip


def document_header(scan: Scan, sequence: Sequence, sop_class_uid: str) -> Dataset:
    """Return the header of an object of `sop_class_uid` in the series of `sequence`."""
    header = scan.header(sequence)
    for keyword in _NOT_OF_A_DOCUMENT:
        if keyword in header:
            delattr(header, keyword)
    header.SOPClassUID = sop_class_uid
    header.SOPInstanceUID = scan.uid("document", str(sequence.number), sop_class_uid)
    header.InstanceNumber = 1
    header.file_meta = file_meta()
    header.file_meta.MediaStorageSOPInstanceUID = header.SOPInstanceUID
    return header
