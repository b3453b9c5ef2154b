"""What goes to a destination is in the audit: begun before it goes, then what came of it."""

import hashlib

import pytest

from jobs.errors import StoreUnavailable
from jobs.result import ResultFile
from tests.small_pacs import SEG, SR, small_pacs
from tests.workers.dicom_files import write_object
from workers.configuration import DeliveryRule, Destination, WebAddress
from workers.delivery import Courier, DeliveryWaits

QUICK = DeliveryRule(back_off_s=(0.05,))


@pytest.fixture
def courier(store, configuration, claimed):
    """Of a job with two SEG and an SR."""
    files = []
    for number, (kind, sop_class) in enumerate((("seg", SEG), ("seg", SEG), ("sr", SR)), 901):
        uid = f"2.25.{number}"
        path = write_object(configuration.results_dir / f"{number}.dcm", sop_class, uid)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        uids = (sop_class, uid, "2.25.900")
        files.append(ResultFile(kind, path.name, "application/dicom", path.name, digest, *uids))
    store.keep_results(claimed, files)
    return Courier(store, claimed, configuration.results_dir, QUICK)


def told(courier):
    return [(row.event, row.outcome, row.detail) for row in courier.store.audit()]


def to(port):
    return Destination("PACS", "PACS", "127.0.0.1", port, "OSTEON", "none")


def test_a_delivery_is_two_rows_and_not_one_an_object(courier, claimed):
    with small_pacs() as pacs:
        courier.deliver([to(pacs.port)], lambda _done: None)
    assert told(courier) == [
        ("instances_sending", "success", f"2 of {SEG}, 1 of {SR}"),
        ("instances_sent", "success", f"2 of {SEG}, 1 of {SR}"),
    ]
    row = courier.store.audit()[0]
    assert (row.actor, row.role, row.address) == ("PACS", "receiver", "127.0.0.1")
    assert (row.study_uid, row.job_id) == (claimed.study_uid, claimed.id)


def test_what_was_not_taken_is_a_row_of_its_own(courier):
    with small_pacs() as pacs:
        pacs.answer = lambda number: 0xA700 if number == 3 else 0
        with pytest.raises(DeliveryWaits):
            courier.deliver([to(pacs.port)], lambda _done: None)
    assert told(courier)[1:] == [
        ("instances_sent", "success", f"2 of {SEG}"),
        ("instances_sent", "failed", f"1 of {SR}"),
    ]


def test_a_destination_that_is_away_is_said_too(courier):
    with small_pacs() as pacs:
        port = pacs.port
    with pytest.raises(DeliveryWaits):
        courier.deliver([to(port)], lambda _done: None)
    assert told(courier)[1:] == [("instances_sent", "failed", f"2 of {SEG}, 1 of {SR}")]


def test_nothing_goes_out_that_could_not_be_recorded(courier, monkeypatch):
    def away(_entry):
        message = "the database does not answer"
        raise StoreUnavailable(message)

    monkeypatch.setattr(courier.store, "record_audit", away)
    with small_pacs() as pacs, pytest.raises(StoreUnavailable):
        courier.deliver([to(pacs.port)], lambda _done: None)
    assert pacs.came == []


def test_a_service_of_dicomweb_is_named_as_in_the_settings(courier):
    web = WebAddress("http://127.0.0.1:1/dw")
    with pytest.raises(DeliveryWaits):
        courier.deliver([Destination("vna", "", "", 0, proof="none", web=web)], lambda _done: None)
    row = courier.store.audit()[-1]
    assert (row.outcome, row.actor, row.address) == ("failed", "vna", "127.0.0.1")
