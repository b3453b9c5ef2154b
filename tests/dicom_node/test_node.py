"""The node as a process of its own, with SQLite, killed and started again."""

import contextlib
import os
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from pydicom import dcmread
from pynetdicom import AE

from dicom_node.completion import ContentFirst, QuietPeriod
from dicom_node.errors import SpoolBusy
from dicom_node.network import Timeouts
from dicom_node.node import Node
from dicom_node.receive import ReceiverSettings
from dicom_node.send import Peer, send
from dicom_node.spool import Spool
from jobs.errors import StoreUnavailable
from jobs.job import JobState
from jobs.migrate import upgrade
from jobs.store import JobStore
from jobs.study import input_digest

ROOT = Path(__file__).parents[2]
SEG = "1.2.840.10008.5.1.4.1.1.66.4"

# What `osteon node` does, with nothing else of the service.
PROGRAM = """
import signal, sys, threading
from pathlib import Path
from dicom_node.completion import QuietPeriod
from dicom_node.node import Node
from dicom_node.receive import ReceiverSettings
from dicom_node.spool import Spool
from jobs.store import JobStore

class Silent:
    def submit(self, job_id):
        pass

root, port, quiet_s = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
stop = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stop.set())
store = JobStore(f"sqlite:///{root}/osteon.db")
spool = Spool(root / "spool", floor_bytes=0)
node = Node(ReceiverSettings(port=port), spool, store, Silent(), QuietPeriod(quiet_s))
node.run(stop)
"""


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
def running(store, spool):
    """A node in a thread; yields (port, bell)."""

    @contextlib.contextmanager
    def start(quiet_s=0.3, store=store, rule=None):
        bell = Bell()
        rule = rule or QuietPeriod(quiet_s)
        node = Node(ReceiverSettings(port=0), spool, store, bell, rule)
        stop = threading.Event()
        thread = threading.Thread(target=node.run, args=(stop,), daemon=True)
        thread.start()
        try:
            assert node.started.wait(10)
            yield node.port, bell
        finally:
            stop.set()
            thread.join(10)
            assert not thread.is_alive()

    return start


@pytest.fixture
def process(tmp_path, instances):
    """Start the node as a process; kill it if the test has not."""
    started = []

    def start(quiet_s=0.5, wrapper=()):
        port = instances.free_port()
        arguments = [sys.executable, "-c", PROGRAM, str(tmp_path), str(port), str(quiet_s)]
        # A group of its own, so that what strace runs ends with it.
        child = subprocess.Popen([*wrapper, *arguments], cwd=ROOT, start_new_session=True)
        started.append(child)
        assert instances.until(lambda: _listens(port))
        return child, Peer("OSTEON", "127.0.0.1", port)

    yield start
    for child in started:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def _listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def peer(port):
    return Peer("OSTEON", "127.0.0.1", port)


def study(instances, folder, uid, count, **values):
    return [
        instances.write_file(instances.mr_image(n, uid, f"{uid}.1", **values), folder)
        for n in range(1, count + 1)
    ]


def test_a_study_that_is_quiet_becomes_one_job(running, store, instances, tmp_path):
    with running() as (port, bell):
        send(peer(port), study(instances, tmp_path / "in", "1.2.3", 5))
        assert instances.until(lambda: bell.rung)
        (job,) = store.jobs()
        assert bell.rung == [job.id]
        assert (job.study_uid, job.revision, job.state) == ("1.2.3", 1, JobState.QUEUED)
        assert store.study("1.2.3").n_instances == 5
        time.sleep(0.5)
    assert len(store.jobs()) == 1


def test_a_study_stays_open_while_its_association_is(running, instances, tmp_path):
    path = study(instances, tmp_path / "in", "1.2.3", 1)[0]
    entity = AE("SLOW")
    entity.add_requested_context("1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.1.2.1")
    with running(quiet_s=0.2) as (port, bell):
        association = entity.associate("127.0.0.1", port, ae_title="OSTEON")
        association.send_c_store(dcmread(path))
        time.sleep(1)
        assert bell.rung == []
        association.release()
        assert instances.until(lambda: bell.rung)


