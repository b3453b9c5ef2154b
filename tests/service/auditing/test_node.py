"""What the node witnesses is written behind its back: once a transfer, few times for a flood."""

import logging
import threading
import time

import pytest

from dicom_node.witness import Brought
from jobs.audit import AuditEntry
from jobs.errors import StoreUnavailable
from jobs.transfers import Transfer, counted, counts_in
from service.auditing.node import witnessing
from service.auditing.presence import in_the_audit
from service.auditing.recorder import MOST, Recorder, recording
from service.auditing.refusals import KINDS, Refusals

MR, SEG = "1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.5.1.4.1.1.66.4"


class Books:
    """A store that keeps entries, or is away."""

    def __init__(self):
        self.rows, self.away = [], False

    def record_audit(self, entry):
        if self.away:
            message = "the database does not answer"
            raise StoreUnavailable(message)
        self.rows.append(entry)


def told(rows):
    return [(row.event, row.outcome, row.actor, row.study_uid, row.detail) for row in rows]


def test_an_association_that_brought_two_studies_is_one_entry_each(store):
    brought = Brought("MR1", "192.0.2.7")
    for number in range(5):
        brought.count("1.2.1", MR, stored=True)
        brought.count("1.2.2", SEG if number else MR, stored=True)
    brought.count("1.2.2", MR, stored=False)
    with witnessing(store) as witness:
        for transfer in brought.transfers():
            witness.received(transfer)
    assert told(store.audit()) == [
        ("instances_received", "success", "MR1", "1.2.1", f"5 of {MR}"),
        ("instances_received", "success", "MR1", "1.2.2", f"1 of {MR}, 4 of {SEG}"),
        ("instances_received", "failed", "MR1", "1.2.2", f"1 of {MR}"),
    ]
    row = store.audit()[0]
    assert (row.role, row.address) == ("sender", "192.0.2.7")
    assert store.verify_audit().rows == 3


def test_an_association_that_brought_nothing_is_no_entry():
    assert list(Brought("MR1", "192.0.2.7").transfers()) == []


def test_what_goes_out_begins_and_ends():
    transfer = Transfer("PACS", "pacs.example", "1.2", {SEG: 5, MR: 1}, {SEG: 1})
    begun, (sent, refused) = transfer.begun("ab" * 16), transfer.sent("ab" * 16)
    assert [e.event for e in (begun, sent, refused)] == [
        "instances_sending",
        "instances_sent",
        "instances_sent",
    ]
    assert [e.outcome for e in (begun, sent, refused)] == ["success", "success", "failed"]
    assert {e.job_id for e in (begun, sent, refused)} == {"ab" * 16}
    assert counts_in(sent.detail) == {SEG: 5, MR: 1}


def test_more_classes_than_an_entry_holds_are_a_sum():
    counts = {f"1.2.840.10008.5.1.4.1.1.{n}": 10 for n in range(20)}
    assert counted(counts) == "200 objects of 20 classes"
    assert counts_in(counted(counts)) == {}
    few = dict(list(counts.items())[:5])
    assert counts_in(counted(few)) == few


def test_a_peer_that_is_turned_away_again_and_again_is_few_entries():
    rows, now = [], [0.0]
    refusals = Refusals(rows.append, lambda: now[0])
    for _ in range(1000):
        refusals.add("EVIL", "192.0.2.9", "CALLING_AE_TITLE_UNKNOWN")
    refusals.add("EVIL", "192.0.2.9", "CALLED_AE_TITLE_UNKNOWN")
    refusals.flush()
    assert [row.detail for row in rows] == ["CALLING_AE_TITLE_UNKNOWN", "CALLED_AE_TITLE_UNKNOWN"]
    now[0] += 60
    refusals.flush()
    assert rows[-1].detail == "CALLING_AE_TITLE_UNKNOWN 999 more within a minute"
    assert (rows[-1].event, rows[-1].outcome) == ("association_refused", "refused")
    refusals.add("EVIL", "192.0.2.9", "CALLING_AE_TITLE_UNKNOWN")
    assert len(rows) == 4  # a new minute


def test_titles_that_a_stranger_makes_up_are_not_an_entry_each():
    rows = []
    refusals = Refusals(rows.append)
    for number in range(10_000):
        refusals.add(f"E{number}", "192.0.2.9", "CALLING_AE_TITLE_UNKNOWN")
    refusals.flush(at_end=True)
    assert len(rows) == KINDS + 2
    assert (rows[-1].actor, rows[-1].detail) == (
        "many",
        f"{10_000 - KINDS - 1} more within a minute",
    )


def test_a_database_that_is_away_is_waited_for_and_nothing_is_lost(monkeypatch):
    monkeypatch.setattr("service.auditing.recorder._AGAIN_S", 0.01)
    books = Books()
    books.away = True
    recorder = Recorder(books)
    entries = [AuditEntry("change", "success", f"n{n}", "node", "x") for n in range(20)]
    with recording(recorder):
        for entry in entries:
            recorder.tell(entry)
        time.sleep(0.05)
        books.away = False
    assert books.rows == entries


def test_what_found_no_room_is_said_in_the_audit_itself(monkeypatch, caplog):
    monkeypatch.setattr("service.auditing.recorder._AGAIN_S", 0.01)
    books = Books()
    recorder = Recorder(books)
    entry = AuditEntry("change", "success", "n", "node", "x")
    for _ in range(MOST + 7):
        recorder.tell(entry)
    stop = threading.Event()
    recorder.beside = lambda: stop.set() if len(books.rows) > MOST else None
    with caplog.at_level(logging.ERROR):
        recorder.run(stop)
    (lost,) = [row for row in books.rows if row.outcome == "failed"]
    assert lost.detail.startswith("7 entries were lost")
    assert len(books.rows) == MOST + 1
    assert [r.event for r in caplog.records] == ["audit_lost"]


def test_an_end_without_the_database_says_how_much_is_lost(monkeypatch, caplog):
    monkeypatch.setattr("service.auditing.recorder._AGAIN_S", 0.01)
    monkeypatch.setattr("service.auditing.recorder._AT_END_S", 0.05)
    books = Books()
    books.away = True
    with caplog.at_level(logging.ERROR), recording(Recorder(books)) as recorder:
        for _ in range(3):
            recorder.tell(AuditEntry("change", "success", "n", "node", "x"))
    assert books.rows == []
    assert caplog.messages[-1] == "3 entries of the audit were lost"


def test_starts_and_stops_are_recorded_also_when_it_ends_badly(store):
    def crashes():
        with in_the_audit(store, "node"):
            message = "a defect"
            raise ValueError(message)

    with pytest.raises(ValueError, match="a defect"):
        crashes()
    rows = store.audit()
    assert [row.event for row in rows] == ["application_start", "application_stop"]
    assert {row.detail.split()[1] for row in rows} == {"node"}
    assert "(command)" in rows[0].actor


def test_names_that_a_peer_chose_are_kept_as_text_that_xml_can_hold(store):
    with witnessing(store) as witness:
        witness.turned_away("EV\x00IL\n<b>", "192.0.2.9", "CALLING_AE_TITLE_UNKNOWN")
    (row,) = store.audit()
    assert row.actor == "EV\N{REPLACEMENT CHARACTER}IL\N{REPLACEMENT CHARACTER}<b>"
