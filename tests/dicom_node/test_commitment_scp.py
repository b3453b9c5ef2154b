"""What we answer for and what not, and how a report reaches its sender over real sockets."""

import json
import logging
import os
import threading
from contextlib import contextmanager

import pytest
from pydicom.uid import ExplicitVRLittleEndian
from pynetdicom import AE, evt

from dicom_node.acceptor.services import Caller, NormalizedRequest, Operation
from dicom_node.commitment_request import PUSH_MODEL, PUSH_MODEL_INSTANCE, Asked, Decision
from dicom_node.commitment_scp import AMBIGUOUS, CommitmentService, SpoolKeeps
from dicom_node.errors import PeerUnavailable, SpoolFull
from dicom_node.header import read_header
from dicom_node.network import Timeouts
from dicom_node.owed_reports import OwedReports
from dicom_node.peer import Peer
from dicom_node.report_call import send_report
from tests.dicom_node.test_commitment_request import EXPLICIT, IMPLICIT, MR, SEG, asked, encoded

CALLER = Caller("SCANNER", "OSTEON", "10.0.0.1")
DECISION = Decision("2.25.7", (Asked(MR, "1.2.3"),), ((Asked(SEG, "1.2.4"), 0x0112),))


def request(data_set, syntax=EXPLICIT, instance=PUSH_MODEL_INSTANCE, type_id=1):
    content = data_set if isinstance(data_set, bytes) else encoded(data_set, syntax)
    return NormalizedRequest(Operation.N_ACTION, PUSH_MODEL, instance, type_id, content, syntax)


class Owing:
    """Keeps what is owed in a list."""

    def __init__(self):
        self.owed = []

    def owe(self, ae_title, decision):
        self.owed.append((ae_title, decision))
        return lambda _status: None


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT])
def test_what_is_kept_is_committed_and_the_rest_has_reasons(syntax):
    owing = Owing()
    kept = {"1.2.3": MR, "1.2.4": MR, "1.2.5": AMBIGUOUS}
    service = CommitmentService(lambda _uids: kept, owing)
    data_set = asked((MR, "1.2.3"), (SEG, "1.2.4"), (MR, "1.2.5"), (MR, "1.2.6"))
    response = service.answer(CALLER, request(data_set, syntax))
    assert response.status == 0
    ((title, decision),) = owing.owed
    assert title == "SCANNER"
    assert decision.kept == (Asked(MR, "1.2.3"),)
    # PS3.3 C.14.1.1: class/instance conflict, processing failure, no such object instance
    assert [(one.sop_instance_uid, why) for one, why in decision.failed] == [
        ("1.2.4", 0x0119),
        ("1.2.5", 0x0110),
        ("1.2.6", 0x0112),
    ]
    assert response.report.event_type_id == 2
    assert service.service().operation is Operation.N_ACTION


@pytest.mark.parametrize(
    ("asking", "status"),
    [
        (request(asked((MR, "1.2.3")), instance="1.2.3"), 0x0112),
        (request(asked((MR, "1.2.3")), type_id=2), 0x0123),
        (request(b"nothing"), 0x0115),
        (request(asked()), 0x0115),
        (request(asked((MR, "1.2.3"), transaction="")), 0x0115),
    ],
)
def test_what_is_no_request_is_refused(asking, status, caplog):
    owing = Owing()
    response = CommitmentService(lambda _uids: {}, owing).answer(CALLER, asking)
    assert (response.status, response.report, owing.owed) == (status, None, [])
    assert "SCANNER" not in caplog.text


def test_a_report_that_cannot_be_kept_is_not_promised():
    class Full:
        def owe(self, *_):
            raise SpoolFull("no space")

    response = CommitmentService(lambda _uids: {"1.2.3": MR}, Full()).answer(
        CALLER, request(asked((MR, "1.2.3")))
    )
    assert (response.status, response.report) == (0x0213, None)