def test_a_peer_that_never_releases_holds_a_study_until_the_deadline(
    running, store, instances, tmp_path
):
    paths = study(instances, tmp_path / "in", "1.2.3", 2)
    entity = AE("ENDLESS")
    entity.add_requested_context("1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.1.2.1")
    with running(rule=ContentFirst(settle_s=0.1, quiet_s=0.2, deadline_s=3)) as (port, bell):
        association = entity.associate("127.0.0.1", port, ae_title="OSTEON")
        association.send_c_store(dcmread(paths[0]))
        time.sleep(1)
        assert bell.rung == []
        assert instances.until(lambda: bell.rung)
        association.send_c_store(dcmread(paths[1]))
        assert instances.until(lambda: len(bell.rung) == 2)
        association.release()
    assert sorted(job.revision for job in store.jobs()) == [1, 2]


def test_images_that_come_late_open_a_second_revision(running, store, instances, tmp_path):
    paths = study(instances, tmp_path / "in", "1.2.3", 4)
    with running() as (port, bell):
        send(peer(port), paths[:3])
        assert instances.until(lambda: len(bell.rung) == 1)
        send(peer(port), paths[3:])
        assert instances.until(lambda: len(bell.rung) == 2)
    assert sorted(job.revision for job in store.jobs()) == [1, 2]


def test_the_same_study_again_opens_nothing(running, store, instances, tmp_path):
    paths = study(instances, tmp_path / "in", "1.2.3", 3)
    with running() as (port, bell):
        send(peer(port), paths)
        assert instances.until(lambda: bell.rung)
        send(peer(port), paths)
        time.sleep(1)
    assert len(store.jobs()) == 1


def test_results_that_come_back_open_nothing(running, store, spool, instances, tmp_path):
    paths = study(instances, tmp_path / "in", "1.2.3", 3)
    ours = instances.write_file(
        instances.mr_image(9, "1.2.3", "1.2.3.9", SOPClassUID=SEG), tmp_path / "in"
    )
    alone = instances.write_file(
        instances.mr_image(9, "1.2.4", "1.2.4.9", SOPClassUID=SEG), tmp_path / "in"
    )
    with running() as (port, bell):
        send(peer(port), paths)
        assert instances.until(lambda: bell.rung)
        assert all(o.ok for o in send(peer(port), [ours, alone]))
        time.sleep(1)
    assert len(store.jobs()) == 1
    assert len(list(spool.rescan())) == 5


def test_a_conflict_changes_no_study(running, store, instances, tmp_path):
    first = study(instances, tmp_path / "a", "1.2.3", 2)
    second = study(instances, tmp_path / "b", "1.2.3", 2, ImageComments="changed")
    with running() as (port, bell):
        send(peer(port), first)
        assert instances.until(lambda: bell.rung)
        answers = [o.status for o in send(peer(port), second)]
        assert answers == [0xB000, 0xB000]
        time.sleep(0.6)
    assert len(store.jobs()) == 1


def test_while_the_store_is_away_images_are_still_taken(
    running, store, instances, tmp_path, monkeypatch
):
    away = threading.Event()
    away.set()
    real = store.record_instances

    def record(batch):
        if away.is_set():
            raise StoreUnavailable("gone")
        return real(batch)

    monkeypatch.setattr(store, "record_instances", record)
    monkeypatch.setattr("dicom_node.node.STORE_AWAY_S", 0.05)
    with running() as (port, bell):
        outcomes = send(peer(port), study(instances, tmp_path / "in", "1.2.3", 3))
        assert all(o.ok for o in outcomes)
        time.sleep(0.5)
        assert store.studies() == ()
        away.clear()
        assert instances.until(lambda: bell.rung)
    assert store.study("1.2.3").n_instances == 3


def test_the_index_is_rebuilt_from_the_spool_alone(running, spool, instances, tmp_path):
    with running(quiet_s=60) as (port, _):
        send(peer(port), study(instances, tmp_path / "in", "1.2.3", 4))
    (tmp_path / "osteon.db").rename(tmp_path / "lost.db")
    url = f"sqlite:///{tmp_path}/new.db"
    upgrade(url)
    with JobStore(url) as new:
        with running(quiet_s=0.1, store=new) as (_, bell):
            assert instances.until(lambda: bell.rung)
        assert new.study("1.2.3").n_instances == 4
        (job,) = new.jobs()
        assert job.study_uid == "1.2.3"
        assert {i.path for i in new.instances("1.2.3")} == {i.path for i in spool.rescan()}


