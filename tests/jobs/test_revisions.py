"""Whatever order images come in, and wherever a study is closed between: one end."""

from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.errors import LeaseLost
from jobs.job import JobState
from jobs.migrate import upgrade
from jobs.store import JobStore
from jobs.study import Instance, input_digest

_STUDIES = count(1)
_N = 6
REPLACED = (JobState.REJECTED, "SUPERSEDED")
CLOSE, CLAIM, DELIVER = "close", "claim", "deliver"
STEPS = st.permutations(range(_N)).flatmap(
    lambda order: st.lists(
        st.sampled_from([CLOSE, CLAIM, DELIVER, *range(_N)]), max_size=10
    ).flatmap(lambda more: st.permutations([*order, *more]))
)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    url = f"sqlite:///{tmp_path_factory.mktemp('store')}/osteon.sqlite"
    upgrade(url)
    with JobStore(url) as opened:
        yield opened


def instance(study_uid, number):
    return Instance(
        sop_instance_uid=f"{study_uid}.{number}",
        study_uid=study_uid,
        series_uid=f"{study_uid}.{number % 2}",
        sop_class_uid="1.2.840.10008.5.1.4.1.1.4",
        transfer_syntax_uid="1.2.840.10008.1.2.1",
        sha256=f"{number:064x}",
        size=100,
        path=f"aa/{study_uid}/{number}",
        received_at=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=number),
    )


class Hospital:
    """One study on its way: what arrives, closes, is claimed and delivered."""

    def __init__(self, store):
        self.store = store
        self.study_uid = f"2.25.{next(_STUDIES)}"
        self.held = []
        self.delivered = set()

    def take(self, step):
        steps = {CLOSE: self.close, CLAIM: self.claim, DELIVER: self.deliver}
        if step in steps:
            steps[step]()
        else:
            self.store.record_instances([instance(self.study_uid, step)])

    def close(self):
        arrived = self.store.instances(self.study_uid)
        if arrived:
            members = [i.sop_instance_uid for i in arrived]
            self.store.open_revision(self.study_uid, input_digest(arrived), members)

    def claim(self):
        job = self.store.claim("w", 600)
        self.held += [job] if job else []

    def deliver(self):
        if self.held and self.store.job(self.held[-1].id).state == JobState.RUNNING:
            job = self.held.pop()
            self.store.deliver(job)
            self.delivered.add(job.id)


@settings(max_examples=25, deadline=None)
@given(steps=STEPS)
def test_any_order_and_any_pauses_end_in_one_job_on_all_images(store, steps):
    hospital = Hospital(store)
    for step in steps:
        hospital.take(step)
    hospital.close()
    study_uid = hospital.study_uid
    every = [instance(study_uid, number) for number in range(_N)]
    newest, *older = store.jobs(study_uid=study_uid)
    assert newest.revision == store.study(study_uid).revision > max([0, *_revisions(older)])
    assert newest.input_digest == input_digest(every)
    assert set(store.instances(study_uid, newest.revision)) == set(every)
    for job in older:
        known = (JobState.DELIVERED, None) if job.id in hospital.delivered else REPLACED
        assert (job.state, job.failure and job.failure.code) == known
    for job in hospital.held:
        if job.id != newest.id:
            with pytest.raises(LeaseLost):
                store.require_held(job)
            with pytest.raises(LeaseLost):
                store.deliver(job)
    held = newest if newest.state != JobState.QUEUED else store.claim("w", 600)
    assert held.id == newest.id
    assert store.claim("w", 600) is None  # no older revision is run for nothing
    if held.state == JobState.RUNNING:
        store.require_held(held)
        store.deliver(held)


def _revisions(jobs):
    return [job.revision for job in jobs]


def test_what_no_revision_took_in_is_late(store):
    study_uid = f"2.25.{next(_STUDIES)}"
    first, second = instance(study_uid, 1), instance(study_uid, 2)
    store.record_instances([first])
    assert store.late_instances(study_uid) == (first,)
    store.open_revision(study_uid, input_digest([first]))
    assert store.late_instances(study_uid) == ()
    store.record_instances([first, second])
    assert store.late_instances(study_uid) == (second,)
    assert store.newest_revisions({study_uid, "2.25.0"}) == {study_uid: 1}
