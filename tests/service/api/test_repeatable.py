"""`Idempotency-Key`: a request that is sent twice is done once."""

import json
import threading

import pytest

from jobs.errors import StoreUnavailable
from jobs.job import Failure, JobState
from jobs.request_tables import kept_answers
from tests.service.rows import rows_of

KEY = {"Idempotency-Key": "order-66"}
HOOK = {"url": "https://ris.example/osteon", "kinds": ["delivered"]}


@pytest.fixture
def failed(store, open_job):
    job = open_job(3)
    store.fail(job, Failure("INTERNAL", "a defect"))
    return job


def test_the_same_request_again_gets_the_same_answer_and_does_nothing(client, failed, told):
    address = f"/api/v1/jobs/{failed.id}/retry"
    first = client.post(address, headers=KEY)
    again = client.post(address, headers=KEY)
    assert (first.status_code, again.status_code) == (202, 202)
    assert again.json() == first.json()
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert told == [failed.id]


def test_without_a_key_every_request_counts(client, failed, refused):
    address = f"/api/v1/jobs/{failed.id}/retry"
    assert client.post(address).status_code == 202
    refused(client.post(address), 409, "ILLEGAL_MOVE")


def test_a_key_is_for_one_request(client, failed, refused):
    client.post(f"/api/v1/jobs/{failed.id}/retry", headers=KEY)
    other = client.post(f"/api/v1/jobs/{failed.id}/cancel", headers=KEY)
    refused(other, 422, "KEY_WAS_FOR_ANOTHER")
    client.post("/api/v1/webhooks", json=HOOK, headers={"Idempotency-Key": "b"})
    changed = client.post(
        "/api/v1/webhooks", json=HOOK | {"kinds": ["failed"]}, headers={"Idempotency-Key": "b"}
    )
    refused(changed, 422, "KEY_WAS_FOR_ANOTHER")


def test_a_refusal_changed_nothing_so_its_key_is_free(client, delivered, refused):
    address = f"/api/v1/jobs/{delivered.id}/retry"
    refused(client.post(address, headers=KEY), 409, "ILLEGAL_MOVE")
    refused(client.post(address, headers=KEY), 409, "ILLEGAL_MOVE")
    answer = client.post(f"/api/v1/studies/{delivered.study_uid}/reprocess", headers=KEY)
    assert answer.status_code == 202


def test_an_error_frees_the_key_too(client, store, failed, monkeypatch):
    address = f"/api/v1/jobs/{failed.id}/retry"

    def away(*_args):
        raise StoreUnavailable

    with monkeypatch.context() as patched:
        patched.setattr(store, "requeue", away)
        assert client.post(address, headers=KEY).status_code == 503
    assert client.post(address, headers=KEY).status_code == 202


def test_a_secret_is_shown_once_and_kept_nowhere(client, store):
    first = client.post("/api/v1/webhooks", json=HOOK, headers=KEY)
    again = client.post("/api/v1/webhooks", json=HOOK, headers=KEY)
    assert first.json()["secret"].startswith("whsec_")
    assert again.json() == first.json() | {"secret": None}
    assert again.headers["location"] == first.headers["location"]
    assert len(store.webhooks()) == 1
    assert "whsec_" not in json.dumps(rows_of(store, kept_answers), default=str)


def test_of_two_at_once_one_is_done(client, store):
    """Both ask before either is answered: one is done, the other is told to come again."""
    meet = threading.Barrier(2, timeout=10)
    add = store.add_webhook
    codes = []

    def slow(*args):
        meet.wait()
        return add(*args)

    def ask():
        codes.append(client.post("/api/v1/webhooks", json=HOOK, headers=KEY).status_code)

    store.add_webhook = slow
    first = threading.Thread(target=ask)
    first.start()
    while not rows_of(store, kept_answers):
        pass
    second = client.post("/api/v1/webhooks", json=HOOK, headers=KEY)
    meet.wait()
    first.join(10)
    assert (second.status_code, second.json()["code"]) == (409, "KEY_IN_USE")
    assert codes == [201]
    assert len(store.webhooks()) == 1


@pytest.mark.parametrize("key", ["", "a" * 201, "with space"])
def test_a_key_that_is_none_is_refused(client, failed, refused, key, store):
    answer = client.post(f"/api/v1/jobs/{failed.id}/retry", headers={"Idempotency-Key": key})
    refused(answer, 422, "NOT_VALID")
    assert store.job(failed.id).state is JobState.FAILED
