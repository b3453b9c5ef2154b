"""A receiver in a process of its own, so that its memory, threads and files can be counted."""

import argparse
import logging
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import psutil

from dicom_node.receive import Receiver, ReceiverSettings
from dicom_node.spool import Spool

ROOT = Path(__file__).parents[3]


def main():
    """Listen until standard input ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--object-bytes", type=int)
    told = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    settings = ReceiverSettings(port=0)
    if told.object_bytes:
        limits = replace(settings.limits, object_bytes=told.object_bytes)
        settings = replace(settings, limits=limits)
    spool = Spool(told.folder, floor_bytes=0)
    receiver = Receiver(settings, spool, lambda _instance: None)
    with spool.claim():
        receiver.start()
        sys.stdout.write(f"{receiver.port}\n")
        sys.stdout.flush()
        sys.stdin.read()
        receiver.stop()


@contextmanager
def door_process(folder, *options):
    """Run it over `folder`/spool; gives port, spool, the process and its log."""
    log = folder / "log"
    command = [sys.executable, "-m", "tests.dicom_node.acceptor.door_process"]
    with (
        log.open("wb") as errors,
        subprocess.Popen(
            [*command, str(folder / "spool"), *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        ) as process,
    ):
        try:
            port = int(process.stdout.readline())
            spool = Spool(folder / "spool", floor_bytes=0)
            watched = psutil.Process(process.pid)
            yield SimpleNamespace(port=port, spool=spool, process=watched, log=log)
            process.stdin.close()
            assert process.wait(20) == 0
        finally:
            process.kill()


def peak_mb(process):
    """The most resident memory so far."""
    status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def resources(process):
    """Threads and open files."""
    return process.num_threads(), process.num_fds()


def settled(process, threads, files, seconds=10):
    """Whether no more threads and files than these are open, soon."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if process.num_threads() <= threads and process.num_fds() <= files:
            return True
        time.sleep(0.05)
    return False


if __name__ == "__main__":
    main()
