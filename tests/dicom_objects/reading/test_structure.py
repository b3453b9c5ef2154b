"""What would make a parser eat memory or its stack is found before anything is parsed."""

import struct
import zlib
from io import BytesIO

import numpy as np
import pydicom
import pytest
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from dicom_objects.reading import structure
from dicom_objects.reading.damage import Damaged
from dicom_objects.reading.structure import check_structure
from tests.dicom_objects.reading.forms import classic, enhanced, frame_groups, item

SYNTAXES = (ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian)
OPEN_SEQUENCE = b"\x09\x00\x10\x10SQ\0\0\xff\xff\xff\xff"
OPEN_ITEM = b"\xfe\xff\x00\xe0\xff\xff\xff\xff"
ITEM_END, SEQUENCE_END = b"\xfe\xff\x0d\xe0\0\0\0\0", b"\xfe\xff\xdd\xe0\0\0\0\0"


def file_of(dataset, syntax=ExplicitVRLittleEndian, *, open_sequences=False):
    stream = BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    stream.seek(0)
    copy = pydicom.dcmread(stream)
    for element in copy.iterall():
        if element.VR == "SQ" and open_sequences:
            element.is_undefined_length = True
            for one in element.value:
                one.is_undefined_length_sequence_item = True
    copy.file_meta.TransferSyntaxUID = syntax
    out = BytesIO()
    implicit, little = syntax == ImplicitVRLittleEndian, syntax != ExplicitVRBigEndian
    pydicom.dcmwrite(out, copy, implicit_vr=implicit, little_endian=little)
    return out.getvalue()


def nested(depth):
    one = item(CodeValue="1")
    for _ in range(depth - 1):
        one = item(CodeValue="1", ContentSequence=[one])
    whole = classic(np.zeros((4, 4), np.uint16))
    whole.ContentSequence = [one]
    return whole


def code_of(data):
    with pytest.raises(Damaged) as caught:
        check_structure(data)
    return caught.value.code


def plain():
    """A file, cut in two before its pixel data."""
    data = file_of(classic(np.zeros((4, 4), np.uint16)))
    at = data.index(b"\xe0\x7f\x10\x00")
    return data[:at], data[at:]


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("open_sequences", [True, False])
def test_sequences_may_nest_so_deep_and_no_deeper(syntax, open_sequences):
    deepest = structure.MOST_NESTED
    check_structure(file_of(nested(deepest), syntax, open_sequences=open_sequences))
    too_deep = file_of(nested(deepest + 1), syntax, open_sequences=open_sequences)
    assert code_of(too_deep) == "NESTED_TOO_DEEP"


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_elements_are_counted_at_every_level(syntax, monkeypatch):
    groups = [frame_groups(float(k), 800.0) for k in range(6)]
    dataset = enhanced(np.zeros((6, 4, 4), np.uint16), groups)
    data = file_of(dataset, syntax)
    inside = sum(1 for _ in dataset.iterall()) + 6 * 4 + 2 + 4  # items are counted too
    monkeypatch.setattr(structure, "MOST_ELEMENTS", inside + 5)
    check_structure(data)
    monkeypatch.setattr(structure, "MOST_ELEMENTS", inside - 30)
    assert code_of(data) == "TOO_MANY_ELEMENTS"


@pytest.mark.parametrize("open_sequences", [True, False])
def test_a_file_that_was_cut_off_says_where(open_sequences):
    data = file_of(nested(3), open_sequences=open_sequences)
    end = data.index(b"\x20\x00\x32\x00")  # Image Position (Patient)
    with pytest.raises(Damaged, match=r"ends inside the element \(0020,0032\)"):
        check_structure(data[: end + 12])
    assert code_of(data[:200]) == "TRUNCATED"  # in the file meta information


def test_a_sequence_that_nothing_ends_was_cut_off():
    head, _ = plain()
    assert code_of(head + OPEN_SEQUENCE + OPEN_ITEM) == "TRUNCATED"
    check_structure(head + OPEN_SEQUENCE + OPEN_ITEM + ITEM_END + SEQUENCE_END)


def test_a_length_beyond_the_file_is_told_before_the_pixels_and_forgiven_after_them():
    head, pixels = plain()
    giant = b"\x09\x00\x10\x10OB\0\0\xf0\xff\xff\xff"
    assert code_of(head + giant) == "TRUNCATED"
    check_structure(head + pixels + b"\xfc\xff\xfc\xff" + giant[4:])  # padding
    check_structure(head + pixels + b"\0")


def test_a_length_beyond_the_file_is_told_inside_sequences_too():
    head, pixels = plain()
    giant = b"\x09\x00\x10\x10OB\0\0\xf0\xff\xff\xff"
    assert code_of(head + OPEN_SEQUENCE + OPEN_ITEM + giant + pixels) == "TRUNCATED"
    sequence = b"\x09\x00\x10\x10SQ\0\0\xf0\xff\xff\x7f"
    assert code_of(head + sequence + pixels) == "TRUNCATED"


def test_pixel_data_in_fragments_are_stepped_over():
    head, _ = plain()
    start = b"\xe0\x7f\x10\x00OB\0\0\xff\xff\xff\xff"
    fragment = b"\xfe\xff\x00\xe0" + struct.pack("<L", 4) + b"abcd"
    check_structure(head + start + fragment * 3 + SEQUENCE_END)
    assert code_of(head + start + fragment + fragment[:-1]) == "TRUNCATED"
    assert code_of(head + start + b"abcdefgh") == "DAMAGED_PIXELS"


def deflated(size_mib):
    head, pixels = plain()
    start = 144 + int.from_bytes(head[140:144], "little")
    meta = head[:start].replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.1.99")
    meta = meta.replace(b"UI\x14\x001.2.840.10008.1.2.1.99", b"UI\x16\x001.2.840.10008.1.2.1.99")
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    body = packer.compress(head[start:] + pixels)
    return meta + body + b"".join(packer.compress(bytes(2**20)) for _ in range(size_mib)), packer


def test_a_deflated_data_set_is_inflated_up_to_a_limit_only(monkeypatch):
    assert DeflatedExplicitVRLittleEndian == "1.2.840.10008.1.2.1.99"
    monkeypatch.setattr(structure, "LARGEST_INFLATED_MIB", 2)
    data, packer = deflated(1)
    assert code_of(data) == "TRUNCATED"  # its stream does not end
    check_structure(data + packer.flush())
    data, packer = deflated(3)
    assert code_of(data + packer.flush()) == "INFLATES_TOO_LARGE"
    meta = data[: data.index(b"1.2.840.10008.1.2.1.99") + 22]
    assert code_of(meta + b"\xff" * 40) in {"DAMAGED_HEADER", "TRUNCATED"}


def test_what_is_odd_is_left_to_those_who_read_it():
    head, pixels = plain()
    check_structure(head.replace(b"DS", b"??") + pixels)
    check_structure(head + b"\x09\x00\x10\x10LO\x03\0abc" + pixels)  # an odd length
    check_structure(head + OPEN_SEQUENCE + b"no item!" + pixels)
