"""What tests of Celery share: a bell at a broker, and a worker process that hears it."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from jobs.job import Priority
from jobs.study import input_digest
from workers.doorbell.app import Broker, make_app
from workers.doorbell.bell import CeleryQueue

ROOT = Path(__file__).parents[2]
WORKER = Path(__file__).with_name("queue_worker.py")
LIMIT_S = 180
NOTHING = {"urgent": 0, "routine": 0, "reprocess": 0}


def address_of(port):
    return f"redis://:s%2Fecret%401@127.0.0.1:{port}/0"


def bell(store, address, **options):
    return CeleryQueue(make_app(Broker(address, **options)), store)


def open_job(store, arrivals, study_uid, priority=Priority.ROUTINE):
    instances = arrivals(study_uid)
    store.record_instances(instances)
    return store.open_revision(study_uid, input_digest(instances), priority=int(priority))


class Worker:
    """A worker process that does not outlive its block; `said` is what it wrote to stderr."""

    def __init__(self, database, address, *options):
        self._program = [sys.executable, str(WORKER), database, address, *options]
        self.said = ""

    def __enter__(self):
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        self._log = tempfile.TemporaryFile("w+")
        self._process = subprocess.Popen(self._program, env=environment, stderr=self._log)
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()
        self._log.seek(0)
        print(self._log.read())  # noqa: T201 - shown where the test fails
        self._log.close()

    @property
    def runs(self):
        return self._process.poll() is None

    def stop(self):
        self._process.terminate()
        return self.ends()

    def ends(self):
        status = self._process.wait(LIMIT_S)
        self._log.seek(0)
        self.said = self._log.read()
        return status


def until(condition):
    deadline = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
