import re
import threading
import time
from dataclasses import replace
from types import SimpleNamespace

import pytest
import uvicorn

from jobs.job import EventKind, Failure
from jobs.labels import StudyLabel
from service.access.caller import Role
from service.access.issuing import issue_token
from service.access.policy import Policy
from service.api import events, health
from service.api.app import create_app
from service.webhooks.recipients import Recipients
from service.webhooks.signing import Signer
from tests.service.measured import deliver, made_results
from tests.service.sites import site_of
from tests.service.web import TestClient


@pytest.fixture
def told():
    """Ids of jobs that workers were told of."""
    return []


@pytest.fixture
def site(store, tmp_path, told):
    return site_of(
        store,
        tmp_path,
        model_dirs=(tmp_path / "anatomy", tmp_path / "disease"),
        submit=told.append,
        destinations=("PACS", "ARCHIVE"),
        recipients=Recipients(("ris.example",)),
        signer=Signer(b"k" * 32),
    )


@pytest.fixture
def client(site):
    with TestClient(create_app(site), raise_server_exceptions=False) as opened:
        yield opened


@pytest.fixture
def refused():
    """Check that an answer is a whole problem document."""

    def check(answer, status, code):
        assert answer.headers["content-type"] == "application/problem+json"
        document = answer.json()
        assert (answer.status_code, document["status"], document["code"]) == (status, status, code)
        assert set(document) == {
            "type",
            "title",
            "status",
            "code",
            "detail",
            "instance",
            "stage",
            "trace_id",
            "errors",
        }
        assert re.fullmatch("[0-9a-f]{32}", document["trace_id"])
        assert document["instance"].endswith(document["trace_id"])
        return document

    return check


@pytest.fixture
def filled(store, open_job, tmp_path):
    """Jobs in every state that a person can do something about, one with a phantom's results."""
    hook = store.add_webhook("https://ris.example/", [EventKind.DELIVERED])
    (tmp_path / "made").mkdir()
    job = open_job(1)
    store.keep_label(job, StudyLabel(job.study_uid, "Doe^Jane", "P-17", "A-4711", "20260102"))
    deliver(store, job, tmp_path / "results", made_results(tmp_path / "made"))
    store.fail(open_job(2), Failure("INTERNAL", "a defect"))
    store.hold(open_job(3), Failure("PEER_REFUSED", "the PACS refused it"))
    waiting = open_job(4)
    store.hand_back(waiting)
    return SimpleNamespace(job=job.id, study=job.study_uid, waiting=waiting.id, webhook=hook.id)


@pytest.fixture
def running(site, store, filled, monkeypatch):
    """The interface on a port of loopback: its address, and the token of an admin."""
    monkeypatch.setattr(events, "STREAM_S", 0.05)
    monkeypatch.setattr(events, "POLL_S", 0.02)
    monkeypatch.setattr(health, "CHECKS", {"store": health.CHECKS["store"]})
    access = Policy(calls_per_s=1e6, calls_at_once=10**6, sign_ins_per_minute=1e9)
    token, _ = issue_token(store, "a test", Role.ADMIN, "a test", 1.0)
    application = create_app(replace(site, access=access))
    server = uvicorn.Server(uvicorn.Config(application, port=0, log_config=None))
    thread = threading.Thread(target=server.run)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield SimpleNamespace(address=f"http://127.0.0.1:{port}/api/v1", token=token, **vars(filled))
    server.should_exit = True
    thread.join(20)
