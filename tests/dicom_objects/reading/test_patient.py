"""Whose study it is, read in clear."""

import warnings

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from dicom_objects.reading.patient import read_patient


def written(path, **values):
    made = Dataset()
    made.SOPClassUID = "1.2.840.10008.5.1.4.1.1.4"
    made.SOPInstanceUID = "1.2.3"
    made.StudyInstanceUID = "1.2"
    made.Modality = "MR"
    made.file_meta = FileMetaDataset()
    made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID
    made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for keyword, value in values.items():
            setattr(made, keyword, value)
        made.save_as(path, enforce_file_format=True)
    return path


def test_the_first_mr_image_says_whose_study_it_is(tmp_path):
    report = written(tmp_path / "1", Modality="SR", PatientID="OTHER")
    image = written(
        tmp_path / "2",
        SpecificCharacterSet="ISO_IR 100",
        PatientID=" P1 ",
        IssuerOfPatientID="SITE",
        PatientName="Müller^Erika",
        PatientBirthDate="19500102",
        PatientSex="F",
        StudyDate="20260601",
        StudyTime="101500",
    )
    (tmp_path / "3").write_bytes(b"no DICOM")
    patient = read_patient([tmp_path / "3", tmp_path / "gone", report, image])
    assert (patient.study_uid, patient.patient_id, patient.issuer) == ("1.2", "P1", "SITE")
    assert (patient.name, patient.birth_date, patient.sex) == ("Müller^Erika", "19500102", "F")
    assert (patient.study_date, patient.study_time) == ("20260601", "101500")
    assert "P1" not in repr(patient)
    assert "Erika" not in repr(patient)


def test_dates_of_acr_nema_are_those_of_dicom(tmp_path):
    patient = read_patient([written(tmp_path / "1", PatientBirthDate="1950.01.02")])
    assert (patient.birth_date, patient.name, patient.patient_id) == ("19500102", "", "")


def test_without_an_mr_image_nobody_is_known(tmp_path):
    assert read_patient([written(tmp_path / "1", Modality="CT")]) is None
    assert read_patient([]) is None
