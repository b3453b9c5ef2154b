"""Several nodes at one spool: no file is written twice, and only the dead are swept."""

import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from dicom_node.errors import SpoolBusy
from dicom_node.header import InstanceHeader
from dicom_node.spool import Outcome, Spool
from dicom_node.uid import Uid

ROOT = Path(__file__).parents[2]
HEADER = InstanceHeader(
    sop_class_uid=Uid("1.2.840.10008.5.1.4.1.1.4"),
    sop_instance_uid=Uid("1.2.9.1"),
    study_uid=Uid("1.2.3"),
    series_uid=Uid("1.2.3.1"),
    transfer_syntax_uid=Uid("1.2.840.10008.1.2.1"),
)
DIES = """
import os, signal, sys
from pathlib import Path
from dicom_node.spool import Spool
spool = Spool(Path(sys.argv[1]), floor_bytes=0, shared=True)
with spool.claim():
    (spool._incoming / "half").write_bytes(b"half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def two(tmp_path):
    """Two nodes' views of one spool, both writing."""
    with ExitStack() as stack:
        spools = [Spool(tmp_path / "spool", floor_bytes=0, shared=True) for _ in range(2)]
        for spool in spools:
            stack.enter_context(spool.claim())
        yield spools


def files(spool, folder):
    return sorted(p for p in (spool.root / folder).rglob("*") if p.is_file())


def test_what_one_node_has_the_other_knows(two):
    one, other = two
    assert one.store(HEADER, b"bytes").outcome is Outcome.NEW
    assert other.store(HEADER, b"bytes").outcome is Outcome.DUPLICATE
    assert other.store(HEADER, b"other bytes").outcome is Outcome.CONFLICT
    assert len(files(one, "studies")) == 1
    assert len(files(one, "conflicts")) == 1
    assert files(one, "incoming") == []


@pytest.mark.parametrize(
    ("content", "outcome"), [(b"bytes", Outcome.DUPLICATE), (b"others", Outcome.CONFLICT)]
)
def test_at_the_same_moment_one_node_is_the_first(two, monkeypatch, content, outcome):
    one, other = two
    answers = [other._kept, lambda *_: None]  # the other looked before the file was there

    def looked_too_early(*uids):
        return answers.pop()(*uids)

    monkeypatch.setattr(other, "_kept", looked_too_early)
    first = one.store(HEADER, b"bytes").instance
    assert other.store(HEADER, content).outcome is outcome
    assert one.path(first).read_bytes().endswith(b"bytes")
    assert files(one, "incoming") == []


def test_a_dead_writer_is_swept_and_a_living_one_is_not(tmp_path):
    root = tmp_path / "spool"
    dead = subprocess.run([sys.executable, "-c", DIES, root], cwd=ROOT, check=False)
    assert dead.returncode == -signal.SIGKILL
    assert len(files(Spool(root), "incoming")) == 1
    living = Spool(root, floor_bytes=0, shared=True)
    with living.claim():
        assert files(living, "incoming") == []
        half = living._incoming / "half"
        half.write_bytes(b"half")
        with Spool(root, floor_bytes=0, shared=True).claim():
            assert files(living, "incoming") == [half]
    assert list((root / "incoming").iterdir()) == list((root / "writers").iterdir()) == []


def test_who_does_not_share_waits_for_all_and_all_for_him(tmp_path):
    root = tmp_path / "spool"
    shared, alone = Spool(root, shared=True), Spool(root)
    with shared.claim(), pytest.raises(SpoolBusy), alone.claim():
        pass
    with alone.claim(), pytest.raises(SpoolBusy), shared.claim():
        pass
    with shared.claim():
        (shared._incoming / "half").write_bytes(b"half")
        left = shared._incoming.rename(root / "left")
        shared._incoming.mkdir()
    left.rename(root / "incoming" / "left")
    with alone.claim():
        assert files(alone, "incoming") == []
