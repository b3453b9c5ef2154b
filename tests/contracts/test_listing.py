"""The list of studies: the same body over SQLite and PostgreSQL."""

import base64
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import event

from jobs.errors import CursorInvalid
from jobs.job import JobState
from jobs.labels import StudyLabel
from jobs.listing import ARRIVING, DatedBy, Flag, StudyQuery
from jobs.place import Sort

DAY = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def arrive(store, arrivals, clock):
    """Let a study arrive, a minute after the one before, and stay open."""

    def arrived(number):
        clock.forward(60)
        uid = f"1.2.{number}"
        store.record_instances(arrivals(uid, 2, 10 * number + 1))
        return uid

    return arrived


@pytest.fixture
def measure(store, arrive):
    """Let a study be measured; gives its job."""

    def measured(number, tdv_ml=None, label=None, **summary):
        uid = arrive(number)
        store.open_revision(uid, f"{number:064x}")
        job = store.claim("w", 600)
        if label is not None:
            store.keep_label(job, StudyLabel(uid, **label))
        store.keep_summary(job, {"tdv_ml": tdv_ml, **summary})
        store.deliver(job)
        return job

    return measured


def uids(page):
    return [one.study.uid for one in page.studies]


def listed(store, **query):
    return uids(store.listed(StudyQuery(**query)))


def walk(store, **query):
    """Every page after the other; yields their UIDs."""
    cursor = None
    while True:
        page = store.listed(StudyQuery(cursor=cursor, **query))
        yield uids(page)
        cursor = page.next
        if cursor is None:
            return


def test_a_study_is_listed_with_its_newest_job_its_numbers_and_its_name(store, measure, arrivals):
    first = measure(1, 12.5, {"patient_name": "Doe, Jane"})
    store.record_instances(arrivals("1.2.1", 1, 900))
    store.open_revision("1.2.1", "f" * 64)
    (one,) = store.listed(StudyQuery()).studies
    assert (one.study.uid, one.study.n_instances, one.study.revision) == ("1.2.1", 3, 2)
    assert one.job is not None
    assert (one.job.revision, one.job.state) == (2, JobState.QUEUED)
    assert one.summary is None  # the newer revision was not measured yet
    assert one.label is not None
    assert one.label.patient_name == "Doe, Jane"
    assert store.summary(first.id) == {"tdv_ml": 12.5}


def test_a_study_that_arrives_has_neither_job_nor_name(store, arrive):
    arrive(1)
    (one,) = store.listed(StudyQuery()).studies
    assert (one.job, one.summary, one.label) == (None, None, None)


def test_pages_stay_right_while_studies_arrive(store, arrive):
    there = [arrive(number) for number in range(1, 8)]
    seen = []
    for number, page in enumerate(walk(store, limit=2), start=50):
        seen += page
        arrive(number)  # above everything that was there
    assert seen == there[::-1]


def test_a_study_that_moves_up_is_not_seen_twice_and_hides_nothing(store, arrive, arrivals, clock):
    there = [arrive(number) for number in range(1, 5)]
    first = store.listed(StudyQuery(limit=2))
    clock.forward(60)
    store.record_instances(arrivals(there[2], 1, 900))  # the last study of that page
    rest = store.listed(StudyQuery(limit=2, cursor=first.next))
    assert uids(first) + uids(rest) == there[::-1]


def test_equal_places_are_told_apart_by_uid(store, arrivals):
    for uid in ("1.2.3", "1.2.1", "1.2.2"):
        store.record_instances(arrivals(uid, 1))
    assert list(walk(store, limit=1)) == [["1.2.3"], ["1.2.2"], ["1.2.1"]]


def test_every_order_goes_through_everything_once_and_ends_with_what_has_no_value(
    store, measure, arrive
):
    measure(1, 5.0, {"study_date": "20260301"})
    measure(2, 80.0, {"study_date": "20260101"})
    measure(3, 80.0, {"study_date": "20260201"})
    arrive(4)
    measure(5)

    def through(sort):
        return [uid for page in walk(store, limit=2, sort=sort) for uid in page]

    assert through(Sort.ARRIVAL) == ["1.2.5", "1.2.4", "1.2.3", "1.2.2", "1.2.1"]
    assert through(Sort.TDV) == ["1.2.3", "1.2.2", "1.2.1", "1.2.5", "1.2.4"]
    assert through(Sort.STUDY_DATE) == ["1.2.1", "1.2.3", "1.2.2", "1.2.5", "1.2.4"]


