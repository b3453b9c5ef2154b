"""D-4: the kernel's view of the order: write, fsync, rename, fsync of the directory, answer."""

import re
import shutil
import signal
import subprocess
import time

import pytest

from tests.dicom_node.acceptor.conftest import MR_CONTEXT
from tests.dicom_node.acceptor.door_process import door_process
from tests.dicom_node.acceptor.wire import Peer

OBJECTS = 50
LONG = 10  # the last ones, written as they come
_CALL = re.compile(r"^\d+\s+(?P<call>\w+)\((?P<rest>.*)$")
_PATH = re.compile(r'<(?P<open>[^>]*)>|"(?P<named>(?:[^"\\]|\\.)*)"')


@pytest.fixture
def traced(tmp_path):
    """Follow a process with strace; returns the file when it has ended."""
    assert shutil.which("strace"), "tests/install_peers.sh installs strace"
    output = tmp_path / "trace"
    calls = "trace=write,writev,pwrite64,fsync,fdatasync,rename,renameat,renameat2,link,linkat,"
    calls += "sendto,sendmsg"

    def start(process):
        command = ["strace", "-f", "-y", "-s", "8", "-e", calls, "-e", "signal=none"]
        tracer = subprocess.Popen(
            [*command, "-o", str(output), "-p", str(process.pid)], stderr=subprocess.PIPE
        )
        assert b"attached" in tracer.stderr.readline()

        def stop():
            tracer.send_signal(signal.SIGINT)
            tracer.communicate(timeout=20)
            return output.read_text(encoding="utf-8", errors="replace").splitlines()

        return stop

    return start


def happenings(lines):
    """What was written, synced, renamed and answered, in order; a call counts where it ended."""
    unfinished = {}
    for line in lines:
        pid = line.split(maxsplit=1)[0]
        if "<unfinished ...>" in line:
            unfinished[pid] = line
            continue
        whole = unfinished.pop(pid, "") if "resumed>" in line else line
        found = _CALL.match(whole or line)
        if found is None or "= -1 " in line:
            continue
        call, rest = found["call"], found["rest"]
        paths = [match["open"] or match["named"] for match in _PATH.finditer(rest)]
        if call in ("sendto", "sendmsg") and '"\\4\\0' in rest:
            yield "answer", ()
        elif call.startswith(("write", "pwrite")) and "/incoming/" in paths[0]:
            yield "write", (paths[0],)
        elif call in ("fsync", "fdatasync"):
            yield "sync", (paths[0],)
        elif call.startswith(("rename", "link")):
            names = [path for path in paths if path.startswith("/")]
            yield "name", (names[0], names[-1])


def test_each_answer_comes_after_its_object_is_durable(tmp_path, traced):
    with door_process(tmp_path) as here, Peer(here.port, timeout=60) as peer:
        peer.associate(MR_CONTEXT)
        assert peer.store(b"1.2.3.1") == 0  # threads and folders exist
        stop = traced(here.process)
        for number in range(OBJECTS):
            size = 2_500_000 if number >= OBJECTS - LONG else 3000
            assert peer.store(b"1.2.4.%d" % number, bytes(size)) == 0
        time.sleep(0.2)
        lines = stop()
    orders = list(_orders(happenings(lines)))
    assert len(orders) == OBJECTS
    assert set(map(tuple, orders)) == {("write", "sync file", "name", "sync folder", "answer")}


def _orders(events):
    """For each answer what happened before it since the last one, to the one file it is about."""
    since = []
    for kind, paths in events:
        if kind != "answer":
            since.append((kind, paths))
            continue
        ((temporary, final),) = (paths for kind, paths in since if kind == "name")
        assert "/incoming/" in temporary
        assert "/studies/" in final
        yield [*_steps(since, temporary, final), "answer"]
        since = []


def _steps(events, temporary, final):
    folder = final.rpartition("/")[0]
    steps = []
    for kind, paths in events:
        step = kind
        if kind == "sync":
            step = {temporary: "sync file", folder: "sync folder"}.get(paths[0])
        if step is not None and (not steps or steps[-1] != step):
            steps.append(step)
    return steps