def test_two_nodes_cannot_share_a_spool(running, store, spool):
    with running(), pytest.raises(SpoolBusy):
        Node(ReceiverSettings(port=0), Spool(spool.root), store, Bell()).run(threading.Event())


class Strike:
    """Called for every answer of the node; kills it a moment after the given number of them."""

    def __init__(self, pid, after, delay_s):
        self.pid, self.left, self.delay_s = pid, after, delay_s

    def __call__(self, _outcome):
        self.left -= 1
        if self.left == 0:
            threading.Timer(self.delay_s, os.kill, (self.pid, signal.SIGKILL)).start()


def test_killed_at_any_moment_it_forgets_nothing_it_acknowledged(
    process, store, spool, instances, tmp_path
):
    """kill -9 while three studies arrive; the sender sends again what was not acknowledged."""
    chance = random.Random(7)
    waiting = {
        path: uid
        for uid in ("1.2.31", "1.2.32", "1.2.33")
        for path in study(instances, tmp_path / "in" / uid, uid, 25)
    }
    acknowledged = {}
    for _ in range(3):
        child, node = process(quiet_s=60)
        strike = Strike(child.pid, after=chance.randint(3, 15), delay_s=chance.uniform(0, 0.02))
        limits = Timeouts(answer_s=5)
        aim = Peer(node.ae_title, node.host, node.port, timeouts=limits)
        outcomes = send(aim, list(waiting), strike)
        child.wait()
        assert not all(outcome.ok for outcome in outcomes)
        for outcome in outcomes:
            if outcome.ok:
                acknowledged[outcome.sop_instance_uid] = outcome.path
                waiting.pop(outcome.path, None)
        on_disk = {i.sop_instance_uid: i for i in spool.rescan()}
        assert set(acknowledged) <= set(on_disk)
    child, node = process(quiet_s=0.3)
    if waiting:
        assert all(o.ok for o in send(node, list(waiting)))
    assert instances.until(lambda: len(store.jobs()) == 3)
    on_disk = {i.sop_instance_uid: i for i in spool.rescan()}
    assert len(on_disk) == 75
    for uid, path in acknowledged.items():
        stored = spool.path(on_disk[uid])
        assert instances.data_set_bytes(stored) == instances.data_set_bytes(path)
    for job in store.jobs():
        indexed = store.instances(job.study_uid)
        assert len(indexed) == 25
        assert input_digest(indexed) == input_digest(spool.instances(job.study_uid))
    assert not list((spool.root / "incoming").iterdir())
    child.send_signal(signal.SIGTERM)
    assert child.wait(10) == 0


@pytest.mark.usefixtures("store")
def test_nothing_is_answered_before_it_is_durable(process, instances, tmp_path):
    """The order of system calls, seen by strace: fsync, rename, fsync, then the answer."""
    trace = tmp_path / "trace"
    calls = "trace=openat,fsync,rename,renameat,renameat2,sendto"
    try:
        subprocess.run(["strace", "-o", "/dev/null", "true"], check=True, capture_output=True)
    except FileNotFoundError:
        pytest.fail("strace is not installed; run tests/install_peers.sh")
    except subprocess.CalledProcessError:
        pytest.skip("this kernel does not let strace trace (ptrace is forbidden)")
    child, node = process(60, ("strace", "-f", "-s", "0", "-o", str(trace), "-e", calls))
    paths = study(instances, tmp_path / "in", "1.2.3", 10)
    send(node, paths[:1])  # makes the folders
    before = len(trace.read_text().splitlines())
    assert all(o.ok for o in send(node, paths[1:]))
    os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    lines = trace.read_text().splitlines()[before:]
    renames = [n for n, line in enumerate(lines) if re.search(r" rename\w*\(", line)]
    assert len(renames) == 9
    for at in renames:
        thread = lines[at].split()[0]
        own = [line for line in lines[:at] if line.startswith(thread)]
        assert " fsync(" in own[-1] or "fsync resumed" in own[-1]
        later = lines[at + 1 :]
        synced = next(
            n for n, line in enumerate(later) if line.startswith(thread) and "fsync" in line
        )
        answered = next(n for n, line in enumerate(later) if " sendto(" in line)
        assert synced < answered
