import struct
from io import BytesIO

import pytest
from pydicom.dataset import Dataset
from pydicom.filewriter import dcmwrite
from pydicom.sequence import Sequence

from dicom_node.contexts import EXPLICIT_BE, EXPLICIT_LE, IMPLICIT_LE
from dicom_node.errors import InvalidUid, UnreadableHeader
from dicom_node.header import MAX_DEPTH, read_header
from dicom_node.uid import Uid, parse_uid

CLASS = "1.2.840.10008.5.1.4.1.1.4"


def encode(data_set, syntax):
    out = BytesIO()
    dcmwrite(
        out,
        data_set,
        implicit_vr=syntax == IMPLICIT_LE,
        little_endian=syntax != EXPLICIT_BE,
    )
    return out.getvalue()


def image(undefined_length):
    """A data set with nested sequences before the Series Instance UID."""
    inner = Dataset()
    inner.StudyInstanceUID = "9.9.9"  # must not be taken for the study's own
    inner.ReferencedSOPInstanceUID = "1.2.3.4"
    outer = Dataset()
    outer.StudyInstanceUID = "8.8.8"
    outer.ReferencedImageSequence = Sequence([inner, inner])
    whole = Dataset()
    whole.SOPClassUID = CLASS
    whole.SOPInstanceUID = "1.2.3.4.5"
    whole.ReferencedStudySequence = Sequence([outer])
    whole.StudyInstanceUID = "1.2.3.4"
    whole.SeriesInstanceUID = "1.2.3"
    whole.PixelData = bytes(64)
    whole["PixelData"].VR = "OW"
    nested = ((outer, "ReferencedImageSequence"), (whole, "ReferencedStudySequence"))
    for data_set, keyword in nested:
        data_set[keyword].is_undefined_length = undefined_length
        for item in data_set[keyword].value:
            item.is_undefined_length_sequence_item = undefined_length
    return whole


@pytest.mark.parametrize("syntax", [EXPLICIT_LE, IMPLICIT_LE, EXPLICIT_BE])
@pytest.mark.parametrize("undefined_length", [True, False])
def test_the_uids_of_the_top_level_are_found(syntax, undefined_length):
    header = read_header(encode(image(undefined_length), syntax), Uid(syntax))
    assert header.sop_class_uid == CLASS
    assert header.sop_instance_uid == "1.2.3.4.5"
    assert header.study_uid == "1.2.3.4"
    assert header.series_uid == "1.2.3"


def test_nothing_after_the_series_uid_is_looked_at():
    whole = encode(image(undefined_length=True), EXPLICIT_LE)
    end = whole.index(b"\x20\x00\x0e\x00") + 8 + 6
    assert read_header(whole[:end] + b"\xff" * 64, Uid(EXPLICIT_LE)).series_uid == "1.2.3"


def test_an_unknown_sequence_of_undefined_length_is_stepped_over():
    """PS3.5 6.2.2 note 4: its content is Implicit VR Little Endian."""
    whole = encode(image(undefined_length=False), EXPLICIT_LE)
    content = struct.pack("<HHI", 0x0008, 0x1155, 4) + b"1.2\0"
    unknown = struct.pack("<HH2sHI", 0x0009, 0x1001, b"UN", 0, 0xFFFFFFFF)
    unknown += struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF) + content
    unknown += struct.pack("<HHI", 0xFFFE, 0xE00D, 0) + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
    at = whole.rindex(b"\x20\x00\x0d\x00")
    header = read_header(whole[:at] + unknown + whole[at:], Uid(EXPLICIT_LE))
    assert header.study_uid == "1.2.3.4"


@pytest.mark.parametrize("length", range(0, 90, 7))
def test_a_data_set_cut_anywhere_is_unreadable(length):
    whole = encode(image(undefined_length=True), EXPLICIT_LE)
    with pytest.raises((UnreadableHeader, InvalidUid)):
        read_header(whole[:length], Uid(EXPLICIT_LE))


def test_deep_nesting_ends_without_recursion():
    start = struct.pack("<HH2sHI", 8, 0x1110, b"SQ", 0, 0xFFFFFFFF)
    item = struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
    with pytest.raises(UnreadableHeader, match="nested"):
        read_header((start + item) * 10_000, Uid(EXPLICIT_LE))
    assert MAX_DEPTH < 1000


def test_an_endless_row_of_elements_ends():
    with pytest.raises(UnreadableHeader, match="elements"):
        read_header(struct.pack("<HH2sH", 8, 1, b"SH", 0) * 50_000, Uid(EXPLICIT_LE))


def test_an_element_longer_than_the_data_set_is_refused():
    with pytest.raises(UnreadableHeader, match="longer"):
        read_header(struct.pack("<HH2sHI", 8, 1, b"OB", 0, 0xFFFFFFF0), Uid(EXPLICIT_LE))


@pytest.mark.parametrize("good", ["1", "0", "1.2.840.10008.1.2.1", "2.25.0", "1." + "2" * 62])
def test_uids(good):
    assert parse_uid(good.encode() + b"\0", "X") == good


@pytest.mark.parametrize(
    "bad",
    [
        "",
        ".",
        "1.",
        ".1",
        "1..2",
        "01.2",
        "1.02",
        "1.a",
        "../x",
        "1.2\n",
        "1.2\0.3",
        "1" * 65,
        "\u0661.\u0662",
    ],
)
def test_what_is_no_uid_is_refused_and_not_quoted(bad):
    with pytest.raises(InvalidUid) as caught:
        parse_uid(bad, "StudyInstanceUID")
    assert "StudyInstanceUID" in str(caught.value)
    assert len(bad) < 3 or bad not in str(caught.value)
