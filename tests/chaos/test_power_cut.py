"""D-3: the power goes while a node receives; what it acknowledged is on the disk.

Spool and database lie on an ext4 file system in a file. The node is stopped by SIGSTOP while a
sender waits for answers, and the file is copied: the copy is what reached the device. It is
mounted, its journal is replayed, and it is held against the sender's ledger. The same cut of a
node whose fsync does nothing has to be found out.

This finds what software leaves in memory; it proves nothing about a disk's own cache.
Short form: 5 cuts. `--full`: 50.
"""

import contextlib
import os
import random
import signal
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from jobs.store import JobStore
from tests.acceptance.peers import wait_for
from tests.chaos import invariants
from tests.chaos.disks import need_mounts
from tests.chaos.figures import tell
from tests.chaos.loop_disk import LoopDisk
from tests.chaos.small_studies import write_small_study
from tests.chaos.system import embedded

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(1200)]

SIZE_MIB = 192
STUDY = 12  # images
BEFORE_S = (0.2, 1.2)
ON_THEIR_WAY_S = 0.2  # answers that the node has given and the sender has not read
NOBODY = SimpleNamespace(dicom_port=1)  # results go nowhere while the node is what is looked at


@pytest.fixture
def disk(tmp_path):
    need_mounts()
    made = LoopDisk(tmp_path / "loop", SIZE_MIB)
    yield made
    made.close()


class Stream:
    """Sends study after study until it is told to stop."""

    def __init__(self, system, folder: Path) -> None:
        self._system, self._folder = system, folder
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()

    def _run(self):
        sender = self._system.sender()
        while not self._stop.is_set():
            study = write_small_study(self._folder, STUDY, size=64)
            sender.send(study.paths, study.uid)


@contextlib.contextmanager
def cut(system, disk):
    """Take the power away; yields the disk as it is then, and what was promised by then."""
    node = system.pid("node")
    try:
        with disk.after_a_power_cut([node]) as root:
            time.sleep(ON_THEIR_WAY_S)
            yield root, system.acknowledged.promised()
    finally:
        os.kill(node, signal.SIGCONT)


def lost_in(root, promised):
    """Return what was promised and is not on the disk; its database has to be sound."""
    with JobStore(f"sqlite:///{root}/osteon.sqlite") as store:
        with store._engine.connect() as connection:
            assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
        store.verify_audit()
    return list(invariants.lost(promised, root / "spool"))


def receiving(disk, folder, **environment):
    place = {"OSTEON_DATA_DIR": str(disk.root)}
    return embedded(folder, NOBODY, ("node",), **place, **environment)


def test_no_acknowledged_image_is_lost(disk, tmp_path, full):
    cuts = 50 if full else 5
    dice = random.Random(time.time_ns())
    promises, lost = [], []
    with receiving(disk, tmp_path / "osteon") as system, Stream(system, tmp_path / "sent"):
        for _ in range(cuts):
            time.sleep(dice.uniform(*BEFORE_S))
            with cut(system, disk) as (root, promised):
                promises.append(len(promised))
                lost += lost_in(root, promised)
    tell(f"{cuts} cuts, {promises[-1]} images acknowledged, {len(lost)} lost")
    assert lost == []
    assert promises[-1] > promises[0] > 0
    assert system.ended == []


def test_the_service_goes_on_with_what_is_there(disk, tmp_path, pacs):
    with receiving(disk, tmp_path / "osteon") as system, Stream(system, tmp_path / "sent"):
        wait_for("images", lambda: len(system.acknowledged.promised()) > STUDY, 60)
        with cut(system, disk) as (root, promised):
            after = embedded(tmp_path / "after", pacs, OSTEON_DATA_DIR=str(root))
            for answer in promised:
                after.acknowledged.add(answer)
            with after:
                after.assert_all_hold(120)


def test_without_fsync_the_same_cut_loses_images(disk, tmp_path):
    node = receiving(disk, tmp_path / "osteon", CHAOS_NO_FSYNC="1")
    with node as system, Stream(system, tmp_path / "sent"):
        wait_for("images", lambda: len(system.acknowledged.promised()) > STUDY, 60)
        with cut(system, disk) as (root, promised):
            lost = [told for told in lost_in(root, promised) if "was acknowledged" in told]
    tell(f"without fsync: {len(lost)} of {len(promised)} acknowledged images lost")
    assert lost