@pytest.fixture
def stored(spool, instances, tmp_path):
    """Store an image as the receiver does; return its UID."""

    def store(number, **values):
        path = instances.write_file(instances.mr_image(number, **values), tmp_path / "in")
        data_set = instances.data_set_bytes(path)
        spool.store(read_header(data_set, ExplicitVRLittleEndian), data_set)
        return f"1.2.3.10.1.{number}"

    return store


def test_the_spool_answers_for_files_under_their_final_names_only(spool, stored):
    first, second = stored(1), stored(2)
    kept = SpoolKeeps(spool)
    assert kept([first, second, "1.2.3.10.1.3"]) == {first: MR, second: MR}
    stored(2, ImageComments="other bytes")
    assert kept([first, second]) == {first: MR, second: AMBIGUOUS}
    spool.find([first])[first].unlink()
    assert kept([first]) == {}
    other = spool.find([second])[second]
    other.write_bytes(b"harmed")
    assert kept([second]) == {}


@contextmanager
def sender(status=0, *, scp_role=True):
    """A scanner that takes reports on an association that we open; yields port and reports."""
    reports = []

    def take(event):
        reports.append((event.event_type, event.event_information))
        return (status.pop(0) if isinstance(status, list) else status), None

    entity = AE("SCANNER")
    roles = {"scu_role": True, "scp_role": True} if scp_role else {}
    entity.add_supported_context(str(PUSH_MODEL), EXPLICIT, **roles)
    handlers = [(evt.EVT_N_EVENT_REPORT, take)]
    server = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)
    try:
        yield server.server_address[1], reports
    finally:
        server.shutdown()


def peer(port):
    return Peer("SCANNER", "127.0.0.1", port, timeouts=Timeouts(5, 5, 5))


@contextmanager
def owing(folder, peers, **how):
    """Owed reports whose thread runs."""
    owed, stop = OwedReports(folder, peers, back_off_s=(0.0,), **how), threading.Event()
    thread = threading.Thread(target=owed.run, args=[stop])
    thread.start()
    try:
        yield owed
    finally:
        stop.set()
        thread.join()


def test_a_report_is_sent_in_the_role_of_scp():
    with sender() as (port, reports):
        assert send_report(peer(port), DECISION) == 0
    ((event_type, data_set),) = reports
    assert event_type == 2
    assert data_set.TransactionUID == "2.25.7"
    assert data_set.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == "1.2.3"
    assert data_set.FailedSOPSequence[0].FailureReason == 0x0112


def test_a_report_that_the_association_did_not_carry_is_brought(tmp_path, instances):
    with sender() as (port, reports), owing(tmp_path / "owed", {"SCANNER": peer(port)}) as owed:
        answered = owed.owe("SCANNER", DECISION)
        (kept,) = (tmp_path / "owed").iterdir()
        assert json.loads(kept.read_bytes())["ae_title"] == "SCANNER"
        answered(None)
        assert instances.until(lambda: len(owed) == 0)
    assert len(reports) == 1
    assert list((tmp_path / "owed").iterdir()) == []


def test_a_report_that_was_taken_at_once_is_not_owed(tmp_path):
    owed = OwedReports(tmp_path / "owed", {})
    owed.owe("SCANNER", DECISION)(0)
    assert len(owed) == 0
    assert list((tmp_path / "owed").iterdir()) == []


def test_a_report_outlives_the_process_and_a_sender_that_is_away(tmp_path, instances):
    OwedReports(tmp_path / "owed", {}).owe("SCANNER", DECISION)  # and the process dies
    half, young = (tmp_path / "owed" / name for name in ("half.part", "young.part"))
    for part in (half, young):
        part.write_bytes(b"{")
    os.utime(half, (0, 0))
    (tmp_path / "owed" / "harmed.json").write_bytes(b"{")
    tries = []

    def send(called, decision):
        tries.append(decision)
        if len(tries) < 3:
            raise PeerUnavailable("not yet")
        return send_report(called, decision)

    with (
        sender([0x0110, 0]) as (port, reports),
        owing(tmp_path / "owed", {"SCANNER": peer(port)}, send=send) as owed,
    ):
        assert instances.until(lambda: len(tries) > 0)
        assert instances.until(lambda: len(owed) == 0)
    assert tries == [DECISION] * 4  # twice away, once not able, then taken
    assert len(reports) == 2
    assert list((tmp_path / "owed").iterdir()) == [young]


