"""D-24 (reliability.md): over an outage nothing of the audit is lost or doubled by its id."""

import re
import threading
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import cycle

import pytest

from jobs.audit import AuditEntry
from jobs.errors import StoreUnavailable
from jobs.forwarding import Behind
from service.access.events import EVENTS
from service.syslog.connection import NotTaken
from service.syslog.forwarder import LEASE_S, Forwarder, forwarding
from tests.chaos.figures import tell
from tests.service.access.audit_schema import breaches
from tests.service.syslog.conftest import SENDER, until

PAUSES_S = (0.05, 0.1, 0.2)
ROWS, BATCH, KILLS, DOWN_S = 300, 20, 3, 0.5


class Taken:
    """A server in memory: it keeps batches, or refuses."""

    name = "syslog.example:6514"

    def __init__(self):
        self.batches, self.code = [], ""

    def send(self, frames):
        if self.code:
            raise NotTaken(self.code)
        self.batches.append(frames)


def write(store, n, events=("study_view",), pause_s=0.0):
    for number, event in zip(range(n), cycle(events), strict=False):
        outcome = ("success", "refused", "failed")[number % 3]
        detail = "3 of 1.2.840.10008.5.1.4.1.1.4"
        entry = AuditEntry(event, outcome, f"n{number}", "sender", "192.0.2.1", detail=detail)
        store.record_audit(entry)
        time.sleep(pause_s)


def numbers(messages):
    return [int(re.search(r'\[meta sequenceId="(\d+)"\]', text)[1]) for text in messages]


@pytest.mark.timeout(1500)
def test_an_outage_loses_nothing_and_doubles_nothing_by_id(store, repository, full):
    down_s, rows, pause_s = (200.0, 2000, 0.3) if full else (DOWN_S, ROWS, 0.0)
    forwarder = Forwarder(store, repository.server, SENDER, BATCH, PAUSES_S, 0.02)
    writer = threading.Thread(target=write, args=(store, rows, sorted(EVENTS), pause_s))
    with forwarding(forwarder):
        writer.start()
        for kill in range(1, KILLS + 1):
            until(lambda kill=kill: len(repository.lines()) > kill * rows // (KILLS + 2), 600)
            repository.kill()
            time.sleep(down_s)  # many tries in vain
            repository.start()
        writer.join()
        until(lambda: store.audit_behind(repository.server.name).rows == 0)
    messages = repository.messages()
    times = Counter(numbers(messages))
    lost, twice = rows - len(times), sum(times.values()) - rows
    away = f"{KILLS} kills, {KILLS * down_s:g} s down"
    tell(f"{away}: {lost} of {rows} rows lost, {twice} came twice under their number")
    assert sorted(times) == list(range(1, rows + 1))  # 0 lost
    assert len(set(messages)) == rows  # what came twice has the same number and the same bytes
    assert twice <= BATCH * KILLS
    assert list(dict.fromkeys(numbers(messages))) == list(range(1, rows + 1))  # in order
    assert [text for text in set(messages) if breaches(_xml(text))] == []  # 100 % schema-valid


def _xml(text):
    return text.partition("\ufeff")[2].encode()


def test_an_orderly_restart_doubles_nothing_at_all(store, repository):
    write(store, 50)
    forwarder = Forwarder(store, repository.server, SENDER, BATCH)
    while forwarder.forward_next():
        pass
    repository.terminate()
    write(store, 50)
    with pytest.raises(NotTaken, match="NO_CONNECTION"):
        forwarder.forward_next()
    repository.start()
    while forwarder.forward_next():
        pass
    assert numbers(repository.messages()) == list(range(1, 101))


def test_two_processes_hand_on_each_row_once(store):
    write(store, 100)
    server = Taken()
    both = [Forwarder(store, server, SENDER, 7, PAUSES_S, 0.001) for _ in range(2)]
    with forwarding(both[0]), forwarding(both[1]):
        until(lambda: store.audit_behind(server.name).rows == 0)
    sent = [frame for batch in server.batches for frame in batch]
    assert len(sent) == len(set(sent)) == 100


def test_a_process_that_died_under_way_is_taken_over_after_its_lease(store):
    now = [datetime.now(UTC)]
    store._clock = lambda: now[0]
    write(store, 5)
    server = Taken()
    forwarder = Forwarder(store, server, SENDER)
    died = store.take_turn(server.name, LEASE_S)
    assert forwarder.forward_next() == 0  # another's turn
    now[0] += timedelta(seconds=LEASE_S + 1)
    assert forwarder.forward_next() == 5
    assert not store.end_turn(died, 3)
    assert store.audit_behind(server.name).rows == 0


def test_rows_that_were_not_taken_stay_and_the_turn_is_given_back(store):
    write(store, 3)
    server = Taken()
    server.code = "REFUSED"
    forwarder = Forwarder(store, server, SENDER)
    for _ in range(2):
        with pytest.raises(NotTaken, match="REFUSED"):
            forwarder.forward_next()
    assert store.audit_behind(server.name).rows == 3
    server.code = ""
    assert forwarder.forward_next() == 3
    assert store.audit_behind(server.name) == Behind(0, 0.0)


def test_trouble_is_logged_when_it_changes_and_without_an_address(store, caplog):
    write(store, 1)
    server = Taken()
    server.code = "NO_CONNECTION"
    forwarder = Forwarder(store, server, SENDER, 10, (0.001,), 0.001)
    with caplog.at_level("INFO"), forwarding(forwarder):
        time.sleep(0.1)
        server.code = "TLS"
        until(lambda: len(caplog.records) == 2)
        server.code = ""
        until(lambda: store.audit_behind(server.name).rows == 0)
        until(lambda: len(caplog.records) == 3)
    told = [(record.event, getattr(record, "code", "")) for record in caplog.records]
    assert told == [
        ("audit_not_forwarded", "NO_CONNECTION"),
        ("audit_not_forwarded", "TLS"),
        ("audit_forwarded", ""),
    ]


def test_a_database_that_is_away_ends_nothing(store, monkeypatch):
    write(store, 1)
    server = Taken()
    away = [True]
    asked = store.audit_behind

    def behind(name):
        if away[0]:
            message = "the database does not answer"
            raise StoreUnavailable(message)
        return asked(name)

    monkeypatch.setattr(store, "audit_behind", behind)
    with forwarding(Forwarder(store, server, SENDER, 10, (0.001,), 0.001)):
        time.sleep(0.05)
        away[0] = False
        until(lambda: server.batches)


def test_nothing_is_handed_on_where_no_server_is_named():
    before = threading.active_count()
    with forwarding(None):
        assert threading.active_count() == before
