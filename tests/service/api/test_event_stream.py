"""Everything that happens as one stream, resumed where a listener stopped."""

import json
import re

import pytest

from service.api import events
from service.api.schemas import EventOut


@pytest.fixture(autouse=True)
def short(monkeypatch):
    """Streams that end by themselves soon."""
    monkeypatch.setattr(events, "STREAM_S", 0.3)
    monkeypatch.setattr(events, "POLL_S", 0.02)


def messages(text):
    found = re.findall(r"id: (\d+)\nevent: (\S+)\ndata: (.*)\n\n", text)
    return [(int(number), kind, json.loads(data)) for number, kind, data in found]


def test_the_stream_has_every_jobs_events_in_order(client, store, delivered, rejected):
    answer = client.get("/api/v1/events", headers={"Last-Event-ID": "0"})
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["x-accel-buffering"] == "no"
    assert answer.headers["cache-control"] == "no-store"
    found = messages(answer.text)
    kept = store.all_events(0, 100)
    assert [number for number, _, _ in found] == [event.id for event in kept]
    assert {data["job_id"] for _, _, data in found} == {delivered.id, rejected.id}
    _, kind, data = found[-1]
    assert kind == "job.rejected"
    assert data == json.loads(EventOut.of(kept[-1]).model_dump_json())


def test_a_listener_goes_on_where_it_stopped(client, store, delivered):
    ids = [event.id for event in store.events(delivered.id)]
    for resumed in (
        client.get("/api/v1/events", headers={"Last-Event-ID": str(ids[2])}),
        client.get(f"/api/v1/events?after={ids[2]}"),
    ):
        assert [number for number, _, _ in messages(resumed.text)] == ids[3:]


def test_a_new_listener_hears_what_happens_from_now_on(client, store, open_job, delivered):
    look = store.all_events
    opened = []

    def and_something_happens(after, limit):
        if not opened:
            opened.append(open_job(7))
        return look(after, limit)

    store.all_events = and_something_happens
    found = messages(client.get("/api/v1/events").text)
    assert {data["job_id"] for _, _, data in found} == {opened[0].id}
    assert delivered.id != opened[0].id


def test_silence_is_a_comment(client, monkeypatch):
    monkeypatch.setattr(events, "HEARTBEAT_S", 0.05)
    text = client.get("/api/v1/events").text
    assert set(text.split("\n\n")) == {": still here", ""}


def test_the_stream_of_a_job_ends_with_it(client, delivered, rejected):
    text = client.get(f"/api/v1/jobs/{delivered.id}/events/stream").text
    assert {data["job_id"] for _, _, data in messages(text)} == {delivered.id}
    assert text.endswith("event: job.done\ndata: {}\n\n")
    assert rejected.id not in text


@pytest.mark.parametrize("given", ["-1", "x", "9" * 30])
def test_an_id_that_is_none_is_refused(client, refused, given):
    refused(client.get("/api/v1/events", headers={"Last-Event-ID": given}), 422, "NOT_VALID")
    refused(client.get(f"/api/v1/events?after={given}"), 422, "NOT_VALID")
