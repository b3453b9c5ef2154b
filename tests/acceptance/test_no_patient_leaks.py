"""What identifies a patient is in the DICOM results, in the table of labels and on the pages.

Those pages show it to who may see it (docs/decisions/0017), and neither their titles nor their
addresses hold it. It is nowhere else: no log, no metric, no trace, no path, no other row.
"""

import contextlib
import json
import sqlite3
import urllib.request
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from dicom_objects.scanner.study import Identity, write_study
from jobs.job import JobState
from jobs.store import JobStore
from service.logs import ALWAYS, SOMETIMES
from tests.acceptance.peers import Orthanc, Service, free_port, make_service, storescu, wait_for
from tests.collector import Collector

pytestmark = pytest.mark.acceptance

CANARIES = ("ZEBRAFINCH", "ZF-77-ID", "ZFACCESSION")
MARKED = Identity(
    patient_name="ZEBRAFINCH^CANARY", patient_id="ZF-77-ID", accession_number="ZFACCESSION"
)


def ask(port: int, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as answer:
        text: str = answer.read().decode()
        return text


def log_lines(service: Service) -> list[dict[str, Any]]:
    """Every line that our processes logged; one that is no JSON fails."""
    texts = [(service.folder / f"{name}.log").read_text() for name in service.processes]
    return [json.loads(line) for text in texts for line in text.splitlines()]


def send_marked_studies(coarse, folder: Path, port: int) -> None:
    """One study that can be measured, and one of a single b-value that is rejected."""
    write_study(coarse, folder / "whole", MARKED)
    other = Identity(**{**vars(MARKED), "study_id": "2", "study_time": "235959"})
    for path in write_study(coarse, folder / "part", other, distractors=False):
        if path.parent.name.endswith("_b900"):
            path.unlink()
    assert storescu(folder / "whole", port).complete
    assert storescu(folder / "part", port).complete


class Places(HTMLParser):
    """Titles and addresses of a page: what a browser keeps, sends on and shows over a shoulder."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.said: list[str] = []
        self._in_title = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._in_title = tag == "title"
        shown = {"value", "alt", "placeholder", "title", "aria-label"}
        self.said += [str(value) for name, value in attrs if name not in shown]

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.said.append(data)

    def handle_endtag(self, _tag: str) -> None:
        self._in_title = False


def rows_but_of_labels(database: Path) -> list[str]:
    """Every row of every table but the one that may hold names."""
    with contextlib.closing(sqlite3.connect(database)) as connection:
        query = "SELECT name FROM sqlite_master WHERE type = 'table'"
        tables = {name for (name,) in connection.execute(query)}
        assert "study_labels" in tables
        said = []
        for table in sorted(tables - {"study_labels"}):
            said += [str(row) for row in connection.execute(f'SELECT * FROM "{table}"')]  # noqa: S608
    return said


def everything_that_is_written_or_said(
    service: Service, api_port: int, watched: list[int], jobs: list[str]
) -> str:
    said = [ask(port, "/metrics") for port in watched]
    said += [ask(api_port, path) for path in ("/metrics", "/readyz", "/system", "/settings")]
    said += [ask(api_port, path) for path in ("/api/v1/jobs", "/api/v1/system")]
    said += [ask(api_port, f"/api/v1/jobs/{job}") for job in jobs]
    said += [ask(api_port, f"/api/v1/jobs/{job}/events") for job in jobs]
    said += [path.read_text() for path in service.folder.glob("*.log")]
    data = service.folder / "data"
    said += rows_but_of_labels(data / "osteon.sqlite")
    said += [str(p) for p in data.rglob("*")]
    documents = (p for p in (data / "results").rglob("*") if p.suffix in {".json", ".csv"})
    said += [p.read_text() for p in documents]
    return "\n".join(said)


def test_a_marked_name_is_in_no_log_metric_row_path_or_answer(
    tmp_path: Path, orthanc: Orthanc, quick_models: Path, coarse
) -> None:
    service = make_service(tmp_path / "osteon", orthanc, quick_models, quiet_s=2.0)
    api_port, *watched = (free_port() for _ in range(3))
    collector = Collector()
    settings = service.settings.read_text()
    monitoring = f"node_port = {watched[0]}\nworker_port = {watched[1]}\n"
    monitoring += f'traces = "{collector.endpoint}"\n'
    service.settings.write_text(f"{settings}\n[api]\nport = {api_port}\n[monitoring]\n{monitoring}")
    for name in ("node", "worker", "api"):
        service.start(name)
    try:
        wait_for("the node's start", service.listens, 60)
        send_marked_studies(coarse, tmp_path / "studies", service.node_port)
        with JobStore(f"sqlite:///{service.folder / 'data/osteon.sqlite'}") as store:
            ended = {JobState.DELIVERED, JobState.REJECTED}
            wait_for("both fates", lambda: {j.state for j in store.jobs()} == ended, 240)
            jobs = [job.id for job in store.jobs()]
            studies = sorted(study.uid for study in store.studies())
        pages = [ask(api_port, path) for path in ("/", *(f"/studies/{uid}" for uid in studies))]
        said = everything_that_is_written_or_said(service, api_port, watched, jobs)
    finally:
        service.stop()
        collector.close()
    assert all(MARKED.accession_number in page or "ZEBRAFINCH" in page for page in pages)
    said += "\n".join(text for page in pages for text in Places(page).said)
    spans = collector.spans()
    said += "".join(str(request) for _, request in collector.requests)
    assert all(job in said for job in jobs)  # what is searched is the real thing
    for canary in CANARIES:
        assert canary not in said.upper()
    assert {span.trace_id.hex() for span in spans} == set(jobs)
    assert {"receive", "attempt", "read", "deliver", "send"} <= {span.name for span in spans}
    for line in log_lines(service):
        assert set(ALWAYS) <= set(line) <= {*ALWAYS, *SOMETIMES}
        assert line.get("trace_id") == line.get("job_id")
    stages = {line.get("stage") for line in log_lines(service) if line["process"] == "job"}
    assert "read" in stages  # the study that is rejected says so
    names = {orthanc.tag(i["ID"], "PatientName") for i in orthanc.instances()}
    assert names == {MARKED.patient_name}
