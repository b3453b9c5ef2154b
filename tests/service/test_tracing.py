"""Traces as a real receiver of OTLP gets them: protobuf over HTTP on a loopback socket."""

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from dicom_node.completion import Cause
from dicom_node.vitals import AssociationAccepted, StudyClosed
from service.tracing import Traces, root_id
from tests.collector import Collector
from workers.vitals import (
    JobClaimed,
    JobLeft,
    ModelAsked,
    ObjectsSent,
    SlabAsked,
    StageBegun,
    StageDone,
)

JOB = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"


@pytest.fixture
def receiver():
    made = Collector()
    yield made
    made.close()


def traced(receiver, process, tell):
    traces = Traces(receiver.endpoint, process, "0.1.0")
    tell(traces)
    traces.close()
    return {span.name: span for span in receiver.spans()}


def closed(traces):
    traces.node(AssociationAccepted())
    traces.node(StudyClosed(JOB, 30.0, 120, Cause.CONTENT))


def measured(traces):
    for vital in (
        JobClaimed(1, 1000.0),
        StageBegun("anatomy", 1001.0),
        SlabAsked("anatomy", SPAN, 1002.0, 3.0, ""),
        ModelAsked("anatomy", "0.2.0", "triton", 4.0, ""),
        StageDone("anatomy", 5.0, 1006.0),
        StageBegun("deliver", 1006.0),
        ObjectsSent("pacs", 5, 0, 0, 0.5),
        StageDone("deliver", 1.0, 1007.0),
        JobLeft("delivered", "", 1008.0),
    ):
        traces.worker(JOB, vital)


def test_one_trace_a_job_from_the_door_to_the_model_server(receiver):
    traced(receiver, "node", closed)
    spans = traced(receiver, "worker", measured)
    assert receiver.services() == {"osteon-node", "osteon-worker"}
    assert {path for path, _ in receiver.requests} == {"/v1/traces"}
    assert {span.trace_id.hex() for span in spans.values()} == {JOB}
    root = spans["receive"]
    assert (root.span_id.hex(), root.parent_span_id) == (root_id(JOB), b"")
    assert (root.end_time_unix_nano - root.start_time_unix_nano) == pytest.approx(30e9, rel=0.01)
    parents = {name: span.parent_span_id for name, span in spans.items()}
    assert parents["attempt"] == root.span_id
    assert parents["anatomy"] == parents["deliver"] == spans["attempt"].span_id
    assert parents["request model server"] == parents["model"] == spans["anatomy"].span_id
    assert parents["send"] == spans["deliver"].span_id
    assert spans["request model server"].span_id.hex() == SPAN  # what Triton heard
    assert spans["request model server"].kind == Span.SPAN_KIND_CLIENT
    assert all(span.status.code != Status.STATUS_CODE_ERROR for span in spans.values())


def test_spans_have_the_times_that_were_told(receiver):
    spans = traced(receiver, "worker", measured)
    times = {
        name: (span.start_time_unix_nano / 1e9, span.end_time_unix_nano / 1e9)
        for name, span in spans.items()
    }
    assert times["attempt"] == (1000.0, 1008.0)
    assert times["anatomy"] == (1001.0, 1006.0)
    assert times["request model server"] == (1002.0, 1005.0)


def test_the_stage_in_which_a_child_was_killed_is_sent_with_its_code(receiver):
    def killed(traces):
        traces.worker(JOB, JobClaimed(2, 1000.0))
        traces.worker(JOB, StageBegun("fit", 1001.0))
        traces.worker(JOB, JobLeft("retried", "WORKER_DIED", 1002.0))

    spans = traced(receiver, "worker", killed)
    for name in ("attempt", "fit"):
        assert spans[name].status.code == Status.STATUS_CODE_ERROR
        assert spans[name].status.message == "WORKER_DIED"
        assert spans[name].end_time_unix_nano == 1002 * 10**9


def test_a_second_attempt_joins_the_same_trace(receiver):
    traced(receiver, "worker", measured)
    traced(receiver, "worker", measured)
    attempts = [span for span in receiver.spans() if span.name == "attempt"]
    assert len({span.span_id for span in attempts}) == 2
    assert {span.trace_id.hex() for span in attempts} == {JOB}
    assert {span.parent_span_id.hex() for span in attempts} == {root_id(JOB)}


def test_two_jobs_at_once_do_not_mix(receiver):
    other = "b" * 32

    def both(traces):
        for job in (JOB, other):
            traces.worker(job, JobClaimed(1, 1000.0))
        traces.worker(other, StageBegun("fit", 1001.0))
        traces.worker(JOB, StageBegun("read", 1001.0))
        for job in (JOB, other):
            traces.worker(job, JobLeft("handed_back", "", 1002.0))

    spans = traced(receiver, "worker", both)
    assert spans["read"].trace_id.hex() == JOB
    assert spans["fit"].trace_id.hex() == other


def test_a_receiver_that_is_away_costs_spans_and_nothing_else(receiver, caplog):
    receiver.close()
    traces = Traces(receiver.endpoint, "worker", "0.1.0")
    measured(traces)
    traces.close()
    assert receiver.spans() == []
    assert "export" in caplog.text
