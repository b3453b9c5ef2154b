"""What is told becomes counts, without the names of strangers and of patients."""

import re
import socket
import urllib.request

import pytest
from prometheus_client import CollectorRegistry

from dicom_node.completion import Cause
from dicom_node.spool import Outcome
from dicom_node.vitals import (
    AssociationAccepted,
    AssociationRejected,
    InstanceRefused,
    InstanceStored,
    StudyClosed,
)
from jobs.errors import StoreUnavailable
from jobs.job import Failure, JobState, Priority
from jobs.prior import WantedPrior
from service.api.app import create_app
from service.api.site import Site
from service.metrics.broker import BrokerCollector
from service.metrics.exposition import make_registry, render, serve
from service.metrics.model_server import add_model_server
from service.metrics.node import NodeMetrics, add_gauges
from service.metrics.worker import WorkerMetrics
from tests.service.web import TestClient
from workers.vitals import (
    JobClaimed,
    JobLeft,
    Measured,
    ModelAsked,
    ObjectsSent,
    ServerBack,
    ServerFailed,
    SlabAsked,
    StageBegun,
    StageDone,
)

JOB, OTHER = "a" * 32, "b" * 32


@pytest.fixture
def registry():
    return CollectorRegistry()


def value(registry, name, **labels):
    return registry.get_sample_value(f"osteon_{name}", labels)


def test_what_the_door_tells_is_counted(registry):
    metrics = NodeMetrics(registry)
    for vital in (
        AssociationAccepted(),
        AssociationRejected("too_many"),
        InstanceStored(Outcome.NEW, 1000, 0.02, 0.01),
        InstanceStored(Outcome.DUPLICATE, 500, 0.2, 0.1),
        InstanceRefused("SPOOL_FULL", 0xA700),
        StudyClosed(JOB, 20.0, 120, Cause.CONTENT),
    ):
        metrics(vital)
    assert value(registry, "node_associations_accepted_total") == 1
    assert value(registry, "node_associations_rejected_total", reason="too_many") == 1
    assert value(registry, "node_associations_rejected_total", reason="called_ae_title") == 0
    assert value(registry, "node_instances_received_total", outcome="new") == 1
    assert value(registry, "node_instances_received_total", outcome="duplicate") == 1
    assert value(registry, "node_received_bytes_total") == 1500
    refused = {"code": "SPOOL_FULL", "status": "0xA700"}
    assert value(registry, "node_instances_refused_total", **refused) == 1
    assert value(registry, "node_store_duration_seconds_sum") == pytest.approx(0.22)
    assert value(registry, "node_fsync_duration_seconds_bucket", le="0.01") == 1
    assert value(registry, "node_studies_closed_total", cause="content") == 1
    assert value(registry, "node_study_duration_seconds_sum") == 20


def test_a_node_is_asked_at_each_scrape(registry):
    class Node:
        open_associations, open_studies, unindexed = 2, 3, 4

    add_gauges(registry, Node(), lambda: 5.0, 6.0)
    names = ("associations_active", "studies_open", "instances_unindexed")
    assert [value(registry, f"node_{name}") for name in names] == [2, 3, 4]
    Node.open_associations = 0
    assert value(registry, "node_associations_active") == 0
    assert value(registry, "node_spool_free_bytes") == 5
    assert value(registry, "node_spool_floor_bytes") == 6


