"""Requests as pydicom writes them, reports as pydicom reads them, and bytes that are neither."""

import random
from io import BytesIO

import pytest
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filereader import read_dataset
from pydicom.filewriter import write_dataset

from dicom_node.commitment_request import (
    MOST_BYTES,
    MOST_REFERENCES,
    Asked,
    CommitmentRequest,
    Decision,
    UnreadableRequest,
    encode_report,
    read_request,
)
from dicom_node.errors import InvalidUid

EXPLICIT, IMPLICIT = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2"
MR, SEG = "1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.5.1.4.1.1.66.4"


def asked(*references, transaction="2.25.7", **more):
    data_set = Dataset()
    data_set.TransactionUID = transaction
    items = []
    for sop_class, sop_instance in references:
        item = Dataset()
        item.ReferencedSOPClassUID = sop_class
        item.ReferencedSOPInstanceUID = sop_instance
        items.append(item)
    data_set.ReferencedSOPSequence = items
    for keyword, value in more.items():
        setattr(data_set, keyword, value)
    return data_set


def encoded(data_set, syntax, *, undefined=False):
    if undefined:
        data_set["ReferencedSOPSequence"].is_undefined_length = True
        for item in data_set.ReferencedSOPSequence:
            item.is_undefined_length_sequence_item = True
    into = DicomBytesIO()
    into.is_little_endian, into.is_implicit_VR = True, syntax == IMPLICIT
    write_dataset(into, data_set)
    return into.getvalue()


@pytest.mark.parametrize("undefined", [False, True])
@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT])
def test_a_request_is_read_in_each_of_its_forms(syntax, undefined):
    data_set = asked(
        (MR, "1.2.3"), (SEG, "1.2.3.45"), StorageMediaFileSetID="SET", RetrieveAETitle="X"
    )
    read = read_request(encoded(data_set, syntax, undefined=undefined), syntax)
    assert read == CommitmentRequest("2.25.7", (Asked(MR, "1.2.3"), Asked(SEG, "1.2.3.45")))


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT])
def test_a_report_is_what_pydicom_reads(syntax):
    decision = Decision("2.25.7", (Asked(MR, "1.2.3"),), ((Asked(SEG, "1.2.3.45"), 0x0112),))
    encoded_ = encode_report(decision, syntax)
    report = read_dataset(BytesIO(encoded_), syntax == IMPLICIT, is_little_endian=True)
    assert report.TransactionUID == "2.25.7"
    (kept,) = report.ReferencedSOPSequence
    (failed,) = report.FailedSOPSequence
    assert (kept.ReferencedSOPClassUID, kept.ReferencedSOPInstanceUID) == (MR, "1.2.3")
    assert failed.ReferencedSOPInstanceUID == "1.2.3.45"
    assert failed.FailureReason == 0x0112
    assert [element.tag for element in report] == sorted(element.tag for element in report)
    assert decision.event_type_id == 2
    whole = Decision("2.25.7", (Asked(MR, "1.2.3"),))
    assert whole.event_type_id == 1
    report = read_dataset(BytesIO(encode_report(whole, syntax)), syntax == IMPLICIT, True)
    assert "FailedSOPSequence" not in report


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT])
@pytest.mark.parametrize("undefined", [False, True])
def test_a_request_that_ends_early_is_none(syntax, undefined):
    whole = encoded(asked((MR, "1.2.3"), (MR, "1.2.4")), syntax, undefined=undefined)
    for end in range(len(whole)):
        with pytest.raises((UnreadableRequest, InvalidUid)):
            read_request(whole[:end], syntax)


def test_requests_that_say_too_little_or_too_much():
    with pytest.raises(UnreadableRequest, match="no object"):
        read_request(encoded(asked(), EXPLICIT), EXPLICIT)
    with pytest.raises(InvalidUid, match="TransactionUID"):
        read_request(encoded(asked((MR, "1.2.3"), transaction=""), EXPLICIT), EXPLICIT)
    with pytest.raises(UnreadableRequest, match="bytes"):
        read_request(bytes(MOST_BYTES + 1), EXPLICIT)
    item = b"\xfe\xff\x00\xe0\x00\x00\x00\x00"
    bomb = b"\x08\x00\x99\x11SQ\x00\x00" + b"\xff" * 4 + item * (MOST_REFERENCES + 1)
    with pytest.raises(UnreadableRequest, match="too many"):
        read_request(bomb, EXPLICIT)


@pytest.mark.parametrize("uid", ["../../../etc/passwd", "1..2", "1.02", "9" * 65, "1.2.3\\1.2.4"])
def test_a_uid_that_is_none_is_named_and_not_shown(uid):
    whole = encoded(asked((MR, "1.2.3")), IMPLICIT)
    place = whole.index(b"1.2.3\0")
    length = len(uid) + len(uid) % 2
    forged = (
        whole[: place - 4]
        + length.to_bytes(4, "little")
        + uid.encode().ljust(length, b"\0")
        + whole[place + 6 :]
    )
    grown = length - 6
    head = whole.index(b"\x08\x00\x99\x11")
    forged = bytearray(forged)
    for at in (head + 4, head + 12):  # the lengths of the sequence and of its item
        size = int.from_bytes(forged[at : at + 4], "little") + grown
        forged[at : at + 4] = size.to_bytes(4, "little")
    with pytest.raises(InvalidUid) as raised:
        read_request(bytes(forged), IMPLICIT)
    assert "ReferencedSOPInstanceUID" in str(raised.value)
    assert uid not in str(raised.value)


def test_mutated_requests_are_read_or_refused_and_nothing_else():
    chance = random.Random(7)
    for syntax in (EXPLICIT, IMPLICIT):
        for undefined in (False, True):
            whole = encoded(asked((MR, "1.2.3"), (SEG, "1.2.4")), syntax, undefined=undefined)
            for _ in range(3000):
                harmed = bytearray(whole)
                for _ in range(chance.randint(1, 4)):
                    harmed[chance.randrange(len(harmed))] = chance.randrange(256)
                try:
                    read_request(bytes(harmed), syntax)
                except (UnreadableRequest, InvalidUid):
                    continue
