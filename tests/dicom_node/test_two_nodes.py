"""Two nodes, one spool, one database: a study that comes in halves through both is one study."""

import contextlib
import threading
import time

import pytest
from pydicom import dcmread
from pynetdicom import AE

from dicom_node.completion import QuietPeriod, StudyArrivals
from dicom_node.header import read_header
from dicom_node.neighbours import Neighbours
from dicom_node.node import Node
from dicom_node.receive import ReceiverSettings
from dicom_node.spool import Spool
from jobs.job import Priority
from jobs.migrate import upgrade
from jobs.receptions import Reception
from jobs.store import JobStore
from jobs.study import input_digest

MR = "1.2.840.10008.5.1.4.1.1.4"
QUIET_S = 1.0


class Bell:
    def __init__(self):
        self.rung = []

    def submit(self, job_id):
        self.rung.append(job_id)


@pytest.fixture
def store(tmp_path):
    url = f"sqlite:///{tmp_path}/osteon.db"
    upgrade(url)
    with JobStore(url) as opened:
        yield opened


@pytest.fixture
def node(store, tmp_path):
    """Start a node of the shared spool; yields its port."""

    @contextlib.contextmanager
    def start(bell):
        spool = Spool(tmp_path / "spool", floor_bytes=0, shared=True)
        settings = ReceiverSettings(port=0, urgent_ae_titles=("STAT",))
        node = Node(settings, spool, store, bell, QuietPeriod(QUIET_S))
        stop = threading.Event()
        thread = threading.Thread(target=node.run, args=(stop,), daemon=True)
        thread.start()
        try:
            assert node.started.wait(20)
            yield node.port
        finally:
            stop.set()
            thread.join(20)
            assert not thread.is_alive()

    return start


@contextlib.contextmanager
def association(port, title="TEST"):
    entity = AE(title)
    entity.add_requested_context(MR, "1.2.840.10008.1.2.1")
    peer = entity.associate("127.0.0.1", port, ae_title="OSTEON")
    assert peer.is_established
    yield peer
    peer.release()


def test_halves_through_two_nodes_are_one_revision(node, store, instances, tmp_path):
    paths = [instances.write_file(instances.mr_image(n), tmp_path / "in") for n in range(1, 9)]
    images = [dcmread(path) for path in paths]
    bell = Bell()
    with node(bell) as one, node(bell) as other:
        with association(one) as first, association(other) as second:
            for image in images[:3]:
                assert first.send_c_store(image).Status == 0
            for image in images[3:6]:
                assert second.send_c_store(image).Status == 0
            first.release()
            time.sleep(2 * QUIET_S)  # quiet here, but the other node is at it
            assert bell.rung == []
            for image in images[6:]:
                assert second.send_c_store(image).Status == 0
        assert instances.until(lambda: bell.rung)
        time.sleep(2 * QUIET_S)  # the other finds it due, too
    (job,) = store.jobs()
    assert bell.rung == [job.id]
    assert job.revision == 1
    kept = store.instances("1.2.3.10", revision=1)
    assert len(kept) == len(images)
    assert job.input_digest == input_digest(kept)


def test_what_a_dead_node_accepted_and_did_not_index_is_in_the_revision(
    node, store, instances, tmp_path
):
    syntax = "1.2.840.10008.1.2.1"
    paths = [instances.write_file(instances.mr_image(n), tmp_path / "in") for n in (1, 2)]
    bell = Bell()
    with node(bell) as port:
        with association(port) as peer:
            assert peer.send_c_store(dcmread(paths[0])).Status == 0
            # Another node has it, answers, and dies before it writes a row.
            data_set = instances.data_set_bytes(paths[1])
            spool = Spool(tmp_path / "spool", floor_bytes=0, shared=True)
            with spool.claim():
                spool.store(read_header(data_set, syntax), data_set)
        assert instances.until(lambda: bell.rung)
    assert len(store.instances("1.2.3.10", revision=1)) == 2


def test_a_node_that_died_while_receiving_holds_nobody_up_for_long(store):
    now_s = time.monotonic()
    study = StudyArrivals("1.2.3", now_s - 9.0, now_s - 5.0, busy=False)
    store.tell_receptions("dead", {"1.2.3": Reception(20.0, 1.0, busy=True)}, 0.3)
    joined = Neighbours(store).join({"1.2.3": study}, now_s)["1.2.3"]
    assert joined.busy
    assert now_s - joined.first_at_s == pytest.approx(20.0, abs=1.0)
    assert now_s - joined.last_at_s == pytest.approx(1.0, abs=1.0)
    time.sleep(0.4)
    joined = Neighbours(store).join({"1.2.3": study}, now_s)["1.2.3"]
    assert not joined.busy
    assert now_s - joined.last_at_s == pytest.approx(1.4, abs=1.0)  # its image still counts


def test_what_an_urgent_peer_sends_is_measured_first(node, store, instances, tmp_path):
    uids = {"STAT": "1.2.3.10", "MR1": "1.2.3.11"}
    for title, uid in uids.items():
        image = instances.mr_image(1, study=uid, series=f"{uid}.1")
        instances.write_file(image, tmp_path / title)
    bell = Bell()
    with node(bell) as port:
        for title in uids:
            (path,) = (tmp_path / title).iterdir()
            with association(port, title) as peer:
                assert peer.send_c_store(dcmread(path)).Status == 0
        assert instances.until(lambda: len(bell.rung) == 2)
    found = {job.study_uid: job.priority for job in store.jobs()}
    assert found == {uids["STAT"]: Priority.URGENT, uids["MR1"]: Priority.ROUTINE}


def test_a_study_is_urgent_when_an_urgent_peer_sent_to_either_node(store):
    study = StudyArrivals("1.2.3.10", 0.0, 0.0, busy=False, urgent=True)
    Neighbours(store).join({"1.2.3.10": study}, 1.0)
    here = {uid: StudyArrivals(uid, 0.0, 0.0, busy=False) for uid in ("1.2.3.10", "1.2.3.11")}
    assert [s.urgent for s in Neighbours(store).join(here, 1.0).values()] == [True, False]