def test_attempts_and_stages_are_counted_by_what_came_of_them(registry):
    metrics = WorkerMetrics(registry)
    metrics(JOB, JobClaimed(1, 100.0))
    metrics(OTHER, JobClaimed(2, 100.0))
    metrics(JOB, StageBegun("read", 100.0))
    metrics(JOB, StageDone("read", 2.0, 102.0))
    assert value(registry, "worker_jobs_running") == 2
    metrics(JOB, JobLeft("delivered", "", 130.0))
    metrics(OTHER, JobLeft("lost", "LEASE_LOST", 110.0))
    assert value(registry, "worker_jobs_running") == 0
    assert value(registry, "worker_attempts_total") == 2
    assert value(registry, "worker_jobs_total", outcome="delivered") == 1
    assert value(registry, "worker_jobs_total", outcome="failed") == 0
    assert value(registry, "worker_leases_lost_total") == 1
    lost = {"outcome": "lost", "code": "LEASE_LOST"}
    assert value(registry, "worker_failures_total", **lost) == 1
    assert value(registry, "worker_job_duration_seconds_sum", outcome="delivered") == 30
    assert value(registry, "worker_stage_duration_seconds_sum", stage="read") == 2


def test_models_and_their_server_are_counted(registry):
    metrics = WorkerMetrics(registry)
    asked = {"model": "anatomy", "version": "0.2.0", "backend": "triton"}
    metrics(JOB, ModelAsked("anatomy", "0.2.0", "triton", 40.0, ""))
    metrics(JOB, ModelAsked("disease", "0.1.0", "triton", 30.0, "MODEL_UNAVAILABLE"))
    metrics(JOB, SlabAsked("anatomy", "0" * 16, 100.0, 3.0, ""))
    metrics(JOB, SlabAsked("anatomy", "0" * 16, 100.0, 120.0, "MODEL_DEADLINE"))
    assert value(registry, "worker_inference_duration_seconds_sum", **asked) == 40
    failed = {"model": "disease", "code": "MODEL_UNAVAILABLE"}
    assert value(registry, "worker_inference_failures_total", **failed) == 1
    assert value(registry, "worker_model_request_duration_seconds_count", model="anatomy") == 1


def test_a_breaker_is_open_until_the_server_is_back_or_the_job_ends(registry):
    metrics = WorkerMetrics(registry)

    def how_many_are_open():
        return value(registry, "worker_model_server_breaker_open")

    metrics(JOB, ServerFailed(breaker_open=False))
    assert how_many_are_open() == 0
    metrics(JOB, ServerFailed(breaker_open=True))
    metrics(OTHER, ServerFailed(breaker_open=True))
    assert how_many_are_open() == 2
    metrics(OTHER, ServerBack())
    assert how_many_are_open() == 1
    metrics(JOB, JobLeft("retried", "MODEL_UNAVAILABLE", 1.0))
    assert how_many_are_open() == 0
    assert value(registry, "worker_model_server_failures_total") == 3


def test_results_are_counted_without_a_label_that_names_a_study(registry):
    metrics = WorkerMetrics(registry, ["pacs"])
    sent = {"destination": "pacs", "outcome": "refused"}
    assert value(registry, "worker_objects_sent_total", **sent) == 0
    metrics(JOB, ObjectsSent("pacs", 5, 0, 1, 2.5))
    metrics(JOB, Measured(12.5, 900.0, ("NOISY", "SHORT")))
    metrics(JOB, Measured(0.0, None, ("NOISY",)))
    assert value(registry, "worker_objects_sent_total", **sent) == 1
    assert value(registry, "worker_send_duration_seconds_sum", destination="pacs") == 2.5
    assert value(registry, "result_tdv_milliliters_count") == 2
    assert value(registry, "result_tdv_milliliters_bucket", le="0.0") == 1
    assert value(registry, "result_gadc_um2_per_s_count") == 1
    assert value(registry, "quality_notes_total", code="NOISY") == 2
    assert JOB not in render(registry).decode()


def test_a_broker_is_asked_when_the_worker_is(registry):
    found = {"urgent": 1, "routine": 7}
    registry.register(BrokerCollector(lambda: found))
    assert value(registry, "worker_broker_up") == 1
    assert value(registry, "worker_rings_waiting", queue="routine") == 7
    away = CollectorRegistry()
    away.register(BrokerCollector(lambda: None))
    assert value(away, "worker_broker_up") == 0


