"""What cannot be seen through the web: damaged values, offset tables, signatures after pixels."""

import json
import math
import struct

import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate, encapsulate_extended
from pydicom.uid import (
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
)

from dicom_objects.served.errors import NoSuchValue, NotEncodable, UnreadableObject
from dicom_objects.served.explicit_vr import in_explicit_vr
from dicom_objects.served.frame_places import find_frames
from dicom_objects.served.headers import read_attributes, read_metadata, read_value
from dicom_objects.served.json_model import json_model


def written(path, made, syntax=ExplicitVRLittleEndian):
    made.SOPClassUID, made.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.4", "1.2.3"
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = made.SOPClassUID, "1.2.3"
    meta.TransferSyntaxUID = syntax
    made.file_meta = meta
    made.save_as(path, enforce_file_format=True)
    return path


def image(frames=1, rows=4, columns=3):
    made = Dataset()
    made.Rows, made.Columns, made.SamplesPerPixel = rows, columns, 1
    made.BitsAllocated = made.BitsStored = 16
    made.HighBit, made.PixelRepresentation = 15, 0
    made.PhotometricInterpretation = "MONOCHROME2"
    made.NumberOfFrames = frames
    return made


def rebuilt(path, made):
    """Put a re-encoded object together from its pieces, as the web server does."""
    stored = path.read_bytes()[made.start : made.start + made.length]
    if made.word == 2:
        n = len(stored) // 2
        stored = struct.pack(f"<{n}H", *struct.unpack(f">{n}H", stored))
    return made.before + stored + made.after


def test_the_json_model_is_pydicoms_but_for_large_values():
    made = Dataset()
    made.PatientName, made.PatientID = "A^B", "1"
    made.ImagePositionPatient = [1.5, -2.0, 3.25]
    made.FrameIncrementPointer = 0x00181063
    made.add_new(0x00189087, "FD", 900.0)
    item = Dataset()
    item.CodeValue = "113039"
    made.ContentSequence = [item]
    assert json_model(made, "x") == made.to_json_dict()


def test_numbers_that_json_does_not_know_are_words():
    made = Dataset()
    made.add_new(0x00189087, "FD", [math.nan, math.inf, -math.inf, 1.0])
    told = json_model(made, "x")
    assert told["00189087"]["Value"] == ["NaN", "inf", "-inf", 1.0]
    json.dumps(told, allow_nan=False)


def test_small_binary_values_stand_in_the_metadata_and_large_ones_are_read_by_address(tmp_path):
    made = image()
    made.add_new(0x00282000, "OB", b"\x01\x02")
    made.add_new(0x00290010, "LO", "OSTEON TEST")
    made.add_new(0x00291010, "OB", bytes(range(250)) * 10)
    path = written(tmp_path / "a.dcm", made)
    told = read_metadata(path, "at")
    assert told["00282000"] == {"vr": "OB", "InlineBinary": "AQI="}
    assert told["00291010"] == {"vr": "OB", "BulkDataURI": "at/00291010"}
    assert "7FE00010" not in told
    assert "00020010" not in told
    assert read_value(path, ["00291010"]) == bytes(range(250)) * 10
    for steps in (["00280010"], ["00291011"], ["00291010", "1", "00100010"]):
        with pytest.raises(NoSuchValue):
            read_value(path, steps)


@pytest.mark.filterwarnings("ignore:Invalid value for VR IS")  # the child shows none
def test_a_damaged_value_is_left_out_and_the_others_stay(tmp_path):
    made = image()
    made.PatientID = "KEPT"
    path = written(tmp_path / "a.dcm", made)
    data = path.read_bytes()
    at = data.index(b"\x28\x00\x08\x00IS")
    path.write_bytes(data[: at + 8] + b"x?" + data[at + 10 :])
    told = read_metadata(path, "")
    assert "00280008" not in told
    assert told["00100020"]["Value"] == ["KEPT"]


@pytest.mark.parametrize("data", [b"", b"DICM", bytes(128) + b"DICM", b"<html>" * 100])
def test_what_is_no_object_is_told_so(tmp_path, data):
    path = tmp_path / "a.dcm"
    path.write_bytes(data)
    for read in (lambda p: read_attributes(p, ("PatientID",)), find_frames, in_explicit_vr):
        with pytest.raises(UnreadableObject):
            read(path)


