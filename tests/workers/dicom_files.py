"""Tiny DICOM files to send: any SEG or SR class, no pixels."""

from pathlib import Path

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

SEG = "1.2.840.10008.5.1.4.1.1.66.4"
SR = "1.2.840.10008.5.1.4.1.1.88.34"


def write_object(path: Path, sop_class_uid: str, sop_instance_uid: str) -> Path:
    data_set = Dataset()
    data_set.SOPClassUID = sop_class_uid
    data_set.SOPInstanceUID = sop_instance_uid
    data_set.StudyInstanceUID = "2.25.100"
    data_set.SeriesInstanceUID = "2.25.900"
    data_set.file_meta = FileMetaDataset()
    data_set.file_meta.MediaStorageSOPClassUID = sop_class_uid
    data_set.file_meta.MediaStorageSOPInstanceUID = sop_instance_uid
    data_set.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    path.parent.mkdir(parents=True, exist_ok=True)
    data_set.save_as(path, enforce_file_format=True)
    return path
