import json
from dataclasses import replace

import pytest
from fastapi.routing import iter_route_contexts

from jobs.audit import AuditEntry
from jobs.errors import StoreUnavailable
from service.access.events import EVENTS, ROUTES, event_of
from tests.service.access.conftest import ELSEWHERE, assert_problem


def told(store):
    return [(row.event, row.outcome, row.study_uid, row.job_id) for row in store.audit()]


def test_who_saw_what_is_recorded_once_a_minute(browse, token, store, delivered):
    client = browse(token("viewer", name="ward 3"))
    uid = delivered.study_uid
    for _ in range(3):
        client.get(f"/api/v1/studies/{uid}")
        client.get(f"/api/v1/jobs/{delivered.id}")
    client.get("/api/v1/studies")
    assert told(store) == [
        ("study_view", "success", uid, None),
        ("study_view", "success", uid, delivered.id),
        ("study_list", "success", None, None),
    ]
    row = store.audit()[0]
    (made,) = store.tokens()
    assert (row.actor, row.role, row.address) == (f"ward 3 [{made.id}]", "viewer", ELSEWHERE[0])
    browse(token("viewer", name="ward 4")).get(f"/api/v1/studies/{uid}")
    assert store.audit()[-1].actor.startswith("ward 4")


def test_downloads_and_changes_are_recorded_and_pictures_are_views(browse, token, store, delivered):
    client = browse(token("operator"))
    uid, job = delivered.study_uid, delivered.id
    for name in ("seg_1.dcm", "seg_1.dcm", "mip_coronal.png", "measurements.json"):
        assert client.get(f"/api/v1/jobs/{job}/results/{name}").status_code == 200
    assert client.post(f"/api/v1/studies/{uid}/reprocess").status_code == 202
    assert client.post(f"/api/v1/jobs/{job}/retry").status_code == 409
    assert told(store) == [
        ("result_download", "success", uid, job),
        ("study_view", "success", uid, job),
        ("reprocess", "success", uid, None),
        ("retry", "failed", uid, job),
    ]
    assert store.audit()[0].detail == "seg_1.dcm"


def test_every_study_of_a_batch_is_recorded(browse, token, store, delivered, rejected):
    client = browse(token("operator"))
    chosen = [delivered.study_uid, rejected.study_uid]
    assert client.post("/chosen/reprocess", data={"study": chosen}).status_code == 200
    assert [(row.event, row.study_uid) for row in store.audit()] == [
        ("reprocess", uid) for uid in chosen
    ]


def test_what_is_not_there_was_not_seen(browse, token, store):
    browse(token()).get("/api/v1/studies/1.2.3")
    browse(token(name="b")).get(f"/api/v1/jobs/{'0' * 32}/results/x")
    assert store.audit() == ()


def test_sign_ins_and_refusals_are_recorded_without_what_was_given(browse, token, store):
    secret = token("viewer")
    client = browse()
    client.post("/sign-in", data={"token": "osteon_wrong"})
    client.post("/sign-in", data={"token": secret})
    client.post("/api/v1/tokens", json={"name": "x"}, headers={"Authorization": "Bearer none"})
    assert_problem(client.get("/api/v1/audit"), 403, "ROLE")
    rows = store.audit()
    assert [(row.event, row.outcome, row.actor) for row in rows] == [
        ("sign_in", "refused", "unknown"),
        ("sign_in", "success", "a viewer"),
        ("sign_in", "refused", "unknown"),
        ("denied", "refused", "a viewer"),
    ]
    written = json.dumps([row.__dict__ for row in rows], default=str)
    assert secret not in written
    assert "osteon_wrong" not in written


def test_tokens_that_are_made_and_ended_are_recorded(browse, token, store):
    admin = browse(token("admin"))
    made = admin.post("/api/v1/tokens", json={"name": "RIS", "role": "operator"}).json()
    admin.delete(f"/api/v1/tokens/{made['id']}")
    assert [(row.event, row.detail) for row in store.audit()] == [
        ("token_create", f"operator token {made['id']}"),
        ("token_revoke", f"token {made['id']}"),
    ]


