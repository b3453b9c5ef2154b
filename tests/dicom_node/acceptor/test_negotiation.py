"""What is agreed: requests laid out by hand, answers read by pynetdicom."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import config as pydicom_config
from pynetdicom import build_context
from pynetdicom.pdu import A_ASSOCIATE_AC

from dicom_node.acceptor.negotiation import ApplicationContextUnknown, Negotiator
from dicom_node.acceptor.requests import ProtocolVersionUnknown
from dicom_node.acceptor.services import NormalizedService, Operation
from dicom_node.acceptor.violations import Violation
from dicom_node.gate import simple_gate
from dicom_node.network import silence_libraries
from dicom_node.rejection import AssociationRefused, CalledAeTitleUnknown, CallingAeTitleUnknown
from dicom_node.uid import Uid
from tests.dicom_node.acceptor import wire

PUSH_MODEL = Uid(wire.PUSH_MODEL.decode())


def never(_caller, _request):
    raise AssertionError


ANSWERS_ACTION = NormalizedService(PUSH_MODEL, Operation.N_ACTION, never)
HEARS_REPORTS = NormalizedService(PUSH_MODEL, Operation.N_EVENT_REPORT, never)


@pytest.fixture(autouse=True)
def silent(monkeypatch):
    silence_libraries()
    for mode in ("reading_validation_mode", "writing_validation_mode"):
        monkeypatch.setattr(pydicom_config.settings, mode, pydicom_config.IGNORE)


def negotiator(services=(), **gate):
    storage = [build_context(wire.MR.decode(), [wire.EXPLICIT.decode(), wire.IMPLICIT.decode()])]
    return Negotiator(simple_gate("OSTEON", **gate).admit, storage, services, 131072)


def decided(body, services=(), **gate):
    return negotiator(services, **gate).decide(body, "127.0.0.1", None)


def answer(agreement):
    """The A-ASSOCIATE-AC as pynetdicom reads it."""
    pdu = A_ASSOCIATE_AC()
    pdu.decode(agreement.answer)
    return pdu.to_primitive()


def items(agreement):
    return {type(item).__name__: item for item in answer(agreement).user_information}


def test_each_context_is_answered_and_ours_is_the_choice_of_syntax():
    body = wire.request_body(
        wire.context(1, wire.VERIFICATION, wire.IMPLICIT),
        wire.context(3, wire.MR, wire.IMPLICIT, wire.EXPLICIT),
        wire.context(5, wire.MR, b"1.2.840.10008.1.2.1.99"),
        wire.context(255, b"1.2.840.10008.5.1.4.1.1.2", wire.IMPLICIT),
    )
    agreement = decided(body)
    told = answer(agreement).presentation_context_definition_results_list
    assert [(c.context_id, c.result) for c in told] == [(1, 0), (3, 0), (5, 4), (255, 3)]
    assert {i: c.transfer_syntax for i, c in agreement.contexts.items()} == {
        1: wire.IMPLICIT.decode(),
        3: wire.EXPLICIT.decode(),
    }
    assert agreement.peer_pdu_bytes == 16384
    assert agreement.caller.calling_ae_title == "RAW"


def test_we_say_who_we_are_and_how_much_we_take():
    told = items(decided(wire.request_body()))
    assert told["MaximumLengthNotification"].maximum_length_received == 131072
    assert told["ImplementationVersionNameNotification"].implementation_version_name.startswith(
        "OSTEON"
    )
    assert set(told) == {
        "MaximumLengthNotification",
        "ImplementationClassUIDNotification",
        "ImplementationVersionNameNotification",
    }


def test_a_window_of_operations_is_never_more_than_one():
    asked = wire.user(wire.item(0x53, bytes.fromhex("0000 0010")))
    window = items(decided(wire.request_body(users=asked)))[
        "AsynchronousOperationsWindowNegotiation"
    ]
    assert window.maximum_number_operations_invoked == 1
    assert window.maximum_number_operations_performed == 1


@pytest.mark.parametrize("kind", [1, 2, 3])
def test_an_identity_is_passed_over(kind):
    identity = wire.item(0x58, bytes((kind, 1)) + b"\0\x04USER" + b"\0\x06secret")
    told = items(decided(wire.request_body(users=wire.user(identity))))
    assert "UserIdentityNegotiation" not in told


def role(scu, scp):
    uid = wire.PUSH_MODEL
    return wire.item(0x54, len(uid).to_bytes(2, "big") + uid + bytes((scu, scp)))


@pytest.mark.parametrize(
    ("services", "proposed", "result", "answered"),
    [
        # Who proposes no role is the SCU, as is the default.
        ([ANSWERS_ACTION], None, 0, None),
        ([ANSWERS_ACTION, HEARS_REPORTS], None, 0, None),
        ([HEARS_REPORTS], None, 0, None),
        # Who wants to report is the SCP.
        ([HEARS_REPORTS], (0, 1), 0, (False, True)),
        ([ANSWERS_ACTION, HEARS_REPORTS], (0, 1), 0, (False, True)),
        ([ANSWERS_ACTION, HEARS_REPORTS], (1, 1), 0, (True, True)),
        ([ANSWERS_ACTION], (1, 0), 0, (True, False)),
        # Nobody here listens to reports.
        ([ANSWERS_ACTION], (0, 1), 1, None),
        ([], None, 3, None),
    ],
)
def test_roles(services, proposed, result, answered):
    users = wire.user(*([] if proposed is None else [role(*proposed)]))
    push = wire.context(1, wire.PUSH_MODEL, wire.IMPLICIT)
    agreement = decided(wire.request_body(push, users=users), services)
    (context,) = answer(agreement).presentation_context_definition_results_list
    assert context.result == result
    told = items(agreement).get("SCP_SCU_RoleSelectionNegotiation")
    assert (told and (told.scu_role, told.scp_role)) == answered


@pytest.mark.parametrize(
    ("values", "refusal"),
    [
        ({"called": b"OTHER"}, CalledAeTitleUnknown),
        ({"calling": b"STRANGER"}, CallingAeTitleUnknown),
        ({"version": 2}, ProtocolVersionUnknown),
        ({"application": b"1.2.840.10008.3.1.1.2"}, ApplicationContextUnknown),
    ],
)
def test_who_is_rejected(values, refusal):
    with pytest.raises(refusal):
        decided(wire.request_body(**values), calling_ae_titles=("RAW",))


def test_a_stranger_costs_no_decoding():
    with pytest.raises(CallingAeTitleUnknown):
        decided(wire.request_body()[:68] + b"garbage", calling_ae_titles=("FRIEND",))


MANY = [wire.context(i, wire.MR, wire.IMPLICIT) for i in range(1, 256, 2)]


def test_as_many_contexts_as_there_can_be():
    assert len(decided(wire.request_body(*MANY)).contexts) == 128


@pytest.mark.parametrize(
    "body",
    [
        b"",
        wire.request_body()[:67],
        wire.request_body()[:-1],
        wire.request_body() + b"\x20",
        wire.request_body(wire.context(2, wire.MR, wire.IMPLICIT)),
        wire.request_body(*MANY, wire.context(1, wire.MR, wire.IMPLICIT)),
        wire.request_body(wire.item(0x20, b"\1\0\0")),
        wire.request_body(wire.item(0x20, b"\1\0\0\0" + wire.item(0x30, wire.MR, length=900))),
        wire.request_body(wire.item(0x20, b"\1\0\0\0" + wire.item(0x30, b"\xff" * 20))),
        wire.request_body(wire.item(0x20, b"\1\0\0\0")),
        wire.request_body(wire.context(1, wire.MR)),
        wire.request_body(*([wire.item(0x21, b"")] * 5000)),
        wire.request_body(called=b"\xff\xfe"),
        wire.request_body(calling=b""),
        wire.request_body(users=wire.user(maximum=64)),
        wire.request_body(users=wire.user(wire.item(0x54, b"\xff\xff"))),
        wire.request_body(users=b"") + b"\x50\0",
    ],
)
def test_what_is_no_request_is_refused(body):
    with pytest.raises((Violation, AssociationRefused)):
        decided(body)


@given(st.data())
def test_a_damaged_request_is_answered_or_refused_and_nothing_else(data):
    body = bytearray(wire.request_body(wire.context(1, wire.MR, wire.IMPLICIT, wire.EXPLICIT)))
    for _ in range(data.draw(st.integers(1, 6))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    try:
        agreement = decided(bytes(body))
    except (Violation, AssociationRefused):
        return
    assert set(agreement.contexts) <= {*range(1, 256, 2)}
