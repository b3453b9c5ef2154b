from __future__ import annotations

import hashlib
import hmac

import pytest
from pydicom import Dataset, dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage

from dicom_objects.reading.examination import PatientKeys, read_examination

SECRET = b"a secret of this installation"
GIVEN = {
    "Modality": "MR",
    "StudyInstanceUID": "1.2.3",
    "StudyDate": "20260102",
    "StudyTime": "101530.25",
    "PatientID": "ID-4711",
    "IssuerOfPatientID": "HOSPITAL",
    "PatientBirthDate": "19600101",
    "PatientSex": "M",
    "Manufacturer": "MAKER",
    "ManufacturerModelName": "Model",
    "DeviceSerialNumber": "77",
    "MagneticFieldStrength": 1.5,
}


@pytest.fixture
def image(tmp_path):
    def write(name="a.dcm", **changed):
        dataset = Dataset()
        for keyword, value in {**GIVEN, **changed}.items():
            setattr(dataset, keyword, value)
        dataset.SOPClassUID, dataset.SOPInstanceUID = MRImageStorage, "1.2.3.4"
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        dcmwrite(tmp_path / name, dataset, enforce_file_format=True)
        return tmp_path / name

    return write


def test_it_says_when_and_where(image):
    found = read_examination([image()])
    assert found.study_uid == "1.2.3"
    assert found.taken_at == "2026-01-02T10:15:30"
    assert found.scanner == "MAKER Model, 1.5 T"
    assert len(found.scanner_key) == 16
    assert found.patient == PatientKeys()  # without a secret nothing is said of the patient


def test_a_patient_is_a_keyed_digest_of_issuer_and_id(image):
    found = read_examination([image()], SECRET).patient
    expected = hmac.new(SECRET, b"patient\x1fHOSPITAL\x1fID-4711", hashlib.sha256).hexdigest()
    assert found.patient == expected
    assert "4711" not in repr(found)
    assert found.patient not in repr(found)


@pytest.mark.parametrize(
    ("changed", "same"),
    [
        ({"StudyInstanceUID": "9.9", "StudyDate": "20270101"}, True),
        ({"PatientID": "ID-4712"}, False),
        ({"IssuerOfPatientID": "OTHER"}, False),
    ],
)
def test_one_patient_has_one_key(image, changed, same):
    one = read_examination([image()], SECRET).patient.patient
    two = read_examination([image("b.dcm", **changed)], SECRET).patient.patient
    assert (one == two) is same


def test_another_installation_has_other_keys(image):
    path = image()
    one, two = (read_examination([path], secret).patient for secret in (SECRET, b"other"))
    assert one.patient != two.patient


@pytest.mark.parametrize(
    ("changed", "conflict"),
    [
        ({}, False),
        ({"PatientBirthDate": "19600102"}, True),
        ({"PatientSex": "F"}, True),
        ({"PatientBirthDate": "", "PatientSex": ""}, False),
    ],
)
def test_one_id_of_two_persons_is_a_conflict(image, changed, conflict):
    one = read_examination([image()], SECRET).patient
    two = read_examination([image("b.dcm", **changed)], SECRET).patient
    assert one.conflicts_with(two) is conflict


def test_what_is_missing_is_empty_and_not_equal(image):
    found = read_examination(
        [
            image(
                PatientID="",
                StudyDate="",
                Manufacturer="",
                ManufacturerModelName="",
                DeviceSerialNumber="",
            )
        ],
        SECRET,
    )
    assert (found.patient.patient, found.taken_at, found.scanner_key) == ("", "", "")


def test_the_first_mr_image_decides(image, tmp_path):
    damaged = tmp_path / "damaged.dcm"
    damaged.write_bytes(b"nothing")
    report = image("sr.dcm", Modality="SR", StudyDate="19990101")
    found = read_examination([damaged, report, image("z.dcm")])
    assert found.taken_at == "2026-01-02T10:15:30"
    assert read_examination([damaged, report]) is None
