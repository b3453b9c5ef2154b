"""A PACS reports storage commitment to our node on an association of its own, over real sockets."""

from types import SimpleNamespace

import pytest
from pydicom.dataset import Dataset

from dicom_node.commitment import new_transaction_uid
from dicom_node.receive import Receiver, ReceiverSettings
from dicom_node.spool import Spool
from jobs.errors import StoreUnavailable
from jobs.job import Failure, JobState, Stage
from jobs.result import ResultFile
from service.commitment_reports import commitment_reports
from tests.small_pacs import SEG, SmallPacs

AWAITED = Failure("PROOF_AWAITED", "the PACS has not shown yet", Stage.DELIVER, retryable=True)


@pytest.fixture
def waiting(store, open_job):
    """A job that waits for a report under a transaction."""
    job = open_job(5)
    uids = (SEG, "2.25.901", "2.25.900")
    seg = ResultFile("seg", "seg.dcm", "application/dicom", "seg.dcm", "1" * 64, *uids)
    store.keep_results(job, [seg])
    store.mark_sent(job, "2.25.901", "PACS", 0)
    transaction_uid = new_transaction_uid()
    store.ask_commitment(job, "PACS", ["2.25.901"], (transaction_uid, 600.0))
    store.retry(job, AWAITED, 600.0, spend_attempt=False)
    return SimpleNamespace(job=job, transaction_uid=transaction_uid)


@pytest.fixture
def rung():
    return []


@pytest.fixture
def node(store, rung, tmp_path):
    """Our node's door; yields its port."""
    service = commitment_reports(store, SimpleNamespace(submit=rung.append))
    spool = Spool(tmp_path / "spool", floor_bytes=0)
    settings = ReceiverSettings(port=0, services=(service,))
    receiver = Receiver(settings, spool, lambda _instance: None)
    with spool.claim():
        receiver.start()
        yield receiver.port
        receiver.stop()


def report(transaction_uid):
    told, item = Dataset(), Dataset()
    told.TransactionUID = transaction_uid
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = SEG, "2.25.901"
    told.ReferencedSOPSequence = [item]
    return told


def test_a_report_ends_the_waiting_and_rings_for_the_job(store, waiting, node, rung):
    pacs = SmallPacs()
    assert store.claim("w", 30) is None
    pacs.report_to("OSTEON", node, 1, report(waiting.transaction_uid))
    assert pacs.reported == [0x0000]
    assert rung == [waiting.job.id]
    (way,) = store.deliveries(waiting.job.id)
    assert str(way.status) == "committed"
    assert store.claim("w", 30).id == waiting.job.id


def test_a_report_that_nobody_asked_for_changes_nothing(store, waiting, node, rung):
    pacs = SmallPacs()
    pacs.report_to("OSTEON", node, 1, report(new_transaction_uid()))
    assert (pacs.reported, rung) == ([0x0115], [])
    assert store.job(waiting.job.id).state is JobState.QUEUED
    assert str(store.deliveries(waiting.job.id)[0].status) == "sent"


def test_a_report_while_the_database_is_away_may_come_again(store, waiting, node, monkeypatch):
    def away(*_):
        raise StoreUnavailable("the database does not answer")

    pacs = SmallPacs()
    with monkeypatch.context() as patched:
        patched.setattr(store, "commitment_reported", away)
        pacs.report_to("OSTEON", node, 1, report(waiting.transaction_uid))
    pacs.report_to("OSTEON", node, 1, report(waiting.transaction_uid))
    assert pacs.reported == [0x0110, 0x0000]
