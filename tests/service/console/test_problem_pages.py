import pytest

from jobs.errors import StoreUnavailable
from tests.service.console.conftest import BROWSER
from tests.service.console.html_tree import read


@pytest.mark.parametrize(
    ("url", "status", "code"),
    [
        ("/nowhere", 404, "NOT_FOUND"),
        ("/?state=DOE", 422, "NOT_VALID"),
        ("/?cursor=nonsense", 422, "CURSOR_INVALID"),
        ("/?StudyInstanceUID=1.2.3", 404, "UNKNOWN_STUDY"),
        (f"/api/v1/jobs/{'0' * 32}", 404, "UNKNOWN_JOB"),
    ],
)
def test_a_browser_gets_a_page_and_a_program_a_document_with_the_same_sentence(
    client, url, status, code
):
    document = client.get(url)
    page = client.get(url, headers=BROWSER)
    assert document.headers["content-type"] == "application/problem+json"
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert document.status_code == page.status_code == status
    shown = read(page.text).one(testid="problem").text
    detail = document.json()["detail"]
    assert shown == f"{detail[0].upper()}{detail[1:].rstrip('.')}. {code}"
    assert int(page.headers["content-length"]) == len(page.content)
    assert "content-security-policy" in page.headers


def test_another_sites_form_and_a_conflict_are_pages_too(client, deliver):
    job = deliver(1)
    forged = client.post("/find", headers=BROWSER | {"Sec-Fetch-Site": "cross-site"})
    assert forged.status_code == 403
    assert "CROSS_SITE" in read(forged.text).one(testid="problem").text
    refused = client.post(f"/api/v1/jobs/{job.id}/retry", headers=BROWSER)
    assert refused.status_code == 409
    assert read(refused.text).one(testid="code").text == "ILLEGAL_MOVE"


def test_a_database_that_is_away_says_when_to_come_back(client, store, monkeypatch):
    def away(*_args):
        message = "the database does not answer"
        raise StoreUnavailable(message)

    monkeypatch.setattr(store, "listed", away)
    answer = client.get("/", headers=BROWSER)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "STORE_UNAVAILABLE" in read(answer.text).one(testid="problem").text


def test_a_defect_is_a_page_with_a_trace_and_nothing_of_its_text(client, store, monkeypatch):
    def broken(*_args):
        message = "DOE^JANE"
        raise ZeroDivisionError(message)

    monkeypatch.setattr(store, "listed", broken)
    answer = client.get("/", headers=BROWSER)
    assert answer.status_code == 500
    assert "DOE" not in answer.text
    assert read(answer.text).one(testid="code").text == "INTERNAL"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
