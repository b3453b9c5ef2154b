from contextlib import contextmanager

import pytest
from sqlalchemy import event

from jobs.job import Failure, JobState, Stage
from jobs.listing import ARRIVING
from report.rounding import present
from service.access.caller import Role
from service.access.rules import role_for
from service.console.asked import STATES
from service.naming import Naming
from tests.service.console.html_tree import read

DASH = present(None, 0)


def rows_of(page):
    return {row.attributes["data-study"]: row for row in read(page).all(testid="study-row")}


def cell(row, name):
    return row.one(testid=name).text


def test_a_measured_study_shows_numbers_changes_and_flags(client, deliver):
    changes = {
        "tdv": {"percent": 95.4, "call": "up"},
        "gadc": {"percent": -3.2, "call": "within"},
        "beyond_limit": True,
    }
    quality = [{"severity": "warning"}, {"severity": "info"}, {"severity": "warning"}]
    deliver(1, "Doe^Jane", follow_up=changes, quality=quality, coverage_status="partial")
    row = rows_of(client.get("/").text)["2.25.100"]
    assert [cell(row, n) for n in ("tdv", "tdv-change", "gadc", "gadc-change")] == [
        "12.3",
        "+95 % ▲",
        "802",
        "-3 %",
    ]
    assert cell(row, "flags") == "beyond limit partial body 2 warnings"
    assert [cell(row, n) for n in ("date", "patient", "patient-id", "accession", "state")] == [
        "2026-01-02",
        "Doe^Jane",
        "ID-1",
        "ACC-1",
        "delivered",
    ]
    assert row.one(testid="patient").one("a").attributes["href"] == "/studies/2.25.100"


def test_what_is_not_known_is_a_dash_and_a_study_without_a_name_has_the_end_of_its_uid(
    client, arrive
):
    arrive(1)
    arrive(1)
    row = rows_of(client.get("/").text)["2.25.100"]
    assert [cell(row, n) for n in ("tdv", "tdv-change", "patient-id", "date")] == [DASH] * 4
    assert cell(row, "patient") == "Study …2.25.100"
    assert (cell(row, "state"), cell(row, "doing")) == ("arriving", "2 images in 1 series")


def test_a_running_study_shows_stage_percent_and_time_left(client, store, begin, queue):
    """Two stages of 2 s and 6 s are known; half of the second is 5 of 8 s done."""
    for number in (1, 2):
        job = begin(number)
        store.leave_stage(job, Stage.READ, 2.0)
        store.enter_stage(job, Stage.ANATOMY)
        store.leave_stage(job, Stage.ANATOMY, 6.0)
        store.deliver(job)
    job = begin(3)
    store.enter_stage(job, Stage.ANATOMY)
    store.progress(job, 0.5)
    queue(4)
    queue(5)
    rows = rows_of(client.get("/").text)
    assert "about 3 s left" in cell(rows["2.25.300"], "doing")
    assert cell(rows["2.25.300"], "doing").startswith("anatomy ")
    bar = rows["2.25.300"].one("progress").attributes
    assert 0 < int(bar["value"]) < 100
    assert cell(rows["2.25.400"], "doing") == "number 1 in the queue"
    assert cell(rows["2.25.500"], "doing") == "number 2 in the queue"


def test_what_went_wrong_stands_in_the_row_and_above_the_list(client, store, begin):
    store.fail(begin(1), Failure("INTERNAL", "a <b>defect</b>", Stage.READ))
    store.hold(begin(2), Failure("PEER_REFUSED", "the PACS refused it"))
    page = read(client.get("/").text)
    rows = {row.attributes["data-study"]: row for row in page.all(testid="study-row")}
    assert cell(rows["2.25.100"], "failure") == "a <b>defect</b> INTERNAL"
    assert page.one(testid="count-failed").text == "failed 1"
    assert page.one(testid="count-delivered").text == "delivered 0"
    assert "not measured" in page.one(testid="alert-OsteonWorkerGone").text
    assert list(page.all(testid="alert-OsteonJobHeld")) == []  # its row says so
    store.tell_worker("test", "0.1.0", 60.0)
    page = read(client.get("/").text)
    assert [e for e in page.all() if e.attributes.get("data-testid", "").startswith("alert-")] == []


