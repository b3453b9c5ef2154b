import re

import pytest
from starlette.requests import Request

from jobs.errors import StoreUnavailable
from jobs.job import Stage
from service.access.caller import LOCAL
from service.console import live
from service.console.asked import Asked
from service.console.live import Watch
from service.console.pace import KnownPace, Pace, span_words
from service.console.rows import row_key
from tests.service.console.html_tree import read


@pytest.fixture
def watch(client):
    def begun(after, **asked):
        scope = {"type": "http", "method": "GET", "path": "/live", "headers": [], "app": client.app}
        request = Request(scope | {"query_string": b"", "server": ("localhost", 80)})
        request.state.caller = LOCAL
        return Watch(request, Asked(**asked), after)

    return begun


def told(messages):
    """Events by name, with their data."""
    found = {}
    for message in messages:
        assert message.endswith("\n\n")
        lines = message.rstrip("\n").split("\n")
        fields = [line.partition(": ")[::2] for line in lines]
        name = dict(fields)["event"]
        assert re.fullmatch(r"\d+", dict(fields)["id"])
        found[name] = "\n".join(value for key, value in fields if key == "data")
    return found


def test_a_row_is_drawn_again_when_its_job_moves_and_no_other(watch, store, begin, deliver):
    deliver(1)
    job = begin(2)
    seen = watch(store.last_event_id())
    assert seen.look() == []
    assert seen.look() == []
    store.progress(job, 0.4)
    messages = told(seen.look())
    assert set(messages) == {row_key(job.study_uid)}
    row = read(messages[row_key(job.study_uid)]).one("tr")
    assert row.attributes["id"] == row.attributes["sse-swap"] == row_key(job.study_uid)
    assert row.attributes["data-state"] == "running"
    store.deliver(job)
    (html,) = told(seen.look()).values()
    assert read(html).one("tr").attributes["data-state"] == "delivered"
    assert seen.look() == []


def test_images_that_arrive_are_counted_and_a_new_study_asks_for_the_list(watch, store, arrive):
    arrive(1)
    seen = watch(store.last_event_id())
    seen.look()
    uid = arrive(1)
    messages = told(seen.look())
    assert "2 images in 1 series" in messages[row_key(uid)]
    arrive(2)
    assert set(told(seen.look())) == {"list"}
    assert seen.look() == []


def test_a_study_that_leaves_the_filter_asks_for_the_list(watch, store, begin):
    job = begin(1)
    seen = watch(store.last_event_id(), state=("running",))
    seen.look()
    store.deliver(job)
    assert set(told(seen.look())) == {"list"}


def test_who_comes_back_is_told_of_what_happened_meanwhile(watch, store, begin):
    """As after a restart of the service: another process, and only Last-Event-ID is known."""
    job = begin(1)
    before = store.last_event_id()
    store.progress(job, 0.4)
    messages = watch(before).look()
    assert set(told(messages)) == {"list"}
    assert f"id: {store.last_event_id()}\n" in messages[0]
    assert watch(store.last_event_id()).look() == []


def test_a_record_that_was_restored_from_a_backup_is_read_anew(watch, store, begin):
    begin(1)
    seen = watch(10**9)
    assert set(told(seen.look())) == {"list"}
    assert seen.after == store.last_event_id()


def test_more_events_than_one_reading_takes_are_one_change(watch, store, begin, monkeypatch):
    monkeypatch.setattr(live, "_AT_ONCE", 3)
    job = begin(1)
    seen = watch(store.last_event_id())
    seen.look()
    for tenth in range(1, 11):
        store.progress(job, tenth / 10)
    assert len(seen.look()) == 1
    assert seen.after == store.last_event_id()


def test_the_stream_carries_rows_and_ends_when_the_database_is_away(
    client, store, begin, monkeypatch
):
    monkeypatch.setattr(live, "POLL_S", 0.01)
    job = begin(1)
    before = store.last_event_id()
    store.progress(job, 0.4)
    looks = []
    all_events = store.all_events

    def once(*given):
        looks.append(given)
        if len(looks) > 1:
            message = "the database does not answer"
            raise StoreUnavailable(message)
        return all_events(*given)

    monkeypatch.setattr(store, "all_events", once)
    answer = client.get("/live?limit=10", headers={"Last-Event-ID": str(before)})
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["x-accel-buffering"] == "no"
    assert answer.text == (
        f"retry: 2000\n\nid: {store.last_event_id()}\nevent: list\ndata: again\n\n"
    )


def test_the_page_names_the_stream_with_its_own_filters(client, store, begin):
    begin(1)
    page = read(client.get("/?state=running").text)
    stream = page.one(testid="live").attributes["sse-connect"]
    assert stream == f"/live?state=running&after={store.last_event_id()}"
    assert page.one("div", **{"hx-trigger": "sse:list"}).attributes["hx-get"] == "/?state=running"


def test_percent_and_time_left_follow_how_long_stages_took(store, begin):
    """Known: read 2 s, anatomy 6 s; nine stages unknown count 4 s each (the mean), 44 s in all."""
    pace = Pace({"read": 2.0, "anatomy": 6.0})
    job = begin(1)
    store.enter_stage(job, Stage.ANATOMY)
    store.progress(job, 0.5)
    job = store.job(job.id)
    assert len(Stage) == 11
    # read 2 + assemble 4 + fit 4 + half of anatomy 3 = 13 of 44 s
    assert pace.percent(job) == 29
    assert pace.left_s(job) == pytest.approx(3.0)
    assert Pace().left_s(job) is None
    assert Pace().percent(job) == 31  # 3.5 of 11 equal stages
    store.deliver(job)
    assert pace.percent(store.job(job.id)) == 100


def test_the_pace_is_asked_for_once_a_minute(store, deliver, monkeypatch):
    known = KnownPace()
    deliver(1)
    assert known.of(store).seconds == {"read": 2.0}
    monkeypatch.setattr(store, "stage_totals", None)
    assert known.of(store).seconds == {"read": 2.0}


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (89, "89 s"), (90, "2 min"), (5399, "90 min"), (5400, "2 h"), (200000, "2 d")],
)
def test_a_span_has_the_unit_that_fits(seconds, words):
    assert span_words(seconds) == words


@pytest.mark.parametrize("after", ["-1", "x", str(2**63), "9" * 40])
def test_an_event_id_that_is_none_is_refused(client, after):
    assert client.get(f"/live?after={after}").json()["code"] == "NOT_VALID"
    assert client.get("/live", headers={"Last-Event-ID": after}).json()["code"] == "NOT_VALID"
