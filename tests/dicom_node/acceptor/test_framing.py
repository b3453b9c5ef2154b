"""PDUs cut out of bytes, and made, held against bytes worked out by hand from PS3.8 9.3."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicom_node.acceptor.framing import (
    COMMAND,
    RELEASE_RP,
    PduBuffer,
    PduType,
    abort_pdu,
    data_pdus,
    reject_pdu,
    values,
)
from dicom_node.acceptor.violations import UNRECOGNIZED_PDU, Violation
from dicom_node.rejection import CallingAeTitleUnknown, Congested, TooManyAssociations
from dicom_node.vitals import Ending
from tests.dicom_node.acceptor import wire


def fed(buffer, encoded, step=None):
    """Give bytes to a buffer as a socket would, and take what is whole."""
    taken = []
    while encoded:
        room = buffer.free()
        count = min(len(room), len(encoded), step or len(encoded))
        room[:count] = encoded[:count]
        buffer.filled(count)
        encoded = encoded[count:]
        while (pdu := buffer.take()) is not None:
            taken.append((pdu[0], bytes(pdu[1])))
    return taken


def test_a_release_request_is_ten_bytes():
    encoded = bytes.fromhex("05 00 00 00 00 04 00 00 00 00")
    assert fed(PduBuffer(100), encoded) == [(PduType.RELEASE_RQ, bytes(4))]


def test_what_is_not_whole_waits():
    buffer = PduBuffer(100)
    assert fed(buffer, bytes.fromhex("05 00 00 00 00 04 00 00 00")) == []
    assert buffer.partial
    assert fed(buffer, b"\0") == [(PduType.RELEASE_RQ, bytes(4))]
    assert not buffer.partial


@given(
    st.lists(st.tuples(st.sampled_from(PduType), st.binary(max_size=50)), max_size=8),
    st.integers(1, 200),
)
def test_pdus_come_out_as_they_went_in_however_they_are_cut(pdus, step):
    encoded = b"".join(wire.pdu(kind, body) for kind, body in pdus)
    assert fed(PduBuffer(50), encoded, step) == pdus


def test_a_length_is_refused_by_its_header_alone():
    with pytest.raises(Violation) as caught:
        fed(PduBuffer(65536), bytes.fromhex("01 00 FF FF FF FF"))
    assert caught.value.ending is Ending.LENGTH
    assert fed(PduBuffer(4), bytes.fromhex("05 00 00 00 00 04")) == []
    with pytest.raises(Violation):
        fed(PduBuffer(3), bytes.fromhex("05 00 00 00 00 04"))


@pytest.mark.parametrize("kind", [0, 8, 0x47, 255])
def test_a_type_that_no_pdu_has_is_refused(kind):
    with pytest.raises(Violation) as caught:
        fed(PduBuffer(100), bytes((kind, 0, 0, 0, 0, 0)))
    assert caught.value.reason == UNRECOGNIZED_PDU


def test_bytes_move_to_another_buffer():
    small, large = PduBuffer(10), PduBuffer(100, 1000)
    fed(small, bytes.fromhex("05 00 00 00 00 04 00"))
    assert large.put(small.rest())
    assert fed(large, bytes(3)) == [(PduType.RELEASE_RQ, bytes(4))]


def test_as_many_bytes_are_put_as_there_is_room_for():
    buffer = PduBuffer(100, 40_000)
    pdus = [(PduType.P_DATA, bytes(94))] * 400
    assert buffer.put(b"".join(wire.pdu(kind, body) for kind, body in pdus))
    assert not buffer.put(b"x")
    assert [(kind, bytes(body)) for kind, body in iter(buffer.take, None)] == pdus
    assert fed(buffer, wire.pdu(5, bytes(4))) == [(PduType.RELEASE_RQ, bytes(4))]


@given(st.lists(st.integers(0, 60_000), max_size=6), st.integers(100, 70_000))
def test_pdus_of_any_size_fit(sizes, step):
    pdus = [(PduType.P_DATA, bytes(size)) for size in sizes]
    encoded = b"".join(wire.pdu(kind, body) for kind, body in pdus)
    assert fed(PduBuffer(60_000, 64_000), encoded, step) == pdus


def test_the_values_of_a_p_data():
    # Two values: 5 bytes after the length for context 1, command; 4 for context 3, last of data.
    body = bytes.fromhex("00000005 01 01 AABBCC 00000004 03 02 DDEE")
    found = [(c, control, bytes(data)) for c, control, data in values(memoryview(body))]
    assert found == [(1, 1, b"\xaa\xbb\xcc"), (3, 2, b"\xdd\xee")]


@pytest.mark.parametrize(
    "body",
    [
        "",
        "00000005",
        "00000005 01",
        "00000005 01 01 AABB",
        "00000001 01 01",
        "00000000 01 01",
        "FFFFFFFF 01 01 AABBCC",
        "00000003 01 01 AA 00",
    ],
)
def test_lengths_that_do_not_add_up_are_refused(body):
    with pytest.raises(Violation) as caught:
        list(values(memoryview(bytes.fromhex(body))))
    assert caught.value.ending is Ending.MALFORMED


@given(st.binary(max_size=300), st.integers(1, 255), st.integers(16, 100), st.booleans())
def test_a_message_is_cut_to_what_the_peer_takes(message, context_id, pdu_bytes, is_command):
    control = COMMAND if is_command else 0
    encoded = data_pdus(context_id, message, control, pdu_bytes)
    pdus = fed(PduBuffer(pdu_bytes), encoded)
    pieces = [piece for _, body in pdus for piece in values(memoryview(body))]
    assert b"".join(piece[2] for piece in pieces) == message
    assert {piece[0] for piece in pieces} <= {context_id}
    expected = [control] * max(len(pieces) - 1, 0) + [control | 2] * bool(pieces)
    assert [piece[1] for piece in pieces] == expected


def test_a_message_goes_whole_to_who_takes_any_length():
    assert data_pdus(5, b"\x01\x02", COMMAND, 0) == bytes.fromhex(
        "04 00 00000008 00000004 05 03 0102"
    )
    assert data_pdus(5, b"", 0, 0) == b""


def test_short_pdus_are_those_of_the_standard():
    assert bytes.fromhex("06 00 00000004 00000000") == RELEASE_RP
    # Tables 9-21 and 9-26: the last three and two bytes.
    assert reject_pdu(TooManyAssociations()) == bytes.fromhex("03 00 00000004 00 02 03 02")
    assert reject_pdu(Congested()) == bytes.fromhex("03 00 00000004 00 02 03 01")
    assert reject_pdu(CallingAeTitleUnknown()) == bytes.fromhex("03 00 00000004 00 01 01 03")
    assert abort_pdu(provider=True, reason=2) == bytes.fromhex("07 00 00000004 00 00 02 02")
    assert abort_pdu(provider=False, reason=2) == bytes.fromhex("07 00 00000004 00 00 00 00")
