"""Lists page by page: every entry once, whatever comes meanwhile."""

import pytest

from jobs.job import Failure


@pytest.fixture
def five(store, open_job):
    """Five jobs of five studies, the oldest first."""
    jobs = [open_job(number) for number in range(1, 6)]
    for job in jobs:
        store.reject(job, Failure("NO_USABLE", "nothing to measure"))
    return jobs


def pages(client, address):
    """Follow `Link: rel="next"` to the end; the body says the same."""
    while address:
        answer = client.get(address)
        assert answer.status_code == 200
        yield answer.json()["items"]
        link = answer.headers.get("link")
        assert (link is None) == (answer.json()["next"] is None)
        if link is not None:
            assert link.endswith('>; rel="next"')
            assert answer.json()["next"] in link
        address = link[1 : link.index(">")] if link else None


def test_jobs_come_page_by_page_the_newest_first(client, five):
    found = list(pages(client, "/api/v1/jobs?limit=2"))
    assert [len(page) for page in found] == [2, 2, 1]
    assert [job["id"] for page in found for job in page] == [job.id for job in reversed(five)]


def test_a_job_that_comes_meanwhile_neither_repeats_nor_hides_one(client, five, open_job):
    first = client.get("/api/v1/jobs?limit=2")
    open_job(6)
    rest = list(pages(client, f"/api/v1/jobs?limit=2&cursor={first.json()['next']}"))
    assert [job["id"] for page in rest for job in page] == [job.id for job in reversed(five[:3])]


def test_the_filter_stays_on_every_page(client, store, five, open_job):
    store.fail(open_job(6), Failure("INTERNAL", "a defect"))
    found = list(pages(client, "/api/v1/jobs?state=rejected&limit=2"))
    assert {job["state"] for page in found for job in page} == {"rejected"}
    assert sum(map(len, found)) == len(five)


def test_studies_come_page_by_page(client, five):
    found = list(pages(client, "/api/v1/studies?limit=2&state=rejected&state=failed"))
    uids = [study["uid"] for page in found for study in page]
    assert sorted(uids) == sorted(job.study_uid for job in five)
    assert len(uids) == 5


def test_a_jobs_events_come_page_by_page(client, store, five):
    address = f"/api/v1/jobs/{five[0].id}/events?limit=1"
    found = [event["id"] for page in pages(client, address) for event in page]
    assert found == [event.id for event in store.events(five[0].id)]


@pytest.mark.parametrize(
    "query", ["jobs?cursor=x", "jobs?limit=0", "jobs?limit=501", "studies?cursor=x", "studies?x=1"]
)
def test_a_place_that_is_none_is_refused(client, refused, query):
    answer = client.get(f"/api/v1/{query}")
    assert answer.status_code == 422
    refused(answer, 422, answer.json()["code"])


def test_a_moment_beyond_any_calendar_is_refused(client, refused):
    wanted = "/api/v1/studies?since=0001-01-01T00:00:00%2B23:59"
    document = refused(client.get(wanted), 422, "NOT_VALID")
    assert document["errors"] == [{"where": ["query", "since"], "what": "value_error"}]


def test_a_study_of_the_list_has_its_job_and_numbers(client, delivered):
    (study,) = client.get("/api/v1/studies?flag=partial").json()["items"]
    assert (study["uid"], study["job"]["id"]) == (delivered.study_uid, delivered.id)
    assert study["headline"] == {
        "tdv_ml": 12.34,
        "gadc_um2_s": 801.6,
        "n_lesions": 3,
        "coverage_status": "partial",
    }
    assert study["named"] is None
    assert client.get("/api/v1/studies?flag=warning").json()["items"] == []
