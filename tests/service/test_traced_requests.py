"""The trace id of a request, in what is answered and in what is logged."""

import json
import logging
import re

import pytest

from service.api.app import create_app
from service.api.site import Site
from service.logs import JsonLines
from tests.service.web import TestClient

JOB = "4bf92f3577b34da6a3ce929d0e0e4736"
CALLER = "a" * 32


class Lines(logging.Handler):
    """Formats at once, in the context of who logs."""

    def __init__(self):
        super().__init__()
        self.setFormatter(JsonLines("api"))
        self.written = []

    def emit(self, record):
        self.written.append(json.loads(self.format(record)))


@pytest.fixture
def client(store, tmp_path):
    site = Site(
        store=store,
        results_dir=tmp_path,
        spool_dir=tmp_path,
        model_dirs=(tmp_path,),
        node_host="127.0.0.1",
        node_port=1,
        node_ae_title="OSTEON",
        version="0.1.0",
        git_commit="abc",
    )
    with TestClient(create_app(site), raise_server_exceptions=False) as opened:
        yield opened


def test_a_problem_about_a_job_names_the_trace_of_the_job(client):
    assert client.get(f"/api/v1/jobs/{JOB}").json()["trace_id"] == JOB
    assert client.get(f"/api/v1/jobs/{JOB}/results/none.dcm").json()["trace_id"] == JOB


def test_a_problem_names_the_trace_of_the_caller_or_one_of_its_own(client):
    headers = {"traceparent": f"00-{CALLER}-{'b' * 16}-01"}
    assert client.get("/nowhere", headers=headers).json()["trace_id"] == CALLER
    own = [client.get("/nowhere").json()["trace_id"] for _ in range(2)]
    assert own[0] != own[1]
    assert all(re.fullmatch("[0-9a-f]{32}", trace_id) for trace_id in own)


def test_a_defect_and_its_log_line_have_one_trace(client, store, monkeypatch):
    log = logging.getLogger("service.defect")
    lines = Lines()
    log.addHandler(lines)

    def broken(*_arguments):
        log.error("broken")
        raise ZeroDivisionError

    monkeypatch.setattr(store, "listed", broken)
    problem = client.get("/api/v1/studies").json()
    log.removeHandler(lines)
    assert problem["code"] == "INTERNAL"
    assert problem["trace_id"] == lines.written[0]["trace_id"]
