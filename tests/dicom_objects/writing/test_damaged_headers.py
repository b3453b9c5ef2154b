"""A value that nobody can read is left out of what is made of a header, and spoils nothing."""

import numpy as np
from pydicom import Dataset, dcmread

from dicom_objects.reading.records import SourceImage
from dicom_objects.writing.source_images import read_headers_of, read_patient_name
from tests.dicom_objects.reading.forms import classic, item

# Where a sequence belongs: one and a half numbers.
WRONG_LENGTH = b"\x08\x00\x40\x11US\x03\x00abc"
UNKNOWN_VR = b"\x08\x00\x50\x10OT\x02\x00ab"
# A sequence whose item ends before its first tag.
CUT_ITEM = b"\x08\x00\x11\x11SQ\0\0\x04\0\0\0\xfe\xff\x00\xe0"


def damaged(path):
    dataset = classic(np.zeros((4, 4), np.uint16))
    dataset.PatientID, dataset.StudyDate = "4711", "20260102"
    dataset.ReferencedStudySequence = [item(ReferencedSOPInstanceUID="1.2.3.4")]
    dataset.save_as(path, enforce_file_format=True)
    data = path.read_bytes()
    at = data.index(b"\x08\x00\x60\x00CS")  # Modality
    path.write_bytes(data[:at] + WRONG_LENGTH + UNKNOWN_VR + CUT_ITEM + data[at:])
    return path


def test_what_cannot_be_read_is_left_out_and_the_rest_stays(tmp_path):
    path = damaged(tmp_path / "a.dcm")
    (header,) = read_headers_of([SourceImage(path)]).values()
    assert isinstance(header, Dataset)
    assert (0x0008, 0x1140) not in header
    assert (0x0008, 0x1050) not in header
    assert (0x0008, 0x1111) not in header
    assert (header.PatientID, header.StudyDate, header.AccessionNumber) == ("4711", "20260102", "")
    (reference,) = header.ReferencedStudySequence
    assert reference.ReferencedSOPInstanceUID == "1.2.3.4"
    written = tmp_path / "b.dcm"
    header.save_as(written, enforce_file_format=True)
    assert dcmread(written).PatientID == "4711"


def test_a_name_that_cannot_be_read_is_empty(tmp_path):
    path = tmp_path / "a.dcm"
    dataset = classic(np.zeros((4, 4), np.uint16))
    dataset.PatientName = "SYNTHETIC1"
    dataset.save_as(path, enforce_file_format=True)
    path.write_bytes(path.read_bytes().replace(b"\x10\x00\x10\x00PN", b"\x10\x00\x10\x00FD"))
    assert read_patient_name(path) == ""
