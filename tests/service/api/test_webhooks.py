"""Webhooks by REST: made, changed, tried, removed; only for allowed hosts."""

from dataclasses import replace

import pytest

from jobs.webhook import MessageState

HOOK = {"url": "https://ris.example/osteon", "kinds": ["failed", "delivered"], "description": "RIS"}


@pytest.fixture
def made(client):
    answer = client.post("/api/v1/webhooks", json=HOOK)
    assert answer.status_code == 201
    assert answer.headers["location"] == f"/api/v1/webhooks/{answer.json()['id']}"
    return answer.json()


def test_a_webhook_is_made_and_its_secret_shown_once(client, made, site, store):
    assert made["secret"] == site.signer.secret(store.webhook(made["id"]))
    shown = client.get(f"/api/v1/webhooks/{made['id']}")
    assert shown.json() == {name: value for name, value in made.items() if name != "secret"}
    assert shown.json()["kinds"] == ["delivered", "failed"]
    assert client.get("/api/v1/webhooks").json() == {"items": [shown.json()]}


def test_a_renewed_secret_is_another_one(client, made, store):
    renewed = client.post(f"/api/v1/webhooks/{made['id']}/secret").json()["secret"]
    assert renewed != made["secret"]
    assert store.webhook(made["id"]).generation == 2


def test_a_webhook_is_changed_as_it_was_seen(client, made, refused):
    address = f"/api/v1/webhooks/{made['id']}"
    tag = client.get(address).headers["etag"]
    changed = client.patch(address, json={"active": False}, headers={"If-Match": tag})
    assert (changed.status_code, changed.json()["active"]) == (200, False)
    assert changed.headers["etag"] == client.get(address).headers["etag"] != tag
    late = client.patch(address, json={"active": True}, headers={"If-Match": tag})
    refused(late, 412, "CHANGED_MEANWHILE")
    without = client.patch(address, json={"description": "", "kinds": ["held"]})
    assert (without.json()["description"], without.json()["kinds"]) == ("", ["held"])
    assert client.patch(address, json={}).json() == without.json()


@pytest.mark.parametrize("url", ["https://evil.example/", "http://ris.example/", "nonsense"])
def test_an_address_that_is_not_allowed_is_refused(client, made, refused, url):
    refused(client.post("/api/v1/webhooks", json=HOOK | {"url": url}), 422, "RECIPIENT_REFUSED")
    address = f"/api/v1/webhooks/{made['id']}"
    refused(client.patch(address, json={"url": url}), 422, "RECIPIENT_REFUSED")
    assert client.get(address).json()["url"] == HOOK["url"]


def test_without_an_allowed_host_there_are_none(client, site, refused):
    client.app.state.site = replace(site, signer=None)
    refused(client.post("/api/v1/webhooks", json=HOOK), 409, "WEBHOOKS_CLOSED")
    assert client.get("/api/v1/webhooks").json() == {"items": []}


def test_a_test_message_and_its_log(client, made, store, refused):
    address = f"/api/v1/webhooks/{made['id']}"
    first = client.post(f"{address}/test")
    assert (first.status_code, first.json()["state"], first.json()["event_id"]) == (
        202,
        "pending",
        None,
    )
    dispatch = store.take_message(60.0)
    refused(client.post(f"{address}/messages/{first.json()['id']}/send"), 409, "ILLEGAL_MOVE")
    store.message_given_up(dispatch, 500, "STATUS")
    client.post(f"{address}/test")
    page = client.get(f"{address}/messages?limit=1")
    assert [one["state"] for one in page.json()["items"]] == ["pending"]
    rest = client.get(f"{address}/messages?cursor={page.json()['next']}").json()
    assert [(one["state"], one["last_status"]) for one in rest["items"]] == [("given_up", 500)]
    assert rest["next"] is None
    again = client.post(f"{address}/messages/{first.json()['id']}/send")
    assert (again.status_code, again.json()["state"]) == (202, "pending")
    refused(client.post(f"{address}/messages/99/send"), 404, "UNKNOWN_MESSAGE")


def test_a_removed_webhook_is_told_nothing_more(client, made, store, open_job, refused):
    address = f"/api/v1/webhooks/{made['id']}"
    client.post(f"{address}/test")
    dispatch = store.take_message(60.0)
    assert client.delete(address).status_code == 204
    store.message_sent(dispatch, 200)  # what was under way ends without a trace
    open_job(1)
    assert not store.message_is_due()
    refused(client.get(address), 404, "UNKNOWN_WEBHOOK")
    refused(client.get(f"{address}/messages"), 404, "UNKNOWN_WEBHOOK")
    refused(client.delete(address), 404, "UNKNOWN_WEBHOOK")


@pytest.mark.parametrize("wrong", [{"kinds": []}, {"kinds": ["progress"]}, {"url": ""}, {"x": 1}])
def test_what_is_no_webhook_is_refused(client, refused, wrong):
    refused(client.post("/api/v1/webhooks", json=HOOK | wrong), 422, "NOT_VALID")


def test_an_event_that_was_asked_for_waits_in_the_log(made, store, delivered):
    assert store.webhook(made["id"]).active
    (message,) = store.messages(made["id"], 10)
    assert message.state is MessageState.PENDING
    assert store.events(delivered.id)[-1].id == message.event_id