def test_what_cannot_be_recorded_is_not_answered(browse, token, store, delivered, monkeypatch):
    def away(_entry):
        message = "the database does not answer"
        raise StoreUnavailable(message)

    client = browse(token())
    with monkeypatch.context() as broken:
        broken.setattr(store, "record_audit", away)
        answer = client.get(f"/api/v1/jobs/{delivered.id}/results/seg_1.dcm")
        assert_problem(answer, 503, "STORE_UNAVAILABLE")
        assert b"DICM" not in answer.content
        assert client.get(f"/api/v1/studies/{delivered.study_uid}").status_code == 503
        assert client.get("/livez").status_code == 200
    assert client.get(f"/api/v1/studies/{delivered.study_uid}").status_code == 200
    assert told(store) == [("study_view", "success", delivered.study_uid, None)]


def test_admins_read_the_audit_page_by_page(browse, token, store):
    for number in range(5):
        store.record_audit(AuditEntry("retry", "success", f"n{number}", "operator", "192.0.2.1"))
    admin = browse(token("admin"))
    first = admin.get("/api/v1/audit", params={"limit": 3}).json()
    assert [row["actor"] for row in first["items"]] == ["n0", "n1", "n2"]
    rest = admin.get("/api/v1/audit", params={"limit": 3, "after": first["next"]}).json()
    # The first look was recorded too: reading the audit is an event (PS3.15 A.5.3.2).
    assert [row["event"] for row in rest["items"]] == ["retry", "retry", "audit_read"]


def test_the_audit_is_exported_as_lines_that_prove_themselves(browse, token, store):
    for actor in ("one", "two\u2028three", "ä<&>"):
        store.record_audit(AuditEntry("retry", "success", actor, "operator", "192.0.2.1"))
    answer = browse(token("admin")).get("/api/v1/audit/export")
    rows = [json.loads(line) for line in answer.text.split("\n")[:-1]]
    assert [row["actor"] for row in rows][:3] == [
        "one",
        "two\N{REPLACEMENT CHARACTER}three",
        "ä<&>",
    ]
    assert [row["previous"] for row in rows[1:]] == [row["digest"] for row in rows[:-1]]
    assert "attachment" in answer.headers["content-disposition"]


def test_every_event_of_a_route_is_one_that_can_be_written_as_a_message():
    assert {event for event in ROUTES.values() if event is not None} <= set(EVENTS)


def test_every_route_that_has_an_event_is_there(application):
    assert set(ROUTES) - {route.name for route in iter_route_contexts(application.routes)} == set()


def test_a_route_that_nobody_thought_of_is_recorded():
    assert event_of("new_thing", "POST", {}) == "change"
    assert event_of("new_page", "GET", {"study_uid": "1.2"}) == "study_view"
    assert event_of("new_page", "GET", {}) is None
    assert event_of("sign_in_callback", "GET", {}) is None


def test_an_entry_that_was_changed_is_found(store):
    for number in range(3):
        store.record_audit(AuditEntry("retry", "success", f"n{number}", "operator", "192.0.2.1"))
    row = store.audit()[1]
    assert row.proven() == row.digest
    for change in ({"actor": "x"}, {"id": 9}, {"detail": "x"}, {"previous": "0" * 64}):
        assert replace(row, **change).proven() != row.digest


@pytest.mark.parametrize("study_uid", ["1.2.3", None])
def test_names_of_patients_cannot_come_in_by_an_address(browse, token, store, study_uid):
    browse(token("operator")).post(f"/api/v1/studies/DOE^JANE{study_uid or ''}/reprocess")
    assert "DOE" not in json.dumps([row.__dict__ for row in store.audit()], default=str)
