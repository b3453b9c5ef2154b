"""Osteon as processes on this machine, embedded or in production mode, and what it holds."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import create_engine, text

from jobs.migrate import upgrade
from service.demonstration.stand_in import AE_TITLE, StandInPacs
from tests.model_server import PROJECT, ModelServer
from tests.servers import PostgreSQL, Redis, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

EMBEDDED, PRODUCTION = "embedded", "production"
MODES = (EMBEDDED, PRODUCTION)
MODELS = PROJECT / "model_repository"
_SLAB_DEADLINE_S = 900.0
"""On a processor, two studies wait for each other's slabs."""


@dataclass(frozen=True)
class Order:
    """What to start."""

    mode: str
    workers: int
    triton: str | None = None
    """host:port of a Triton that runs elsewhere, as on a GPU; one on the processor if not given."""


@dataclass(frozen=True)
class Installation:
    """What runs, and where it keeps what it was given."""

    database: str
    node_port: int
    data: Path
    pids: Mapping[str, int]
    """Process ids by what they are: "node", "worker 1", "Triton"."""

    def held_bytes(self) -> Mapping[str, int]:
        """Return the bytes on disk of spool, results and database."""
        spool, results = self.data / "spool", self.data / "results"
        return {
            "spool": folder_bytes(spool),
            "results": folder_bytes(results),
            "database": self._database_bytes(),
        }

    def _database_bytes(self) -> int:
        if self.database.startswith("sqlite"):
            return sum(path.stat().st_size for path in self.data.glob("osteon.sqlite*"))
        engine = create_engine(self.database)
        with engine.connect() as connection:
            size = connection.execute(text("SELECT pg_database_size(current_database())")).scalar()
        engine.dispose()
        return int(size or 0)


def folder_bytes(folder: Path) -> int:
    """Return what the files under `folder` hold together."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


@contextlib.contextmanager
def installation(place: Path, order: Order) -> Iterator[Installation]:
    """Run a node, workers and the servers that the mode needs; results go to a stand-in PACS."""
    port = free_port()
    data = place / "data"
    data.mkdir(parents=True)
    with contextlib.ExitStack() as stack:
        pacs_port = stack.enter_context(StandInPacs(place / "pacs").listening())
        database, settings, pids = stack.enter_context(_servers(place, order))
        threads = max(1, _cores() // order.workers)
        path = place / "osteon.toml"
        path.write_text(
            f'data_dir = "{data}"\n[node]\nport = {port}\n[worker]\nthreads = {threads}\n'
            f'{settings}[[destinations]]\nname = "stand-in"\nae_title = "{AE_TITLE}"\n'
            f'host = "127.0.0.1"\nport = {pacs_port}\n',
            encoding="utf-8",
        )
        upgrade(database)
        for name in ("node", *(f"worker {n + 1}" for n in range(order.workers))):
            pids[name] = stack.enter_context(_process(path, name))
        yield Installation(database, port, data, pids)


@contextlib.contextmanager
def _servers(place: Path, order: Order) -> Iterator[tuple[str, str, dict[str, int]]]:
    """Yield the database's address, the settings for the mode, and the servers' process ids."""
    if order.mode == EMBEDDED:
        yield f"sqlite:///{place / 'data' / 'osteon.sqlite'}", "", {}
        return
    with contextlib.ExitStack() as stack:
        postgresql = stack.enter_context(contextlib.closing(PostgreSQL()))
        redis = Redis(place / "redis")
        stack.callback(redis.kill)
        pids = {"PostgreSQL": postgresql.pid, "Redis": redis.pid}
        address = order.triton
        if address is None:
            server = ModelServer(MODELS, place / "triton.log", threads=_cores())
            stack.enter_context(server)
            address, pids["Triton"] = server.url, server.pid
        database = postgresql.create("throughput")
        yield database, _settings(database, redis, address), pids


def _settings(database: str, redis: Redis, triton: str) -> str:
    return (
        f'[store]\nurl = "{database}"\n[queue]\nbackend = "celery"\n'
        f'broker_url = "{redis.address}"\npassword = "{redis.PASSWORD}"\n'
        f'[models]\nbackend = "triton"\n'
        f'[models.triton]\nurl = "{triton}"\ndeadline_s = {_SLAB_DEADLINE_S}\n'
    )


@contextlib.contextmanager
def _process(settings: Path, name: str) -> Iterator[int]:
    """Run "node" or "worker 1"; yields its process id."""
    command = [
        sys.executable,
        "-m",
        "service",
        "--config",
        str(settings),
        name.split(maxsplit=1)[0],
    ]
    with (settings.parent / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            yield process.pid
        finally:
            process.terminate()
            process.wait()


def _cores() -> int:
    return os.cpu_count() or 1
