"""Every refusal is a problem document with a stable code."""

import pytest

from jobs.errors import StoreUnavailable

JSON = {"content-type": "application/json"}


def test_what_does_not_exist(client, refused):
    refused(client.get("/api/v1/nowhere"), 404, "NOT_FOUND")
    refused(client.get(f"/api/v1/jobs/{'0' * 32}"), 404, "UNKNOWN_JOB")
    refused(client.get("/api/v1/studies/1.2.3/timeline"), 404, "UNKNOWN_STUDY")
    refused(client.get(f"/api/v1/webhooks/{'0' * 32}"), 404, "UNKNOWN_WEBHOOK")


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("/api/v1/webhooks", "GET, POST"),
        (f"/api/v1/webhooks/{'0' * 32}", "GET, PATCH, DELETE"),
        (f"/api/v1/jobs/{'0' * 32}/cancel", "POST"),
    ],
)
def test_a_method_that_an_address_does_not_know(client, refused, address, allowed):
    answer = client.put(address)
    refused(answer, 405, "METHOD_NOT_ALLOWED")
    assert answer.headers["allow"] == allowed


def test_a_body_that_is_too_large_is_not_taken(client, refused):
    large = b'{"url": "' + b"a" * 70_000 + b'"}'
    refused(client.post("/api/v1/webhooks", content=large, headers=JSON), 413, "TOO_LARGE")
    pieces = (large[i : i + 5000] for i in range(0, len(large), 5000))  # no Content-Length
    refused(client.post("/api/v1/webhooks", content=pieces, headers=JSON), 413, "TOO_LARGE")


def test_a_body_that_is_not_json(client, refused):
    for kind in ("text/xml", "application/x-www-form-urlencoded"):
        answer = client.post("/api/v1/webhooks", content=b"a=b", headers={"content-type": kind})
        refused(answer, 415, "BODY_IS_NOT_JSON")
    refused(client.post("/api/v1/webhooks", content=b"{", headers=JSON), 422, "NOT_VALID")


def test_what_is_wrong_is_named_and_not_repeated(client, refused):
    wanted = {"url": "https://ris.example/a", "kinds": ["DOE^JANE"], "DOE^JANE": 1}
    answer = client.post("/api/v1/webhooks", json=wanted)
    document = refused(answer, 422, "NOT_VALID")
    assert document["errors"] == [
        {"where": ["body", "kinds", "0"], "what": "enum"},
        {"where": ["body", "(unknown name)"], "what": "extra_forbidden"},
    ]
    assert "DOE" not in answer.text


def test_a_database_that_is_away(client, store, monkeypatch, refused):
    def away(*_args):
        raise StoreUnavailable("postgresql://secret@db.example")

    monkeypatch.setattr(store, "listed", away)
    answer = client.get("/api/v1/studies")
    refused(answer, 503, "STORE_UNAVAILABLE")
    assert answer.headers["retry-after"] == "5"
