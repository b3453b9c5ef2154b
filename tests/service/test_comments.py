"""Readers' comments by REST: kept with who wrote them, and never changed."""

import pytest

from service.api.app import create_app
from tests.service.sites import site_of
from tests.service.web import TestClient


@pytest.fixture
def client(store, tmp_path):
    site = site_of(store, tmp_path)
    with TestClient(create_app(site), raise_server_exceptions=False) as opened:
        yield opened


def test_comments_are_written_and_listed(client, delivered):
    address = f"/api/v1/studies/{delivered.study_uid}/comments"
    assert client.get(address).json() == {"items": []}
    given = {"job_id": delivered.id, "text": "see T2", "assessment": "RAC 2"}
    written = client.post(address, json=given)
    assert written.status_code == 201
    assert written.json()["author"] == "local"
    listed = client.get(address)
    [item] = listed.json()["items"]
    assert item == written.json()
    assert (item["text"], item["assessment"], item["job_id"]) == ("see T2", "RAC 2", delivered.id)
    again = client.get(address, headers={"If-None-Match": listed.headers["etag"]})
    assert again.status_code == 304
    assert client.put(address, json=given).status_code == 405


def test_a_comment_is_beside_a_run_of_its_study(client, delivered, rejected):
    address = f"/api/v1/studies/{delivered.study_uid}/comments"
    for given, status, code in (
        ({"job_id": rejected.id, "text": "x"}, 404, "UNKNOWN_JOB"),
        ({"job_id": delivered.id, "text": " "}, 422, "EMPTY_COMMENT"),
        ({"job_id": delivered.id, "text": "x" * 5000}, 422, "NOT_VALID"),
    ):
        answer = client.post(address, json=given)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert client.get("/api/v1/studies/2.25.999/comments").json()["code"] == "UNKNOWN_STUDY"