@pytest.mark.parametrize(("peers", "status"), [(False, None), (True, 0x0115)])
def test_a_report_that_nobody_takes_is_given_up_in_the_log(
    tmp_path, instances, caplog, peers, status
):
    caplog.set_level(logging.WARNING)
    with sender(status) as (port, _):
        known = {"SCANNER": peer(port)} if peers else {}
        with owing(tmp_path / "owed", known) as owed:
            owed.owe("SCANNER", DECISION)(None)
            assert instances.until(lambda: len(owed) == 0)
    assert [record.event for record in caplog.records] == ["report_given_up"]
    assert "2.25.7" not in caplog.text


def test_a_sender_that_does_not_let_us_report_is_asked_again(tmp_path):
    with sender(scp_role=False) as (port, reports):
        owed = OwedReports(tmp_path / "owed", {"SCANNER": peer(port)}, back_off_s=(0.0,))
        owed.owe("SCANNER", DECISION)(None)
        (waiting,) = owed._due()
        assert owed._try(waiting) is False
    assert (len(owed), reports) == (1, [])


@contextmanager
def asking(receiving, spool, peers):
    """A node whose senders may ask, and the thread that brings reports; yields port and owed."""
    with owing(spool.root / "owed", peers) as owed:
        service = CommitmentService(SpoolKeeps(spool), owed).service()
        with receiving(services=(service,)) as receiver:
            yield receiver.port, owed


def ask(port, data_set, handlers=(), syntax=EXPLICIT):
    """Ask as a scanner does; return the association, open, and the status."""
    entity = AE("SCANNER")
    entity.add_requested_context(str(PUSH_MODEL), syntax)
    association = entity.associate(
        "127.0.0.1", port, ae_title="OSTEON", evt_handlers=list(handlers)
    )
    assert association.is_established
    names = 1, str(PUSH_MODEL), str(PUSH_MODEL_INSTANCE)
    status, _ = association.send_n_action(data_set, *names)
    return association, status.Status


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT])
def test_a_scanner_that_waits_hears_on_its_own_association(
    receiving, spool, stored, instances, syntax
):
    uid, reports = stored(1), []

    def take(event):
        reports.append((event.event_type, event.event_information))
        return 0, None

    with asking(receiving, spool, {}) as (port, owed):
        question = asked((MR, uid), (MR, "1.2.3.10.1.9"))
        association, status = ask(port, question, [(evt.EVT_N_EVENT_REPORT, take)], syntax)
        assert status == 0
        assert instances.until(lambda: len(owed) == 0)
        association.release()
    ((event_type, report),) = reports
    assert event_type == 2
    assert [i.ReferencedSOPInstanceUID for i in report.ReferencedSOPSequence] == [uid]
    assert [i.FailureReason for i in report.FailedSOPSequence] == [0x0112]


def test_a_scanner_that_hung_up_is_called(receiving, spool, stored, instances):
    uid = stored(1)
    with (
        sender() as (back, reports),
        asking(receiving, spool, {"SCANNER": peer(back)}) as (
            port,
            owed,
        ),
    ):
        association, status = ask(port, asked((MR, uid)), [(evt.EVT_N_EVENT_REPORT, hang_up)])
        assert status == 0
        assert instances.until(lambda: len(owed) == 0 and len(reports) == 1)
        assert not association.is_established
    ((event_type, report),) = reports
    assert event_type == 1
    assert report.TransactionUID == "2.25.7"


def hang_up(event):
    event.assoc.abort()
    return 0, None


def test_a_request_that_is_none_leaves_the_association_open(receiving, spool):
    with asking(receiving, spool, {}) as (port, owed):
        association, status = ask(port, asked())
        assert status == 0x0115
        assert association.is_established
        association.release()
    assert len(owed) == 0
