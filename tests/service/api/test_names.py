"""Names of patients by REST: only where they are asked for, and as far as the caller may see."""

from dataclasses import replace

import pytest

from jobs.labels import StudyLabel
from service.api.app import create_app
from service.naming import Naming
from tests.service.web import TestClient


@pytest.fixture
def labelled(store, open_job):
    job = open_job(1)
    store.keep_label(job, StudyLabel(job.study_uid, "Doe^Jane", "P-17", "A-4711", "20260102"))
    return job


def found(client, **wanted):
    return client.post("/api/v1/studies/search", json=wanted).json()["items"]


def test_a_list_names_nobody_unless_asked(client, labelled):
    assert "Doe" not in client.get("/api/v1/studies").text
    (study,) = client.get("/api/v1/studies?names=true").json()["items"]
    assert study["uid"] == labelled.study_uid
    assert study["named"]["patient_name"] == "Doe^Jane"
    assert (study["named"]["study_date"], study["named"]["masked"]) == ("2026-01-02", False)


def test_a_name_is_sought_in_a_body_and_stands_in_no_address(client, labelled, open_job):
    open_job(2)
    (study,) = found(client, text="jane a-4711")
    assert study["uid"] == labelled.study_uid
    assert found(client, text="nobody") == []
    answer = client.post("/api/v1/studies/search", json={"text": "doe", "limit": 1})
    assert "link" not in answer.headers
    assert client.get("/api/v1/studies?text=doe").status_code == 422


def test_who_is_not_shown_names_does_not_find_by_them(site, labelled):
    hidden = replace(site, naming=Naming("nobody", "hidden"))
    with TestClient(create_app(hidden)) as client:
        assert found(client, text="doe") == []
        (study,) = found(client, text=labelled.study_uid, names=True)
    assert (study["named"]["patient_name"], study["named"]["masked"]) == ("", True)


def test_signs_that_no_database_holds_are_refused(client, refused):
    answer = client.post("/api/v1/studies/search", json={"text": "a\x00b"})
    refused(answer, 422, "NOT_VALID")
