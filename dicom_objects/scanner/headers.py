"""What all series of a synthetic study say: who, when, and how it was scanned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from dicom_objects.uids import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Identity:
    """Who the synthetic study says it is about; dates YYYYMMDD, time HHMMSS."""

    patient_name: str = "OSTEON^PHANTOM"
    patient_id: str = "OSTEON-PHANTOM"
    birth_date: str = "19600101"
    sex: str = "M"
    accession_number: str = "PHANTOM1"
    study_date: str = "20250115"
    study_time: str = "101500"
    study_id: str = "1"


@dataclass(frozen=True)
class Sequence:
    """What tells one series from another, apart from its pixels and its b-value."""

    number: int
    description: str
    image_type: tuple[str, ...]
    scanning: str = "EP"
    echo_time_ms: float = 66.0
    repetition_time_ms: float = 6500.0


def header_of(values: Mapping[str, object]) -> Dataset:
    """Build a data set from keywords and values."""
    header = Dataset()
    for keyword, value in values.items():
        setattr(header, keyword, value)
    return header


def file_meta() -> FileMetaDataset:
    """Return the meta information of a file in Explicit VR Little Endian (PS3.10 7.1)."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = IMPLEMENTATION_CLASS_UID
    meta.ImplementationVersionName = IMPLEMENTATION_VERSION_NAME
    return meta


def study_header(identity: Identity, study_uid: str) -> Dataset:
    """Patient, study and equipment; a flavour's own equipment replaces this one's."""
    return header_of(
        {
            "SpecificCharacterSet": "ISO_IR 192",
            "StudyInstanceUID": study_uid,
            "StudyDate": identity.study_date,
            "StudyTime": identity.study_time,
            "StudyID": identity.study_id,
            "StudyDescription": "WHOLE BODY DIFFUSION (SYNTHETIC)",
            "AccessionNumber": identity.accession_number,
            "ReferringPhysicianName": "",
            "PatientName": identity.patient_name,
            "PatientID": identity.patient_id,
            "PatientBirthDate": identity.birth_date,
            "PatientSex": identity.sex,
            "PatientAge": "064Y",
            "PatientSize": 1.75,
            "PatientWeight": 78.0,
            "Manufacturer": "OSTEON PHANTOM",
            "ManufacturerModelName": "Synthetic whole-body scanner",
            "DeviceSerialNumber": "0",
            "SoftwareVersions": "1",
            "InstitutionName": "",
            "Modality": "MR",
            "MagneticFieldStrength": 1.5,
            "BodyPartExamined": "WHOLEBODY",
            "PatientPosition": "HFS",
        }
    )


def series_header(sequence: Sequence, identity: Identity) -> Dataset:
    """One series of classic MR images, without its UID."""
    minutes = (int(identity.study_time[2:4]) + sequence.number // 50) % 60
    time = f"{identity.study_time[:2]}{minutes:02d}{sequence.number % 50:02d}"
    return header_of(
        {
            "ImageType": list(sequence.image_type),
            "SeriesNumber": sequence.number,
            "AcquisitionNumber": 1,
            "SeriesDescription": sequence.description,
            "ProtocolName": sequence.description,
            "SeriesDate": identity.study_date,
            "SeriesTime": time,
            "AcquisitionDate": identity.study_date,
            "AcquisitionTime": time,
            "ContentDate": identity.study_date,
            "ContentTime": time,
            "ScanningSequence": sequence.scanning,
            "SequenceVariant": "SK",
            "ScanOptions": "FS",
            "MRAcquisitionType": "2D",
            "EchoTime": sequence.echo_time_ms,
            "RepetitionTime": sequence.repetition_time_ms,
            "EchoTrainLength": 1,
            "NumberOfAverages": 1,
            "FlipAngle": 90,
        }
    )
