"""Command sets against bytes worked out from PS3.7, and against pynetdicom's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.filebase import DicomBytesIO
from pydicom.filereader import read_dataset
from pynetdicom.dimse_messages import C_ECHO_RQ, C_STORE_RQ, N_ACTION_RQ
from pynetdicom.dimse_primitives import C_ECHO, C_STORE, N_ACTION

from dicom_node.acceptor import commands
from dicom_node.acceptor.commands import Command, event_report, read_command, response
from dicom_node.acceptor.services import EventReport
from dicom_node.acceptor.violations import Violation
from dicom_node.uid import Uid
from tests.dicom_node.acceptor import wire


def encoded(message, primitive):
    message.primitive_to_message(primitive)
    (data, *_) = message.encode_msg(1, 0)
    return data.presentation_data_value_list[0][1][1:]


def decoded(command_set):
    return read_dataset(DicomBytesIO(command_set), is_implicit_VR=True, is_little_endian=True)


def test_an_echo_request():
    # (0000,0002) UI 18 bytes, (0000,0100) 0030, (0000,0110) 0007, (0000,0800) 0101
    by_hand = bytes.fromhex(
        "00000000 04000000 38000000"
        "00000200 12000000" + b"1.2.840.10008.1.1\0".hex() + "00000001 02000000 3000"
        "00001001 02000000 0700"
        "00000008 02000000 0101"
    )
    assert by_hand == wire.echo(7)
    assert read_command(by_hand) == Command(
        field=commands.C_ECHO,
        message_id=7,
        has_data_set=False,
        sop_class_uid=b"1.2.840.10008.1.1",
        sop_instance_uid=b"",
    )


def test_requests_of_pynetdicom_are_read():
    echo = C_ECHO()
    echo.MessageID = 0x0100  # ends with a zero byte
    assert read_command(encoded(C_ECHO_RQ(), echo)).message_id == 0x0100
    store = C_STORE()
    store.MessageID, store.Priority = 3, 2
    store.AffectedSOPClassUID, store.AffectedSOPInstanceUID = wire.MR.decode(), "1.2.3.40"
    found = read_command(encoded(C_STORE_RQ(), store))
    assert (found.sop_class_uid, found.sop_instance_uid) == (wire.MR, b"1.2.3.40")
    action = N_ACTION()
    action.MessageID, action.ActionTypeID = 9, 1
    action.RequestedSOPClassUID = wire.PUSH_MODEL.decode()
    action.RequestedSOPInstanceUID = "1.2.840.10008.1.20.1.1"
    found = read_command(encoded(N_ACTION_RQ(), action))
    assert found.sop_instance_uid == b"1.2.840.10008.1.20.1.1"
    assert (found.field, found.type_id) == (0x0130, 1)


def test_an_answer_is_read_by_pydicom():
    request = Command(commands.C_STORE, 0xFFFF, True, wire.MR, b"1.2.3")
    found = decoded(response(request, 0xA700))
    assert found.CommandField == 0x8001
    assert found.MessageIDBeingRespondedTo == 0xFFFF
    assert found.CommandDataSetType == 0x0101
    assert found.Status == 0xA700
    assert found.AffectedSOPClassUID == wire.MR.decode()
    assert found.AffectedSOPInstanceUID == "1.2.3"
    assert found.CommandGroupLength == len(response(request, 0xA700)) - 12
    assert "ActionTypeID" not in found


def test_the_answer_of_a_normalized_request_names_its_type():
    action = Command(commands.N_ACTION, 1, True, wire.PUSH_MODEL, b"1.2.3", type_id=1)
    found = decoded(response(action, 0, with_data_set=True))
    assert (found.CommandField, found.ActionTypeID, found.CommandDataSetType) == (0x8130, 1, 1)
    event = Command(commands.N_EVENT_REPORT, 1, True, wire.PUSH_MODEL, b"1.2.3", type_id=2)
    assert decoded(response(event, 0)).EventTypeID == 2


def test_a_report_is_read_by_pydicom():
    push = Uid(wire.PUSH_MODEL.decode())
    report = EventReport(2, push, Uid("1.2.840.10008.1.20.1.1"), b"\0\0", lambda _status: None)
    found = decoded(event_report(report, 5))
    assert (found.CommandField, found.MessageID, found.EventTypeID) == (0x0100, 5, 2)
    assert found.AffectedSOPInstanceUID == "1.2.840.10008.1.20.1.1"
    assert found.CommandDataSetType == 1


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"\0",
        wire.echo()[:-1],
        wire.echo()[:-10],  # no data set type
        wire.command(e0100=wire.us(0x30), e0800=wire.us(0x101)),  # no message ID
        wire.command(e0100=b"\0\0\0\0", e0110=wire.us(1), e0800=wire.us(0x101)),
        b"\x08\0" + wire.echo()[2:],  # another group
        wire.echo()[:4] + b"\xff\xff\xff\xff" + wire.echo()[8:],
    ],
)
def test_what_cannot_be_answered_is_refused(broken):
    with pytest.raises(Violation):
        read_command(broken)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_command_or_a_violation(junk):
    try:
        read_command(junk)
    except Violation:
        return
    assert len(junk) >= 30
