from dataclasses import replace

import pytest

from jobs.result import ResultFile
from jobs.study import input_digest

STUDY = "1.2"


@pytest.fixture
def measured(store, arrivals):
    """Measure the study as it stands: `measured("a")` makes a SEG and a table."""

    def measure(name):
        store.open_revision(STUDY, input_digest(store.instances(STUDY)))
        job = store.claim("test", 60.0)
        seg = ResultFile("seg", "seg_1.dcm", "application/dicom", f"{name}/seg_1.dcm", "c" * 64)
        uids = {"sop_class_uid": "1.66.4", "sop_instance_uid": f"9.{len(name)}", "series_uid": "9"}
        table = ResultFile("lesions", "lesions.csv", "text/csv", f"{name}/lesions.csv", "d" * 64)
        store.keep_results(job, [replace(seg, **uids), table])
        store.deliver(job)

    store.record_instances(arrivals(STUDY, 3))
    return measure


def test_received_and_made_objects_are_held(store, measured):
    assert {o.made for o in store.held_objects(STUDY)} == {False}
    measured("a")
    held = store.held_objects(STUDY)
    assert sum(o.made for o in held) == 1
    made = next(o for o in held if o.made)
    assert (made.sop_instance_uid, made.path, made.study_uid) == ("9.1", "a/seg_1.dcm", STUDY)
    assert made.transfer_syntax_uid is None
    assert all(o.transfer_syntax_uid for o in held if not o.made)
    assert store.held_objects(STUDY, "9", "9.1") == (made,)
    assert store.held_objects(STUDY, "9", "9.2") == ()
    assert store.held_objects("7.7") == ()
    series = store.held_series([STUDY, "7.7"])
    assert [(s.series_uid, s.n_instances, s.made) for s in series if s.made] == [("9", 1, True)]
    assert sum(s.n_instances for s in series) == 4


def test_newer_results_replace_older_ones(store, measured, arrivals):
    measured("a")
    store.record_instances(arrivals(STUDY, 1, first=4))
    assert [o.sop_instance_uid for o in store.held_objects(STUDY) if o.made] == ["9.1"]
    measured("bb")
    assert [o.sop_instance_uid for o in store.held_objects(STUDY) if o.made] == ["9.2"]
    assert sum(s.n_instances for s in store.held_series([STUDY])) == 5


def test_a_result_that_came_back_is_held_once(store, measured, arrivals):
    measured("a")
    (back,) = arrivals(STUDY, 1, first=9)
    store.record_instances([replace(back, sop_instance_uid="9.1", series_uid="9")])
    held = [o for o in store.held_objects(STUDY) if o.sop_instance_uid == "9.1"]
    assert [o.made for o in held] == [False]
    assert sum(s.n_instances for s in store.held_series([STUDY])) == 4


def test_the_mark_tells_that_something_came(store, measured, arrivals):
    before = store.holdings_mark()
    assert (before.n_studies, before.n_instances, before.newest_result) == (1, 3, 0)
    assert store.holdings_mark() == before
    store.record_instances(arrivals("1.3", 2))
    arrived = store.holdings_mark()
    assert (arrived.n_studies, arrived.n_instances) == (2, 5)
    assert store.held_studies() == {STUDY: 3, "1.3": 2}
    measured("a")
    after = store.holdings_mark()
    assert after.newest_result > 0
    assert store.studies_with_results(0) == {STUDY}
    assert store.studies_with_results(after.newest_result) == frozenset()
