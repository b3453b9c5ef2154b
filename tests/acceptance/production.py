"""The service where one machine is outgrown: PostgreSQL, Celery on Redis, several processes."""

import os
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from jobs.migrate import upgrade
from jobs.store import JobStore
from tests.acceptance.peers import Orthanc, disease_method, storescu, wait_for
from tests.servers import Redis, free_port

LEASE_S = 6.0


@dataclass
class Production:
    """Nodes and workers by name, at one database, one broker, one spool."""

    folder: Path
    database: str
    redis: Redis
    environment: dict[str, str] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def results(self) -> Path:
        return self.folder / "data/results"

    def store(self) -> JobStore:
        return JobStore(self.database, patience_s=60.0)

    def start(self, *names: str) -> None:
        """Start processes, "node-a" is a node, "worker-1" a worker; nodes listen on return."""
        for name in names:
            self.launch(name)
        for name in names:
            if name.startswith("node"):
                wait_for(f"the start of {name}", lambda n=name: self.listens(n), 120)

    def launch(self, name: str) -> None:
        """Start one process and return at once."""
        kind = name.split("-", maxsplit=1)[0]
        port = self.ports.setdefault(name, free_port())
        place = ["--set", f"node.port={port}"] if kind == "node" else []
        options = ["--config", str(self.folder / "osteon.toml"), *place]
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, "-m", "service", *options, kind],
                stdout=log,
                stderr=log,
                env={**os.environ, **self.environment},
                start_new_session=True,
            )

    def send(self, node: str, folder: Path) -> None:
        assert storescu(folder, self.ports[node]).complete

    def runs(self, name: str) -> bool:
        return self.processes[name].poll() is None

    def signal(self, name: str, number: signal.Signals) -> None:
        """Send a signal to a process and its children."""
        os.killpg(self.processes[name].pid, number)

    def kill(self, name: str) -> None:
        self.processes[name].kill()
        self.processes[name].wait()

    def stop(self) -> None:
        for process in self.processes.values():
            process.send_signal(signal.SIGCONT)
            process.terminate()
        for process in self.processes.values():
            process.wait(60)

    def listens(self, name: str) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.ports[name]), 0.5).close()
        except OSError:
            return False
        return True

    def logs(self) -> str:
        return "\n".join(path.read_text() for path in self.folder.glob("*.log"))


def make_production(
    folder: Path, pacs: Orthanc, models: Path, database: str, triton: str | None = None
) -> Production:
    """Write the settings and set up the database; no process of ours is started yet.

    `triton` is where the models run, host:port; in the workers if not given.
    """
    folder.mkdir()
    redis = Redis(folder / "redis")
    secret = folder / "redis.secret"
    secret.write_text(Redis.PASSWORD + "\n")
    upgrade(database)
    served = f'backend = "triton"\ntriton = {{ url = "{triton}", patience_s = 3.0 }}\n'
    (folder / "osteon.toml").write_text(
        f'data_dir = "{folder / "data"}"\n'
        f"[node]\nquiet_s = 120.0\n"  # only their content closes studies
        f"[node.content]\ncoverage_mm = 400.0\n"  # the coarse study has two stations
        f'[store]\nurl = "{database}"\n'
        f'[queue]\nbackend = "celery"\nbroker_url = "{redis.address}"\n'
        f"ring_again_s = 0.5\ndeaf_after_s = 10.0\n"
        f"[worker]\nlease_s = {LEASE_S}\nthreads = 1\n"
        f'[normalisation]\nwithout_canal = "percentile"\n'
        f'[models]\nrepository = "{models}"\ndisease = "{disease_method(models)}"\n'
        f"{served if triton else ''}"
        f'[[destinations]]\nname = "orthanc"\nae_title = "ORTHANC"\nhost = "127.0.0.1"\n'
        f"port = {pacs.dicom_port}\n"
    )
    environment = {"OSTEON_QUEUE__PASSWORD_FILE": str(secret)}
    return Production(folder, database, redis, environment)