def test_a_cursor_is_of_one_order_and_says_nothing_of_the_patient(store, measure):
    for number in (1, 2):
        measure(number, 1.0, {"study_date": "20260301", "patient_name": "ZEBRAFINCH"})
    for sort in Sort:
        cursor = store.listed(StudyQuery(limit=1, sort=sort)).next
        assert cursor is not None
        text = base64.urlsafe_b64decode(cursor + "==").decode()
        assert "20260301" not in text
        assert "ZEBRA" not in text
        for other in set(Sort) - {sort}:
            with pytest.raises(CursorInvalid):
                store.listed(StudyQuery(sort=other, cursor=cursor))


def written(text):
    return base64.urlsafe_b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "%",
        "ä",
        "AAAA",
        written("[]"),
        written('["arrival"]'),
        written('["arrival","yesterday","1.2"]'),
        written('["arrival","2026-01-01T00:00:00","1.2"]'),
        written('["arrival","2026-01-01T00:00:00+00:00",7]'),
        written('["arrival",null,"1.2"]'),
        written('{"sort":"arrival"}'),
        written('["arrival","2026-01-01T00:00:00+00:00","1.2\\u0000"]'),
        written("7"),
        written("[" * 5000),
    ],
)
def test_what_is_no_cursor_is_refused(store, cursor):
    with pytest.raises(CursorInvalid):
        store.listed(StudyQuery(cursor=cursor))


@pytest.mark.parametrize("number", ["NaN", "Infinity", '"x"', "null"])
def test_a_place_that_is_no_number_is_refused(store, number):
    with pytest.raises(CursorInvalid):
        store.listed(StudyQuery(sort=Sort.TDV, cursor=written(f'["tdv",{number},"1.2"]')))


def test_words_are_sought_in_what_names_a_study(store, measure):
    measure(
        1,
        label={
            "patient_name": "Müller, Jörg Maria",
            "patient_id": "HOSP-4711",
            "accession_number": "ACC_0815",
            "scanner": "SIEMENS Vida",
        },
    )
    measure(2, label={"patient_name": "Doe, Jane", "accession_number": "ACCX0815"})
    assert listed(store, text="muller") == ["1.2.1"]
    assert listed(store, text="MÜLLER jorg") == ["1.2.1"]
    assert listed(store, text="maria 4711") == ["1.2.1"]
    assert listed(store, text="vida") == ["1.2.1"]
    assert listed(store, text="acc_0815") == ["1.2.1"]  # _ is no wildcard
    assert listed(store, text="%") == []
    assert listed(store, text="doe^jane") == ["1.2.2"]
    assert listed(store, text="muller jane") == []
    assert listed(store, text="  ") == ["1.2.2", "1.2.1"]


def test_who_may_not_see_names_does_not_find_by_them(store, measure):
    job = measure(1, label={"patient_name": "Doe, Jane"})
    measure(2)
    assert listed(store, text="jane", by_label=False) == []
    assert listed(store, text="1.2.2", by_label=False) == ["1.2.2"]
    assert listed(store, text=job.id[:8], by_label=False) == ["1.2.1"]


def test_by_state_of_the_newest_job(store, measure, arrive):
    measure(1)
    store.open_revision(arrive(2), "2" * 64)
    arrive(3)
    assert listed(store, states=frozenset({JobState.DELIVERED})) == ["1.2.1"]
    assert listed(store, states=frozenset({JobState.QUEUED})) == ["1.2.2"]
    assert listed(store, states=frozenset({ARRIVING})) == ["1.2.3"]
    assert listed(store, states=frozenset({ARRIVING, "queued"})) == ["1.2.3", "1.2.2"]
    assert listed(store, states=frozenset({JobState.HELD})) == []


