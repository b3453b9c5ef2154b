from dataclasses import replace

import pytest
from pydantic import ValidationError

from service.api.app import create_app
from service.dicomweb_section import DicomWebSection
from tests.service.web import TestClient

VIEWER = "https://viewer.example"


@pytest.fixture
def opened(holdings):
    site = replace(holdings.site, dicomweb_origins=(VIEWER,))
    with TestClient(create_app(site)) as client:
        yield client


def test_pages_of_other_sites_may_not_read_anything(client):
    answer = client.get("/dicom-web/studies", headers={"Origin": VIEWER})
    assert "access-control-allow-origin" not in answer.headers


def test_a_named_viewer_may_read_dicomweb_and_nothing_else(opened):
    answer = opened.get("/dicom-web/studies", headers={"Origin": VIEWER})
    assert answer.headers["access-control-allow-origin"] == VIEWER
    assert "access-control-allow-credentials" not in answer.headers
    other = opened.get("/dicom-web/studies", headers={"Origin": "https://elsewhere.example"})
    assert "access-control-allow-origin" not in other.headers
    elsewhere = opened.get("/api/v1/studies", headers={"Origin": VIEWER})
    assert "access-control-allow-origin" not in elsewhere.headers


def test_a_browser_may_ask_first_without_saying_who_it_is(opened):
    asks = {
        "Origin": VIEWER,
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "authorization,accept",
    }
    answer = opened.options("/dicom-web/studies", headers=asks)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == VIEWER
    assert answer.headers["access-control-allow-methods"] == "GET"
    post = opened.options(
        "/dicom-web/studies", headers=asks | {"Access-Control-Request-Method": "POST"}
    )
    assert post.status_code == 400


@pytest.mark.parametrize("origin", ["*", "viewer.example", "https://a/b", "ftp://a", "https://"])
def test_what_is_no_origin_is_refused(origin):
    with pytest.raises(ValidationError, match="is no origin"):
        DicomWebSection(origins=(origin,))
