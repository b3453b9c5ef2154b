"""Our processes under a supervisor that starts again whatever ends, and says what ended by itself.

The processes are those of `tests/acceptance`: embedded (`peers.Service`) or production mode
(`production.Production`). The environment overrides the settings that they were written with.
"""

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import psutil

from jobs.store import JobStore
from tests.acceptance.peers import OrthancAt, Service, make_service, wait_for
from tests.acceptance.production import Production, make_production
from tests.chaos import invariants
from tests.chaos.acknowledged import Acknowledgements
from tests.chaos.ledger import Scene, assert_all_hold
from tests.chaos.points import Orders
from tests.chaos.sender import Sender
from tests.model_server import PROJECT

ARMED = Path(__file__).parent / "armed"
MODELS = PROJECT / "model_repository"
START_S = 120.0
_LOOK_S = 0.05
# Studies of a few images close by silence alone; a worker that died is missed soon.
_SETTINGS = {
    "OSTEON_NODE__CONTENT__ENABLED": "false",
    "OSTEON_NODE__QUIET_S": "1.0",
    "OSTEON_NODE__FREE_SPACE_FLOOR_GIB": "0",
    "OSTEON_WORKER__LEASE_S": "2.0",
    "OSTEON_WORKER__CRASH_DELAY_S": "0.2",
    "OSTEON_DELIVERY__BACK_OFF_S": "[0.5]",
    "OSTEON_WORKER__POLL_S": "0.1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}
_QUICK = {"CHAOS_QUICK": "1"}


@dataclass
class System:
    """Processes by name, guarded; `with` starts and ends them."""

    service: Service | Production
    database: str
    names: Sequence[str]
    acknowledged: Acknowledgements
    orders: Orders
    pacs: OrthancAt | None = None
    warm: bool = True
    """Whether jobs' processes fork from one that is ready (`tests/chaos/warm_jobs.py`)."""
    ended: list[str] = field(default_factory=list)
    """Processes that ended and were not killed by a test."""
    deaths: Counter[str] = field(default_factory=Counter)
    started_at: dict[str, float] = field(default_factory=dict)
    _stop: threading.Event = field(default_factory=threading.Event)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def __enter__(self) -> Self:
        if self.warm:
            self._start_warm()
        for name in self.names:
            self._launch(name)
        self._guard = threading.Thread(target=self._watch, daemon=True)
        self._guard.start()
        wait_for("the node's start", self.listens, START_S)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._guard.join()
        for process in self.service.processes.values():
            process.send_signal(signal.SIGCONT)
        self.service.stop()
        if self.warm:
            self._warm.kill()
            self._warm.wait()
            self._short.cleanup()

    def _start_warm(self) -> None:
        self._short = tempfile.TemporaryDirectory(prefix="chaos-")  # as a socket's name has to be
        place = f"{self._short.name}/socket"
        self.service.environment["CHAOS_WARM"] = place
        with (self.folder / "warm.log").open("ab") as log:
            self._warm = subprocess.Popen(
                [sys.executable, "-m", "tests.chaos.warm_jobs", place],
                stdout=log,
                stderr=log,
                env={**os.environ, **self.service.environment},
            )
        wait_for("a process to fork from", Path(place).exists, START_S)

    @property
    def folder(self) -> Path:
        return self.service.folder

    @property
    def data(self) -> Path:
        told = self.service.environment.get("OSTEON_DATA_DIR")
        return self.folder / "data" if told is None else Path(told)

    @property
    def port(self) -> int:
        """Of the first node."""
        if isinstance(self.service, Service):
            return self.service.node_port
        return self.service.ports[self.names[0]]

    def sender(self, **options: str) -> Sender:
        return Sender(self.acknowledged, self.port, **options)

    def store(self) -> JobStore:
        return JobStore(self.database, patience_s=60.0)

    def pid(self, name: str) -> int:
        return self.service.processes[name].pid

    def listens(self) -> bool:
        if isinstance(self.service, Service):
            return self.service.listens()
        return self.service.listens(self.names[0])

    def kill(self, name: str) -> None:
        """Kill -9; the supervisor starts it again."""
        with self._lock:
            self.service.processes[name].send_signal(signal.SIGKILL)

    def job_processes(self) -> list[psutil.Process]:
        """The processes in which jobs run now."""
        found = []
        for name in self.names:
            if name.startswith("worker"):
                try:
                    found += psutil.Process(self.pid(name)).children(recursive=True)
                except psutil.NoSuchProcess:
                    continue
        return found

    def scene(self, **more: object) -> Scene:
        """Where the invariants have to look."""
        return Scene(
            acknowledged=self.acknowledged.path,
            spool=self.data / "spool",
            results=self.data / "results",
            database=self.database,
            pacs=self.pacs,
            logs=tuple(sorted(self.folder.glob("*.log"))),
            ended=tuple(self.ended),
            **more,
        )

    def settle(self, limit_s: float) -> None:
        """Wait until every study that was acknowledged is delivered."""
        with self.store() as store:
            wait_for("the end of every study", lambda: self._settled(store), limit_s)

    def assert_all_hold(self, limit_s: float = 120.0, **more: object) -> None:
        """Wait for the end of every study; then all invariants must hold."""
        self.settle(limit_s)
        assert_all_hold(self.scene(**more))

    def _settled(self, store: JobStore) -> bool:
        left = list(invariants.unfinished(self.acknowledged.promised(), store))
        return self.indexed(store) and not left and not list(invariants.not_delivered(store))

    def indexed(self, store: JobStore) -> bool:
        """Whether every accepted file has its row: rows come in groups, a moment later."""
        files = sum(1 for _ in (self.data / "spool/studies").glob("*/*/*.dcm"))
        return files == sum(study.n_instances for study in store.studies(limit=100_000))

    def _launch(self, name: str) -> None:
        launch = getattr(self.service, "launch", self.service.start)
        launch(name)
        self.started_at[name] = time.monotonic()

    def _watch(self) -> None:
        while not self._stop.wait(_LOOK_S):
            for name in self.names:
                with self._lock:
                    self._look_at(name, self.service.processes[name])

    def _look_at(self, name: str, process: subprocess.Popen[bytes]) -> None:
        status = process.poll()
        if status is None:
            return
        self.deaths[name] += 1
        if status != -signal.SIGKILL:
            self.ended.append(f"{name} ended by itself with status {status}")
        self._launch(name)


def embedded(
    folder: Path, pacs, names: Sequence[str] = ("node", "worker"), **environment: str
) -> System:
    """Node and worker with SQLite; `pacs` has a `dicom_port`. Nothing is started yet."""
    service = make_service(folder, pacs, MODELS, quiet_s=0.6)
    place = Path(environment.get("OSTEON_DATA_DIR", folder / "data"))
    database = f"sqlite:///{place / 'osteon.sqlite'}"
    return _system(service, database, names, pacs, environment)


def production(
    folder: Path, pacs, database: str, names: Sequence[str], **environment: str
) -> System:
    """Node and workers with PostgreSQL and Redis. Nothing of ours is started yet."""
    service = make_production(folder, pacs, MODELS, database)
    return _system(service, database, names, pacs, environment)


def _system(
    service: Service | Production,
    database: str,
    names: Sequence[str],
    pacs: object,
    environment: Mapping[str, str],
) -> System:
    orders = Orders(service.folder / "points")
    path = os.pathsep.join(map(str, (ARMED, PROJECT)))
    told = {"PYTHONPATH": path, "CHAOS_POINTS": str(orders.folder)}
    service.environment |= {**_SETTINGS, **_QUICK, **told, **environment}
    acknowledged = Acknowledgements(service.folder / "acknowledged")
    asked = pacs if isinstance(pacs, OrthancAt) else None
    return System(service, database, names, acknowledged, orders, asked)