def test_by_flag(store, measure):
    measure(1, 1.0, coverage_status="partial")
    measure(2, 1.0, coverage_status="complete", quality=[{"severity": "info"}])
    measure(3, 1.0, quality=[{"severity": "info"}, {"severity": "warning"}])
    measure(4, 1.0, follow_up={"beyond_limit": True})
    measure(5, 1.0, follow_up={"beyond_limit": False})
    assert listed(store, flag=Flag.PARTIAL) == ["1.2.1"]
    assert listed(store, flag=Flag.WARNING) == ["1.2.3"]
    assert listed(store, flag=Flag.BEYOND_LIMIT) == ["1.2.4"]


def test_a_summary_that_replaces_another_takes_its_flags_away(store, arrive):
    store.open_revision(arrive(1), "1" * 64)
    job = store.claim("w", 60)
    store.keep_summary(job, {"tdv_ml": 1.0, "coverage_status": "partial"})
    store.keep_summary(job, {"tdv_ml": 2.0, "coverage_status": "complete"})
    assert listed(store, flag=Flag.PARTIAL) == []


def test_by_arrival(store, arrive):
    for number in (1, 2, 3):
        arrive(number)  # 12:01, 12:02, 12:03
    two = DAY + timedelta(minutes=2)
    assert listed(store, since=two) == ["1.2.3", "1.2.2"]
    assert listed(store, until=two) == ["1.2.1"]
    assert listed(store, since=two, until=two + timedelta(seconds=1)) == ["1.2.2"]


def test_times_at_either_end_of_the_calendar(store, measure):
    measure(1, label={"patient_name": "\x00"})
    first = datetime.min.replace(tzinfo=timezone(timedelta(hours=14)))
    last = datetime.max.replace(tzinfo=timezone(timedelta(hours=-12)))
    assert listed(store, since=first, until=last) == ["1.2.1"]
    by = {"dated_by": DatedBy.STUDY}
    assert listed(store, since=first, until=last, **by) == []
    assert listed(store, text="\x00") == ["1.2.1"]
    with pytest.raises(ValueError, match="zone"):
        listed(store, since=first.replace(tzinfo=None))


def test_by_study_date_both_days_counted(store, measure, arrive):
    for number, date in enumerate(("20251231", "20260101", "20260102"), start=1):
        measure(number, label={"study_date": date})
    arrive(4)
    by = {"dated_by": DatedBy.STUDY}
    assert listed(store, since=DAY, **by) == ["1.2.3", "1.2.2"]
    assert listed(store, until=DAY, **by) == ["1.2.2", "1.2.1"]
    assert listed(store, since=DAY, until=DAY, **by) == ["1.2.2"]


def test_a_page_is_one_statement(store, measure):
    for number in range(1, 6):
        measure(number, 1.0, {"patient_name": "Doe"})
    said = []
    listen = (store._engine, "before_cursor_execute", lambda *given: said.append(given[2]))
    event.listen(*listen)
    first = store.listed(StudyQuery(limit=2, text="doe"))
    store.listed(StudyQuery(limit=2, text="doe", cursor=first.next))
    event.remove(*listen)
    asked = [statement for statement in said if statement.startswith("SELECT studies")]
    assert len(asked) == 2
    # PostgreSQL's pool tries a connection with SELECT 1 before it lends it.
    assert set(said) - set(asked) <= {"BEGIN", "SELECT 1"}


def test_nothing_of_it_shows_a_name(store, measure):
    measure(1, label={"patient_name": "ZEBRAFINCH", "patient_id": "ZF", "study_date": "20260301"})
    query = StudyQuery(text="zebrafinch")
    page = store.listed(query)
    assert len(page.studies) == 1
    assert "zebra" not in (repr(page) + repr(query)).lower()
    assert "20260301" not in repr(page)


def test_a_page_has_at_least_one_and_at_most_five_hundred(store, arrive):
    arrive(1)
    arrive(2)
    assert listed(store, limit=0) == ["1.2.2"]
    assert listed(store, limit=10**9) == ["1.2.2", "1.2.1"]