def test_the_list_is_narrowed_by_state_flag_and_day(client, store, deliver, begin):
    deliver(1, coverage_status="partial")
    store.fail(begin(2), Failure("INTERNAL", "a defect"))
    deliver(3, "Roe^Rita")
    assert set(rows_of(client.get("/?state=failed").text)) == {"2.25.200"}
    assert set(rows_of(client.get("/?state=failed&state=delivered").text)) == {
        "2.25.100",
        "2.25.200",
        "2.25.300",
    }
    assert set(rows_of(client.get("/?flag=partial").text)) == {"2.25.100"}
    assert set(rows_of(client.get("/?until=2025-12-31").text)) == set()
    assert len(rows_of(client.get("/?since=2026-01-01&until=2026-01-01").text)) == 3
    by_study = "/?dated_by=study&since=2026-01-02&until=2026-01-02"
    assert set(rows_of(client.get(by_study).text)) == {"2.25.300"}
    none = read(client.get("/?state=held").text).one(testid="none-fits")
    assert none.one("a").attributes["href"] == "/"


def test_a_name_is_sought_by_a_form_and_stands_in_no_address(client, deliver):
    deliver(1, "Doe^Jane")
    deliver(2, "Roe^Rita")
    answer = client.post("/find", data={"text": "doe", "sort": "arrival", "flag": "", "since": ""})
    assert answer.status_code == 200
    assert set(rows_of(answer.text)) == {"2.25.100"}
    page = read(answer.text)
    addresses = [e.attributes[n] for e in page.all() for n in ("href", "src") if n in e.attributes]
    assert [one for one in addresses if "doe" in one.lower()] == []
    assert page.one("input", id="text").attributes["value"] == "doe"
    by_htmx = client.post("/find", data={"text": "doe"}, headers={"HX-Request": "true"})
    assert by_htmx.headers["HX-Replace-Url"] == "/"
    assert "Doe" not in page.one("title").text


