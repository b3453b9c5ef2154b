"""A worker that was told to stop before Celery listened to signals."""

import os
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).parents[3]
PROGRAM = """
import sys, threading
from workers.doorbell.app import Broker, make_app
from workers.doorbell.bell import CeleryQueue
from workers.doorbell.worker import CeleryWorker

app = make_app(Broker("redis://127.0.0.1:1/0"))
bell = CeleryQueue(app, None)
stop = threading.Event()
stop.set()
sys.exit(CeleryWorker(app, bell, None, 5.0, 60.0, stop).run())
"""


def test_it_leaves_instead_of_waiting_for_a_broker_that_is_away():
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
