"""What the Study screen says of a held identity and of earlier studies in the archive."""

import pytest

from jobs.job import Failure, JobState, Stage
from jobs.prior import WantedPrior
from tests.service.console.conftest import BROWSER
from tests.service.console.html_tree import read
from workers.advice import ADVICE

OLD = "2.25.9900"


def page(client, job):
    answer = client.get(f"/studies/{job.study_uid}/runs/{job.id}", headers=BROWSER)
    assert answer.status_code == 200
    return read(answer.text)


def lines(client, job):
    return [line.text for line in page(client, job).all(testid="prior-line")]


@pytest.fixture
def wanting(store, begin):
    """A running job whose study wants an earlier one."""
    job = begin(1)
    store.begin_prior_search(job, 60)
    store.end_prior_search(job, wanted=[WantedPrior(OLD, "20250102")])
    return job


def test_a_study_that_asked_for_none_says_nothing(client, begin):
    assert lines(client, begin(1)) == []


def test_how_far_an_earlier_study_is_stands_on_the_page(client, store, wanting):
    (line,) = lines(client, wanting)
    assert line == "The earlier study of 2025-01-02 is to be fetched from the archive."
    store.prior_failed(store.claim_prior("node", 60), "PRIOR_INCOMPLETE")
    (line,) = lines(client, wanting)
    assert line.endswith("could not be fetched from the archive (PRIOR_INCOMPLETE).")


def test_an_archive_that_gave_no_answer_is_told(client, store, begin):
    job = begin(1)
    store.begin_prior_search(job, 60)
    assert "not answered yet" in lines(client, job)[0]
    store.end_prior_search(job, "PEER_UNAVAILABLE", left_out=1)
    assert "PEER_UNAVAILABLE" in lines(client, job)[0]
    assert "were not fetched" in lines(client, job)[1]


def test_an_earlier_study_that_came_late_is_told(client, store, wanting, arrive):
    store.enter_stage(wanting, Stage.DELIVER)
    store.deliver(wanting)
    fetch = store.claim_prior("node", 60)
    uid = arrive(99)
    assert uid == OLD
    store.prior_fetched(fetch)
    old = store.open_revision(OLD, "old")
    assert "is being measured" in lines(client, wanting)[0]
    store.deliver(store.claim("w", 60, old.id))
    store.prior_ended(OLD)
    assert "measured after this run; Process again" in lines(client, wanting)[0]
    assert "sent nowhere" in page(client, old).one(testid="only-prior").text
    assert list(page(client, wanting).all(testid="only-prior")) == []


def test_a_run_that_is_held_for_its_patients_identity_can_be_released(client, store, begin):
    job = begin(1)
    store.hold(job, Failure("IDENTITY_CONFLICT", "whose?"))
    shown = page(client, job)
    assert shown.one(testid="failure-advice").text == ADVICE["IDENTITY_CONFLICT"]
    assert shown.one(testid="release").text == "Release"
    answer = client.post(
        f"/studies/{job.study_uid}/runs/{job.id}/release", headers=BROWSER, follow_redirects=False
    )
    assert answer.status_code == 303
    assert store.job(job.id).state is JobState.QUEUED
    assert list(page(client, job).all(testid="release")) == []


def test_one_that_is_held_for_something_else_cannot(client, store, begin):
    job = begin(1)
    store.hold(job, Failure("PEER_REFUSED", "no"))
    shown = page(client, job)
    assert list(shown.all(testid="release")) == []
    assert shown.one(testid="retry")
