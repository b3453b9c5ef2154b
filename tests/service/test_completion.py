"""The node as `service.node_wiring` puts it together: real sockets, real child, real store."""

import contextlib
import json
import logging
import threading
import time

import pytest

from dicom_node.send import Peer, send
from jobs.job import JobState
from service import node_wiring
from service.logs import JsonLines
from service.settings import load_settings
from tests.dicom_objects.reading.small_bodies import (
    COVERAGE_MM,
    STUDY_UID,
    plain_image,
    whole_body,
    write_images,
)


@pytest.fixture
def running(tmp_path, store):
    """Run the node of the settings; yields the peer to send to."""

    @contextlib.contextmanager
    def start(quiet_s=60.0, enabled=True):
        content = {"enabled": enabled, "settle_s": 0.1, "coverage_mm": COVERAGE_MM}
        node = {"port": 0, "free_space_floor_gib": 0.0, "quiet_s": quiet_s, "content": content}
        settings = load_settings({"data_dir": tmp_path, "node": node})
        made = node_wiring.make_node(settings, store)
        stop = threading.Event()
        thread = threading.Thread(target=made.run, args=(stop,), daemon=True)
        thread.start()
        try:
            assert made.started.wait(10)
            yield Peer("OSTEON", "127.0.0.1", made.port)
        finally:
            stop.set()
            thread.join(10)
            assert not thread.is_alive()

    return start


@pytest.fixture
def body(tmp_path):
    return write_images(whole_body(), tmp_path / "in")


def until(condition, seconds=15.0):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return condition()


def test_a_whole_body_starts_at_once(running, store, body):
    with running() as peer:
        assert all(outcome.ok for outcome in send(peer, body))
        assert until(store.jobs)
    (job,) = store.jobs()
    assert (job.study_uid, job.revision) == (STUDY_UID, 1)
    assert len(store.instances(STUDY_UID, revision=1)) == len(body)


def test_half_a_body_waits_and_the_rest_starts_it(running, store, body, caplog):
    with running() as peer, caplog.at_level(logging.INFO, logger="dicom_node"):
        send(peer, body[:8])
        assert until(lambda: "not whole yet" in caplog.text)
        time.sleep(0.3)
        assert store.jobs() == ()
        send(peer, body[8:])
        assert until(store.jobs)
    assert [job.revision for job in store.jobs()] == [1]


def test_half_a_body_is_measured_after_the_quiet_period(running, store, body):
    with running(quiet_s=0.5) as peer:
        send(peer, body[:8])
        assert until(store.jobs)


def test_without_looks_the_quiet_period_alone_decides(running, store, body):
    with running(enabled=False) as peer:
        send(peer, body)
        time.sleep(1)
        assert store.jobs() == ()


def test_a_series_that_follows_is_no_reason_to_hurry_and_is_not_forgotten(
    running, store, body, tmp_path, caplog
):
    """A revision for each further series of an examination would send results again and again."""
    plain = write_images([plain_image(n) for n in range(3)], tmp_path / "in")
    with running(quiet_s=2.5) as peer, caplog.at_level(logging.INFO, logger="dicom_node"):
        send(peer, body)
        assert until(store.jobs)
        for path in plain:
            send(peer, [path])
            time.sleep(0.2)
        assert len(store.jobs()) == 1
        assert until(lambda: len(store.jobs()) == 2)
    newer, older = store.jobs()
    assert (newer.revision, newer.state, older.state) == (2, JobState.QUEUED, JobState.REJECTED)
    assert "nothing that came since the last run is part of a station" in caplog.text


def test_after_a_restart_an_open_study_is_looked_at(running, store, body):
    with running(enabled=False) as peer:
        send(peer, body)
    assert store.jobs() == ()
    with running():
        assert until(store.jobs)
    assert store.study(STUDY_UID).revision == 1


def test_the_log_says_why_and_names_nobody(running, store, body, caplog):
    with running() as peer, caplog.at_level(logging.INFO):
        send(peer, body)
        assert until(lambda: store.jobs() and "revision 1" in caplog.text)
    lines = [JsonLines("node").format(record) for record in caplog.records]
    told = [json.loads(line)["msg"] for line in lines]
    assert "a study of 24 images is whole: 3 stations with b 50, 800 cover 120 mm" in told
    assert any(line.endswith("24 images; its content is whole") for line in told)
    assert not [line for line in lines if "CANARY" in line or STUDY_UID in line]