def test_a_form_without_a_text_leads_to_an_address_that_can_be_kept(client, deliver):
    deliver(1)
    given = {"text": " ", "state": "failed", "show": "delivered", "sort": ["arrival", "tdv"]}
    answer = client.post("/find", data=given, follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/?state=delivered&sort=tdv"
    everything = client.post("/find", data={"state": "failed", "show": "all"})
    assert str(everything.url).endswith("/")
    assert len(rows_of(everything.text)) == 1


def test_who_may_not_see_names_sees_initials_and_does_not_find_by_them(client, site, deliver):
    deliver(1, "Doe^Jane")
    object.__setattr__(site, "naming", Naming("nobody"))
    row = rows_of(client.get("/").text)["2.25.100"]
    assert cell(row, "patient") == "D. J."
    assert (cell(row, "patient-id"), cell(row, "accession")) == (DASH, DASH)
    assert rows_of(client.post("/find", data={"text": "doe"}).text) == {}
    assert set(rows_of(client.post("/find", data={"text": "2.25.100"}).text)) == {"2.25.100"}
    assert client.get("/?AccessionNumber=ACC-1", follow_redirects=False).status_code == 404
    table = client.post("/chosen/csv", data={"study": "2.25.100"}).text
    assert "Doe" not in table
    assert "ACC-1" not in table


def test_a_name_that_is_markup_is_inert(client, deliver):
    deliver(1, "<script>alert('1')</script>")
    answer = client.get("/")
    assert "<script>" not in answer.text
    assert cell(rows_of(answer.text)["2.25.100"], "patient") == "<script>alert('1')</script>"


def test_pages_follow_each_other_without_a_gap(client, deliver):
    for number in range(1, 6):
        deliver(number)
    seen, url = [], "/?limit=2"
    while url:
        page = read(client.get(url).text)
        seen += [row.attributes["data-study"] for row in page.all(testid="study-row")]
        button = next(page.all(testid="next-page"), None)
        cursor = button.attributes["value"] if button else None
        given = {"limit": "2", "cursor": cursor}
        answer = client.post("/find", data=given, follow_redirects=False) if cursor else None
        url = answer.headers["location"] if answer else None
    assert seen == [f"2.25.{number}00" for number in (5, 4, 3, 2, 1)]


def test_the_pacs_points_at_a_study_by_uid_or_accession_number(client, deliver):
    deliver(1, "Doe^Jane")
    deliver(11, "Roe^Rita")

    def leads_to(query):
        return client.get(f"/?{query}", follow_redirects=False).headers.get("location")

    assert leads_to("StudyInstanceUID=2.25.100") == "/studies/2.25.100"
    assert leads_to("AccessionNumber=ACC-1") == "/studies/2.25.100"
    assert leads_to("accessionnumber=ACC-11") == "/studies/2.25.1100"
    for unknown in ("StudyInstanceUID=2.25.9", "AccessionNumber=ACC", "AccessionNumber=Doe"):
        assert client.get(f"/?{unknown}").json()["code"] == "UNKNOWN_STUDY"


def test_an_empty_service_says_how_to_send(client):
    empty = read(client.get("/").text).one(testid="empty")
    assert "Nothing has arrived yet" in empty.text
    lines = [code.text for code in empty.all("code")]
    assert lines == [
        "storescu -aec OSTEON 127.0.0.1 11112 +sd +r FOLDER",
        "osteon send FOLDER --to OSTEON@127.0.0.1:11112",
    ]


@contextmanager
def statements(store):
    found = []

    def note(_connection, _cursor, text, *_more):
        found.append(text)

    event.listen(store._engine, "before_cursor_execute", note)
    yield found
    event.remove(store._engine, "before_cursor_execute", note)


def test_more_studies_take_no_more_statements(client, store, begin, queue, arrive):
    """One of every state costs what forty cost: nothing is asked for each row."""

    def some(start, number):
        for n in range(start, start + number):
            store.fail(begin(4 * n), Failure("INTERNAL", "a defect"))
            begin(4 * n + 1, "Doe^Jane")
            queue(4 * n + 2)
            arrive(4 * n + 3)

    some(1, 1)
    client.get("/?limit=200")  # the pace of the stages is asked for once a minute
    with statements(store) as few:
        client.get("/?limit=200")
    some(2, 10)
    with statements(store) as many:
        page = client.get("/?limit=200")
    assert len(rows_of(page.text)) == 44
    assert len(many) == len(few)
    assert len(many) < 40


def test_chosen_studies_are_tried_and_measured_again_and_sent(client, site, store, deliver, begin):
    told = []
    object.__setattr__(site, "submit", told.append)
    failed = begin(1)
    store.fail(failed, Failure("INTERNAL", "a defect"))
    delivered = deliver(2)
    chosen = {"study": [failed.study_uid, delivered.study_uid, "2.25.9"]}
    page = read(client.post("/chosen/retry", data=chosen).text)
    done = [chip.text for chip in page.one(testid="outcomes").all("span")]
    assert done == ["done", "not done", "not done"]
    assert store.job(failed.id).state is JobState.QUEUED
    page = read(client.post("/chosen/reprocess", data={"study": delivered.study_uid}).text)
    assert "queued as revision 2" in page.one(testid="outcomes").text
    assert len(told) == 2
    page = read(client.post("/chosen/send", data={"study": "2.25.9"}).text)
    assert "still arrives" in page.one(testid="outcomes").text
    assert list(read(client.post("/chosen/retry").text).all(testid="none-chosen"))


def test_chosen_studies_as_a_table_with_no_formula_in_it(client, deliver, arrive):
    deliver(1, "+cmd()", follow_up={"tdv": {"percent": 95.44, "call": "up"}})
    deliver(2)
    arrive(3)
    answer = client.post("/chosen/csv", data={"study": ["2.25.100", "2.25.300"]})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert "osteon_studies.csv" in answer.headers["content-disposition"]
    head, *lines = answer.text.split("\r\n")[:-1]
    rows = [dict(zip(head.split(","), line.split(","), strict=True)) for line in lines]
    assert [row["study_uid"] for row in rows] == ["2.25.300", "2.25.100"]
    assert (rows[0]["state"], rows[0]["tdv_ml"]) == ("arriving", "")
    assert (rows[1]["tdv_ml"], rows[1]["tdv_change_percent"]) == ("12.34", "95.44")
    assert rows[1]["patient_name"] == "'+cmd()"


@pytest.mark.parametrize("name", ["studies.html", "study_row.html", "page.html"])
def test_pages_name_no_patient_in_title_or_address(name):
    from service.console.frame import environment  # noqa: PLC0415

    source = environment().loader.get_source(environment(), name)[0]
    titles = [part.split("{% endblock")[0] for part in source.split("{% block title %}")[1:]]
    assert [title for title in titles if "named" in title or "patient" in title] == []
    assert 'href="{{ row.named' not in source


def test_the_states_of_the_filter_are_those_of_the_record():
    assert (ARRIVING, *JobState) == STATES


@pytest.mark.parametrize(
    ("path", "role"),
    [
        ("/find", Role.VIEWER),
        ("/chosen/csv", Role.VIEWER),
        ("/chosen/retry", Role.OPERATOR),
        ("/chosen/send", Role.OPERATOR),
        ("/chosen/reprocess", Role.OPERATOR),
    ],
)
def test_a_reader_may_search_and_take_a_table_and_nothing_else(path, role):
    assert role_for("POST", path) is role


def test_an_older_revision_says_that_more_images_arrive(client, deliver, arrive):
    deliver(1)
    assert list(read(client.get("/").text).all(testid="more-arrives")) == []
    arrive(1)
    assert read(client.get("/").text).one(testid="more-arrives").text == "more images arrive"
