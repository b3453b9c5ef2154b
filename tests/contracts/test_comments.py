"""What readers write: kept in order, never changed, on both databases."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from jobs.comments import LONGEST, LONGEST_ASSESSMENT
from jobs.dump import dump, dumped_rows
from jobs.engine import make_engine
from jobs.errors import EmptyComment, UnknownJob
from jobs.study import input_digest


@pytest.fixture
def job(store, arrivals):
    instances = arrivals("1.2")
    store.record_instances(instances)
    return store.open_revision("1.2", input_digest(instances))


def test_comments_of_all_runs_of_a_study_stand_in_order(store, job, clock):
    first_at = clock.now
    store.add_comment(job.id, "reader", "Rib 7\r\nsee T2", "RAC 2")
    clock.forward(60)
    store.add_comment(job.id, "other", "I agree")
    first, second = store.comments("1.2")
    assert (first.text, first.assessment, first.author) == ("Rib 7\nsee T2", "RAC 2", "reader")
    assert (first.at, first.job_id) == (first_at, job.id)
    assert (second.text, second.assessment, second.at) == ("I agree", "", clock.now)
    assert second.id > first.id
    assert store.comments("1.3") == ()


def test_what_says_nothing_or_is_of_no_run_is_refused(store, job):
    with pytest.raises(EmptyComment):
        store.add_comment(job.id, "reader", " \n\x00", "\x07")
    with pytest.raises(UnknownJob):
        store.add_comment("0" * 32, "reader", "text")
    assert store.comments("1.2") == ()


def test_long_texts_end_and_control_signs_are_left_out(store, job):
    kept = store.add_comment(job.id, "reader", "a\x00b" + "x" * 5000, "y" * 200)
    assert (len(kept.text), kept.text[:2], len(kept.assessment)) == (
        LONGEST,
        "ab",
        LONGEST_ASSESSMENT,
    )


@pytest.mark.parametrize("change", ["UPDATE comments SET text = 'x'", "DELETE FROM comments"])
def test_the_database_refuses_to_change_one(store, job, database, change):
    store.add_comment(job.id, "reader", "as it was")
    engine = make_engine(database)
    with pytest.raises(DBAPIError, match="append-only"), engine.begin() as connection:
        connection.execute(text(change))
    engine.dispose()
    assert [comment.text for comment in store.comments("1.2")] == ["as it was"]


def test_a_backup_has_them(store, job, database, tmp_path):
    store.add_comment(job.id, "reader", "in the backup")
    dump(database, tmp_path)
    [row] = dumped_rows(tmp_path, "comments")
    assert (row["text"], row["author"]) == ("in the backup", "reader")
