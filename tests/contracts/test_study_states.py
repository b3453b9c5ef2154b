"""What the console asks beside the list: how many are in each state, and certain studies only."""

import pytest

from jobs.job import Failure
from jobs.listing import ARRIVING, StudyQuery


@pytest.fixture
def close(store, arrivals):
    """Let a study arrive and close; gives its job, taken by a worker."""

    def closed(number, revision=1):
        uid = f"1.2.{number}"
        store.record_instances(arrivals(uid, 1, 100 * number + revision))
        opened = store.open_revision(uid, f"{100 * number + revision:064x}")
        return store.claim("w", 600, opened.id)

    return closed


def test_each_study_counts_once_with_its_newest_job(store, close, arrivals):
    assert set(store.study_states().values()) == {0}
    store.fail(close(1), Failure("INTERNAL", "a defect"))
    store.deliver(close(1, revision=2))
    store.reject(close(2), Failure("NO_USABLE", "nothing to measure"))
    close(3)
    store.record_instances(arrivals("1.2.9", 2, 900))
    counted = store.study_states()
    assert {state: n for state, n in counted.items() if n} == {
        "delivered": 1,
        "rejected": 1,
        "running": 1,
        ARRIVING: 1,
    }
    assert list(counted) == [
        ARRIVING,
        "queued",
        "running",
        "delivered",
        "rejected",
        "failed",
        "held",
    ]


def test_certain_studies_are_listed_and_no_other(store, close):
    for number in (1, 2, 3):
        store.deliver(close(number))
    asked = StudyQuery(uids=frozenset({"1.2.1", "1.2.3", "1.2.7"}))
    assert {one.study.uid for one in store.listed(asked).studies} == {"1.2.1", "1.2.3"}
    narrowed = StudyQuery(uids=frozenset({"1.2.1"}), states=frozenset({"failed"}))
    assert store.listed(narrowed).studies == ()
