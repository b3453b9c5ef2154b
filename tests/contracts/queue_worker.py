"""A worker process with quick children: `queue_worker.py DATABASE BROKER [OPTIONS]`."""

import logging
import signal
import sys
import threading
from pathlib import Path

from jobs.store import JobStore
from workers.configuration import Build, WorkerConfiguration
from workers.doorbell.app import Broker, make_app
from workers.doorbell.bell import CeleryQueue
from workers.doorbell.worker import CeleryWorker
from workers.supervisor import Supervisor

LEASE_S = 3.0
HERE = Path(__file__).parent

database, broker, *options = sys.argv[1:]
logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
configuration = WorkerConfiguration(
    store_url=database,
    spool_dir=HERE,
    results_dir=HERE,
    anatomy_model=HERE,
    build=Build("0", "0", "2.25.1", "0" * 64),
    lease_s=LEASE_S,
    poll_s=0.2,
)
with JobStore(database) as store:
    child = (sys.executable, str(HERE / "quick_child.py"))
    supervisor = Supervisor(store, configuration, "worker", child)
    if broker == "embedded":
        stop = threading.Event()
        signal.signal(signal.SIGTERM, lambda *_: stop.set())
        supervisor.run(stop)
        sys.exit(0)
    app = make_app(Broker(broker))
    bell = CeleryQueue(app, store)
    sys.exit(CeleryWorker(app, bell, supervisor, 0.5, 3.0).run(options))
