"""A header without what no rule reads says the same as the whole one."""

import struct
from io import BytesIO

import numpy as np
import pydicom
import pytest
from pydicom.filereader import read_dataset
from pydicom.uid import ImplicitVRLittleEndian

from dicom_objects.attributes import InstanceHeader
from dicom_objects.reading import headers, opening, thinning
from tests.dicom_objects.reading.forms import EXPECTED, SCANNERS, classic, item, needs_scanners

STORED = np.arange(16, dtype=np.uint16).reshape(4, 4)


def busy_dataset():
    """Elements of many kinds between those that are read, nested with and without lengths."""
    dataset = classic(STORED)
    dataset.PatientName = "Nobody^At all"
    inner = item(CodeValue="1", PurposeOfReferenceCodeSequence=[item(CodeMeaning="x" * 60)])
    dataset.ReferencedImageSequence = [inner, inner]
    dataset["ReferencedImageSequence"].is_undefined_length = True
    for one in dataset.ReferencedImageSequence:
        one.is_undefined_length_sequence_item = True
    dataset.RequestAttributesSequence = [item(RequestedProcedureID="7")]
    block = dataset.private_block(0x0019, "SIEMENS MR HEADER", create=True)
    block.add_new(0x0C, "IS", 800)
    block.add_new(0x0F, "SH", "not read")
    dataset.private_block(0x0051, "SIEMENS MR HEADER", create=True).add_new(0x0F, "LO", "coil")
    return dataset


@pytest.mark.parametrize("implicit", [False, True])
def test_only_what_is_read_is_kept_and_the_pixels_are_found(tmp_path, implicit):
    path = tmp_path / "a.dcm"
    dataset = busy_dataset()
    if implicit:
        dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    pydicom.dcmwrite(path, dataset, implicit_vr=implicit, little_endian=True)
    data = path.read_bytes()
    kept = thinning.thin(data)
    at = kept.pixels_at
    assert data[at : at + 4] == struct.pack("<HH", 0x7FE0, 0x0010)
    header = read_dataset(BytesIO(kept.elements), implicit, True)
    assert "PatientName" not in header
    assert "ReferencedImageSequence" not in header
    assert header.ImagePositionPatient == [0, 0, 0]
    assert (0x0019, 0x100C) in header
    assert (0x0019, 0x100F) not in header
    assert len(kept.elements) < 1000
    (frame,), _ = headers.read_headers([path])
    assert frame.b.value == 800
    assert frame.pixels.offset == at + (8 if implicit else 12)


def test_what_is_unusual_is_left_to_a_full_parse(tmp_path):
    path = tmp_path / "a.dcm"
    busy_dataset().save_as(path)
    data = path.read_bytes()
    assert thinning.thin(data[132:]) is None  # no preamble
    assert thinning.thin(data.replace(b"CS", b"??")) is None  # no such VR


def test_a_header_does_not_know_keywords_that_are_left_out():
    header = InstanceHeader(busy_dataset())
    with pytest.raises(LookupError):
        header.get("NoSuchKeyword")


# The large XA30 case has the same two enhanced forms as XA61; it would take seconds.
SMALL = [case for case, body in EXPECTED.items() if body["bytes"] < 5_000_000]


@needs_scanners
@pytest.mark.parametrize("case", SMALL)
def test_real_files_give_the_same_frames_from_the_whole_header(case, monkeypatch):
    paths = sorted(p for p in (SCANNERS / case).rglob("*") if p.is_file())
    thinned, _ = headers.read_headers(paths)
    monkeypatch.setattr(opening, "thin", lambda _: None)
    whole, unreadable = headers.read_headers(paths)
    assert not unreadable
    assert thinned == whole
