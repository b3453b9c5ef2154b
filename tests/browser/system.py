"""The embedded system for tests of its pages: node, worker, api as processes, Orthanc as PACS."""

import contextlib
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jobs.job import Job, JobState
from jobs.store import JobStore
from tests.acceptance.peers import Orthanc, Service, free_port, storescu, wait_for
from tests.browser.marrow_model import MarrowIsBone, write_models

_START_S = 120
_FATE_S = 240


@dataclass(frozen=True)
class System:
    """What runs, and where; `store` is its record of work, opened beside it."""

    service: Service
    pacs: Orthanc
    api_port: int
    store: JobStore = field(repr=False)

    @property
    def address(self) -> str:
        """Of the console, without the last slash."""
        return f"http://127.0.0.1:{self.api_port}"

    @property
    def results(self) -> Path:
        return self.service.folder / "data/results"

    def send(self, folder: Path) -> None:
        """Send a folder of DICOM with DCMTK's storescu."""
        assert storescu(folder, self.service.node_port).complete

    def fate(self, study_uid: str, state: JobState) -> Job:
        """Wait until the newest job of a study is in `state`; another end fails."""

        def reached() -> Job | None:
            job = self.newest(study_uid)
            if job is None or job.state in (JobState.QUEUED, JobState.RUNNING, state):
                return job if job is not None and job.state is state else None
            message = f"the job is {job.state}: {job.failure}"
            raise AssertionError(message)

        job: Job = wait_for(f"{state} of a study", reached, _FATE_S)
        return job

    def newest(self, study_uid: str) -> Job | None:
        jobs = self.store.jobs(study_uid=study_uid)
        return max(jobs, key=lambda job: job.revision, default=None)

    def files(self, job: Job) -> dict[str, Path]:
        """Return the results of a job by name, as they lie on disk."""
        return {r.name: self.results / r.path for r in self.store.results(job.id)}

    def ask(self, path: str) -> Any:
        """GET a path of the REST interface; its JSON."""
        where = f"http://127.0.0.1:{self.api_port}{path}"
        with urllib.request.urlopen(where, timeout=30) as answer:
            return json.loads(answer.read())

    def start(self, name: str) -> None:
        """Start a process that was stopped: "node", "worker" or "api"."""
        self.service.start(name)
        if name == "api":
            wait_for("the console's start", self.answers, _START_S)

    def stop(self, name: str) -> None:
        """Stop one process as a machine that shuts down does."""
        process = self.service.processes[name]
        process.terminate()
        process.wait(60)

    def answers(self) -> bool:
        try:
            self.ask("/readyz")
        except urllib.error.HTTPError as answer:
            answer.close()  # it is there, but not ready
            return False
        except OSError:
            return False
        return True

    @contextlib.contextmanager
    def results_away(self) -> Iterator[None]:
        """Let there be no folder of results during the block, as where a disk is not mounted."""
        kept = self.results.with_name("kept")
        self.results.rename(kept)
        self.results.write_text("not a folder")
        try:
            yield
        finally:
            self.results.unlink()
            kept.rename(self.results)


@contextlib.contextmanager
def running_system(folder: Path) -> Iterator[System]:
    """Run the embedded system during the block, with quick models and a PACS to deliver to."""
    write_models(folder / "osteon/models", MarrowIsBone())
    pacs = Orthanc(folder / "pacs")
    node_port, api_port = free_port(), free_port()
    settings = folder / "osteon/osteon.toml"
    ports = {"node": node_port, "api": api_port, "pacs": pacs.dicom_port}
    settings.write_text(_SETTINGS.format(folder=folder / "osteon", **ports))
    service = Service(folder / "osteon", settings, node_port)
    try:
        service.start("node")  # it makes the database
        wait_for("the node's start", service.listens, _START_S)
        service.start("worker")
        service.start("api")
        with JobStore(f"sqlite:///{folder / 'osteon/data/osteon.sqlite'}") as store:
            system = System(service, pacs, api_port, store)
            wait_for("the console's start", system.answers, _START_S)
            yield system
    finally:
        service.stop()
        pacs.stop()


_SETTINGS = """\
data_dir = "{folder}/data"
[node]
port = {node}
quiet_s = 3.0
[node.content]
settle_s = 0.5
coverage_mm = 400.0
[api]
port = {api}
[worker]
poll_s = 0.2
threads = 1
[normalisation]
# Of other people than `scenes.acquisitions` the quick model may draw no spinal canal.
without_canal = "percentile"
[models]
repository = "{folder}/models"
disease = "rule"
[[destinations]]
name = "PACS"
ae_title = "ORTHANC"
host = "127.0.0.1"
port = {pacs}
"""
