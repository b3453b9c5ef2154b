"""N-ACTION and N-EVENT-REPORT: raw peers, and pynetdicom as a PACS of its own."""

import queue
from contextlib import contextmanager

import pytest
from pydicom.dataset import Dataset
from pynetdicom import AE, build_role, evt

from dicom_node.acceptor.services import (
    EventReport,
    NormalizedResponse,
    NormalizedService,
    Operation,
)
from dicom_node.uid import Uid
from tests.dicom_node.acceptor import wire
from tests.dicom_node.acceptor.conftest import ECHO_CONTEXT
from tests.dicom_node.acceptor.wire import Peer

PUSH = wire.PUSH_MODEL.decode()
INSTANCE = "1.2.840.10008.1.20.1.1"
INSTANCE_BYTES = INSTANCE.encode()
PUSH_CONTEXT = wire.context(1, wire.PUSH_MODEL, wire.IMPLICIT)
# (0008,1195) UI "1.2.3 " in Implicit VR Little Endian
ASKED = b"\x08\0\x95\x11\x06\0\0\0" + b"1.2.3\0"


def action(type_id=1, instance=INSTANCE_BYTES, sop_class=wire.PUSH_MODEL):
    return wire.command(
        e0003=sop_class,
        e0100=wire.us(0x130),
        e0110=wire.us(7),
        e0800=wire.us(1),
        e1001=instance,
        e1008=wire.us(type_id),
    )


class Asked:
    """A service that remembers what it was asked."""

    def __init__(self, response=None, operation=Operation.N_ACTION):
        self.requests = []
        self._response = response or NormalizedResponse(0)
        self.service = NormalizedService(Uid(PUSH), operation, self.answer)

    def answer(self, caller, request):
        self.requests.append((caller, request))
        if isinstance(self._response, Exception):
            raise self._response
        return self._response


def test_an_action_reaches_its_service_as_it_came(door):
    asked = Asked(NormalizedResponse(0x0112))
    with door(services=(asked.service,)) as here, Peer(here.port) as peer:
        peer.associate(PUSH_CONTEXT)
        peer.send(*wire.fragments(1, action(), 1), *wire.fragments(1, ASKED, step=5))
        _, body = peer.read()
        answer = wire.numbers(body[6:])
    assert (answer[0x0100], answer[0x0120]) == (wire.us(0x8130), wire.us(7))
    assert (answer[0x0900], answer[0x1008]) == (wire.us(0x0112), wire.us(1))
    ((caller, request),) = asked.requests
    assert (caller.calling_ae_title, caller.address) == ("RAW", "127.0.0.1")
    assert request.operation is Operation.N_ACTION
    assert (request.sop_class_uid, request.sop_instance_uid) == (PUSH, INSTANCE)
    assert (request.type_id, request.data_set) == (1, ASKED)
    assert request.transfer_syntax_uid == wire.IMPLICIT.decode()


@pytest.mark.parametrize(
    ("command", "status"),
    [
        (action(instance=b"../.."), 0x0117),
        (action(sop_class=b"1.2.840.10008.1.20.2"), 0x0122),
        (
            wire.command(
                e0003=wire.PUSH_MODEL, e0100=wire.us(0x110), e0110=wire.us(1), e0800=b"\1\0"
            ),
            0x0211,
        ),
    ],
)
def test_an_action_that_no_service_is_asked(door, command, status):
    asked = Asked()
    with door(services=(asked.service,)) as here, Peer(here.port) as peer:
        peer.associate(PUSH_CONTEXT)
        peer.send(*wire.fragments(1, command, 1), *wire.fragments(1, ASKED))
        _, body = peer.read()
        assert wire.status_of(body) == status
    assert asked.requests == []