def test_a_model_server_is_up_while_something_listens(registry):
    with socket.create_server(("127.0.0.1", 0)) as server:
        add_model_server(registry, f"127.0.0.1:{server.getsockname()[1]}")
        assert value(registry, "worker_model_server_up") == 1
    assert value(registry, "worker_model_server_up") == 0


def test_metrics_are_served_until_told_otherwise_and_a_taken_port_is_no_end(caplog):
    registry = make_registry("node", "1.2.3", "c0ffee")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        serve(registry, "127.0.0.1", port)()
    assert "metrics cannot be served" in caplog.text
    stop = serve(registry, "127.0.0.1", port)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    stop()
    assert 'osteon_process_info{git="c0ffee",process="node",version="1.2.3"} 1.0' in text
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10)


@pytest.fixture
def site(store, tmp_path):
    return Site(
        store=store,
        results_dir=tmp_path,
        spool_dir=tmp_path / "spool",
        model_dirs=(tmp_path / "model",),
        node_host="127.0.0.1",
        node_port=1,
        node_ae_title="OSTEON",
        version="0.1.0",
        git_commit="abc",
    )


@pytest.fixture
def client(site):
    with TestClient(create_app(site), raise_server_exceptions=False) as opened:
        yield opened


def test_the_record_of_work_is_told(client, store, open_job):
    store.fail(open_job(1), Failure("INTERNAL", "a defect."))
    job = open_job(2)
    store.begin_prior_search(job, 60)
    store.end_prior_search(job, wanted=[WantedPrior("1.2.9", "20250102")])
    store.retry(job, Failure("PEER_UNAVAILABLE", "away."), 0.0)
    text = client.get("/metrics").text
    for line in (
        'osteon_jobs_ended_badly{code="INTERNAL",state="failed"} 1.0',
        "osteon_dead_letters 1.0",
        'osteon_queue_depth{priority="routine"} 1.0',
        'osteon_queue_depth{priority="urgent"} 0.0',
        "osteon_queue_due 1.0",
        'osteon_priors{state="wanted"} 1.0',
        'osteon_priors{state="failed"} 0.0',
        "osteon_leases_run_out 0.0",
        'osteon_ready{check="store"} 1.0',
        'osteon_ready{check="model"} 0.0',
    ):
        assert line in text
    assert {priority.name.lower() for priority in Priority} == set(
        re.findall(r'osteon_queue_depth{priority="(\w+)"', text)
    )
    assert {str(s) for s in JobState} == set(re.findall(r'jobs_in_state{state="(\w+)"', text))


def test_a_store_that_is_away_leaves_the_rest_to_be_seen(client, store, monkeypatch):
    def away():
        message = "away"
        raise StoreUnavailable(message)

    for method in ("counts", "overview"):
        monkeypatch.setattr(store, method, away)
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert 'osteon_ready{check="store"} 0.0' in answer.text
    assert "osteon_disk_free_bytes" in answer.text
    assert "osteon_queue_depth" not in answer.text


def test_requests_are_counted_by_route_and_status_and_never_by_address(client, delivered):
    client.get(f"/api/v1/jobs/{delivered.id}")
    client.get("/api/v1/jobs/" + "0" * 32)
    client.get("/nowhere/2.25.12345")
    client.request("BREW", "/")
    text = client.get("/metrics").text
    counts = dict(
        re.findall(r"^http_server_request_duration_seconds_count{(.*)} (.*)$", text, re.MULTILINE)
    )
    route = 'http_request_method="GET",http_response_status_code="{}",http_route="{}"'
    assert counts[route.format(200, "/api/v1/jobs/{job_id}")] == "1.0"
    assert counts[route.format(404, "/api/v1/jobs/{job_id}")] == "1.0"
    assert counts[route.format(404, "other")] == "1.0"
    assert any('http_request_method="_OTHER"' in labels for labels in counts)
    assert delivered.id not in text
    assert "2.25.12345" not in text