@pytest.mark.parametrize("how", ["basic", "extended", "fragments"])
def test_frames_of_several_fragments_are_found_by_their_offset_table(tmp_path, how):
    made = image(frames=3)
    frames = [bytes([n]) * 10 for n in (1, 2, 3)]
    if how == "extended":
        made.PixelData, offsets, lengths = encapsulate_extended(frames)
        made.ExtendedOffsetTable, made.ExtendedOffsetTableLengths = offsets, lengths
    else:
        per_frame = 1 if how == "fragments" else 2
        made.PixelData = encapsulate(frames, per_frame, has_bot=how == "basic")
    made["PixelData"].is_undefined_length = True
    path = written(tmp_path / "a.dcm", made, JPEG2000Lossless)
    places = find_frames(path)
    data = path.read_bytes()
    found = [b"".join(data[a : a + n] for a, n in frame) for frame in places.encapsulated]
    assert [frame.rstrip(b"\0") for frame in found] == frames


def test_fragments_without_a_table_are_not_guessed(tmp_path):
    made = image(frames=2)
    made.PixelData = encapsulate([bytes(10), bytes(10)], 3, has_bot=False)
    made["PixelData"].is_undefined_length = True
    with pytest.raises(NotEncodable):
        find_frames(written(tmp_path / "a.dcm", made, JPEG2000Lossless))


def test_native_frames_lie_one_after_the_other(tmp_path):
    made = image(frames=2)
    made.PixelData = struct.pack("<24H", *range(24))
    path = written(tmp_path / "a.dcm", made)
    places = find_frames(path)
    assert (places.n_frames, places.frame_bits, places.word) == (2, 4 * 3 * 16, 1)
    assert path.read_bytes()[places.start : places.start + 48] == made.PixelData


def test_pixel_data_that_are_too_short_are_told(tmp_path):
    made = image(frames=2)
    made.PixelData = bytes(46)
    path = written(tmp_path / "a.dcm", made)
    with pytest.raises(UnreadableObject):
        find_frames(path)
    whole = path.read_bytes()
    path.write_bytes(whole[:-10])
    with pytest.raises(UnreadableObject):
        find_frames(path)


def test_an_object_without_pixels_has_no_frames_but_another_encoding(tmp_path):
    made = Dataset()
    made.PatientName = "A^B"
    path = written(tmp_path / "a.dcm", made, ImplicitVRLittleEndian)
    with pytest.raises(NoSuchValue):
        find_frames(path)
    out = tmp_path / "b.dcm"
    out.write_bytes(rebuilt(path, in_explicit_vr(path)))
    assert pydicom.dcmread(out).PatientName == "A^B"


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian])
def test_what_follows_pixel_data_is_kept_and_private_values_too(tmp_path, syntax):
    made = image()
    order = ">" if syntax == ExplicitVRBigEndian else "<"
    made.add_new(0x00290010, "LO", "OSTEON TEST")
    made.add_new(0x00291010, "LO", "private")
    made.add_new(0x00189087, "FD", [900.5, 50.25])
    made.SmallestImagePixelValue = 7
    made.PixelData = struct.pack(f"{order}12H", *range(12))
    made["PixelData"].VR = "OW"
    made.DataSetTrailingPadding = bytes(100)
    signature = Dataset()
    signature.MACIDNumber = 5
    made.DigitalSignaturesSequence = [signature]
    path = written(tmp_path / "a.dcm", made, syntax)
    out = tmp_path / "b.dcm"
    out.write_bytes(rebuilt(path, in_explicit_vr(path)))
    read = pydicom.dcmread(out)
    assert read.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    assert read.PixelData == struct.pack("<12H", *range(12))
    assert list(read[0x00189087].value) == [900.5, 50.25]
    assert read.SmallestImagePixelValue == 7
    assert read.DigitalSignaturesSequence[0].MACIDNumber == 5
    assert "DataSetTrailingPadding" not in read
    private = read[0x00291010].value
    assert (private.decode() if isinstance(private, bytes) else private).strip() == "private"