def test_a_bug_of_a_service_is_a_failure_of_one_action(door, caplog):
    asked = Asked(ZeroDivisionError("CANARY"))
    with door(services=(asked.service,)) as here, Peer(here.port) as peer:
        peer.associate(PUSH_CONTEXT, ECHO_CONTEXT)
        peer.send(*wire.fragments(1, action(), 1), *wire.fragments(1, ASKED))
        _, body = peer.read()
        assert wire.status_of(body) == 0x0110
        assert peer.echo(3) == 0
    assert "ZeroDivisionError" in caplog.text
    assert "CANARY" not in caplog.text


@contextmanager
def reporting(door):
    """A service that reports on the association of the request, and what it was told."""
    told = queue.SimpleQueue()
    report = EventReport(1, Uid(PUSH), Uid(INSTANCE), ASKED, told.put)
    asked = Asked(NormalizedResponse(0, report=report))
    with door(services=(asked.service,)) as here:
        yield here, told


def test_a_report_follows_on_the_same_association_and_its_answer_is_told(door):
    with reporting(door) as (here, told), Peer(here.port) as peer:
        peer.associate(PUSH_CONTEXT, ECHO_CONTEXT)
        peer.send(*wire.fragments(1, action(), 1), *wire.fragments(1, ASKED))
        assert wire.status_of(peer.read()[1]) == 0
        event = wire.numbers(peer.read()[1][6:])
        assert (event[0x0100], event[0x1002]) == (wire.us(0x100), wire.us(1))
        assert peer.read()[1][6:] == ASKED
        assert peer.echo(3) == 0  # the peer may do other things first
        answer = wire.command(
            e0002=wire.PUSH_MODEL,
            e0100=wire.us(0x8100),
            e0120=event[0x0110],
            e0800=wire.us(0x101),
            e0900=wire.us(0x0123),
        )
        peer.send(*wire.fragments(1, answer, 1))
        assert told.get(timeout=10) == 0x0123
        assert peer.echo(3) == 0
        assert peer.release() == (6, bytes(4))
    assert told.empty()


@pytest.mark.parametrize("end", [wire.RELEASE_RQ, wire.ABORT_BY_PEER, b""])
def test_a_report_that_is_not_answered_is_told_once(door, end):
    with reporting(door) as (here, told):
        with Peer(here.port) as peer:
            peer.associate(PUSH_CONTEXT)
            peer.send(*wire.fragments(1, action(), 1), *wire.fragments(1, ASKED), end)
            assert wire.status_of(peer.read()[1]) == 0
        assert told.get(timeout=10) is None
    assert told.empty()


def test_a_pacs_of_pynetdicom_reports_on_an_association_of_its_own(door):
    heard = Asked(operation=Operation.N_EVENT_REPORT)
    pacs = AE("PACS")
    pacs.add_requested_context(PUSH, wire.IMPLICIT.decode())
    report = Dataset()
    report.TransactionUID = "1.2.3"
    with door(services=(heard.service,)) as here:
        association = pacs.associate(
            "127.0.0.1",
            here.port,
            ae_title="OSTEON",
            ext_neg=[build_role(PUSH, scp_role=True)],
        )
        assert association.is_established
        status, _ = association.send_n_event_report(report, 2, PUSH, INSTANCE)
        association.release()
    assert status.Status == 0
    ((caller, request),) = heard.requests
    assert caller.calling_ae_title == "PACS"
    assert (request.type_id, request.data_set) == (2, ASKED)


def test_a_sender_of_pynetdicom_asks_and_hears_the_report(door):
    reports = queue.SimpleQueue()

    def note(event):
        reports.put(event.event_information.TransactionUID)
        return 0x0000, None

    with reporting(door) as (here, told):
        scanner = AE("SCANNER")
        scanner.add_requested_context(PUSH, wire.IMPLICIT.decode())
        association = scanner.associate(
            "127.0.0.1", here.port, ae_title="OSTEON", evt_handlers=[(evt.EVT_N_EVENT_REPORT, note)]
        )
        information = Dataset()
        information.TransactionUID = "1.2.3"
        status, _ = association.send_n_action(information, 1, PUSH, INSTANCE)
        assert status.Status == 0
        assert reports.get(timeout=10) == "1.2.3"
        assert told.get(timeout=10) == 0
        association.release()
