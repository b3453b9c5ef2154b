"""What names a study to people: the same body over SQLite and PostgreSQL."""

import json

import pytest
from sqlalchemy import text

from jobs.dump import dump, dumped_rows
from jobs.engine import make_engine
from jobs.errors import LeaseLost
from jobs.labels import StudyLabel, folded
from jobs.listing import Flag, StudyQuery
from jobs.load import load
from jobs.migrate import bring_to, changing_schema, head, upgrade
from jobs.store import JobStore

LABEL = StudyLabel("1.2", "Doe, Jane=ドウ", "ID-1", "ACC-1", "20260102", "SIEMENS Vida")


@pytest.fixture
def job(store, arrivals):
    store.record_instances(arrivals("1.2"))
    store.open_revision("1.2", "d" * 64)
    return store.claim("w", 30)


def test_a_label_is_kept_and_replaced_by_a_later_one(store, job):
    assert store.label("1.2") is None
    store.keep_label(job, LABEL)
    assert store.label("1.2") == LABEL
    other = StudyLabel("1.2", "Doe, John")
    store.keep_label(job, other)
    assert store.label("1.2") == other


def test_only_the_holder_of_the_job_writes_it(store, job, clock):
    clock.forward(31)
    store.claim("another", 30)
    with pytest.raises(LeaseLost):
        store.keep_label(job, LABEL)
    assert store.label("1.2") is None


def test_damaged_headers_are_kept_as_far_as_they_are_texts(store, job):
    store.keep_label(job, StudyLabel("1.2", "A\x00B", "x" * 1000, " ACC ", "2026-01-02"))
    kept = store.label("1.2")
    assert kept == StudyLabel("1.2", "AB", "x" * 400, "ACC", "")


def test_all_can_be_forgotten(store, job):
    store.keep_label(job, LABEL)
    assert store.forget_labels() == 1
    assert store.label("1.2") is None
    assert store.forget_labels() == 0


def test_neither_a_label_nor_an_event_shows_it(store, job):
    store.keep_label(job, LABEL)
    shown = repr(store.label("1.2")) + repr(store.events(job.id))
    for value in ("Doe", "ID-1", "ACC-1", "20260102", "Vida"):
        assert value not in shown


def test_names_are_folded_for_search():
    assert folded("  MÜLLER^Jörg=ミュラー ") == folded("muller jorg ミュラー")
    assert folded("O'Brien, Zoë") == "o'brien zoe"


def test_a_backup_has_it_and_gives_it_back(store, database, job, tmp_path, empty_copy):
    store.keep_label(job, LABEL)
    made = dump(database, tmp_path)
    (row,) = dumped_rows(tmp_path, "study_labels")
    assert row["patient_name"] == LABEL.patient_name
    load(empty_copy, tmp_path, made.schema)
    with JobStore(empty_copy) as restored:
        assert restored.label("1.2") == LABEL
        assert len(restored.listed(StudyQuery(text="jane")).studies) == 1


@pytest.fixture
def empty_copy(tmp_path):
    return f"sqlite:///{tmp_path / 'copy.sqlite'}"


def test_summaries_of_the_schema_before_are_listed_by_their_numbers(empty_database):
    with changing_schema(empty_database) as connection:
        bring_to(connection, "0003")
    summary = {"tdv_ml": 7.5, "coverage_status": "partial", "quality": [{"severity": "warning"}]}
    at = "2026-01-01 12:00:00.000000"
    statements = (
        ("INSERT INTO studies VALUES ('1.2', 1, 1, 1, :at, :at, :at)", {"at": at}),
        (
            """INSERT INTO jobs (id, study_uid, revision, input_digest, state, progress, attempt,
            max_attempts, fence, created_at, updated_at, priority)
            VALUES ('a', '1.2', 1, 'd', 'delivered', 1, 1, 3, 1, :at, :at, 0)""",
            {"at": at},
        ),
        ("INSERT INTO summaries VALUES ('a', :text)", {"text": json.dumps(summary)}),
    )
    engine = make_engine(empty_database)
    with engine.begin() as connection:
        for statement, values in statements:
            connection.execute(text(statement), values)
    engine.dispose()
    assert upgrade(empty_database) == head()
    with JobStore(empty_database) as store:
        for flag in (Flag.PARTIAL, Flag.WARNING):
            (one,) = store.listed(StudyQuery(flag=flag)).studies
            assert one.summary == summary
        assert store.listed(StudyQuery(flag=Flag.BEYOND_LIMIT)).studies == ()
