import re

import pytest

from service.access.caller import Role
from service.access.issuing import issue_token
from tests.service.access.conftest import assert_problem


def test_a_token_is_told_once_and_listed_without_it(browse, token):
    admin = browse(token("admin"))
    answer = admin.post("/api/v1/tokens", json={"name": "RIS", "role": "operator", "days": 30})
    made = answer.json()
    assert answer.status_code == 201
    assert re.fullmatch(r"osteon_[\w-]{43}", made["token"])
    assert answer.headers["cache-control"] == "no-store"
    listed = admin.get("/api/v1/tokens")
    assert made["token"] not in listed.text
    row = next(row for row in listed.json() if row["id"] == made["id"])
    assert (row["name"], row["role"], row["used_at"]) == ("RIS", "operator", None)
    assert (row["created_by"], row["revoked_at"]) == ("a admin", None)
    assert browse(made["token"]).get("/api/v1/jobs").status_code == 200
    row = next(row for row in admin.get("/api/v1/tokens").json() if row["id"] == made["id"])
    assert row["used_at"] is not None


def test_a_revoked_token_ends_at_once(browse, token, store):
    admin, secret = browse(token("admin")), token("operator")
    row = next(row for row in store.tokens() if row.role == "operator")
    answer = admin.delete(f"/api/v1/tokens/{row.id}")
    assert (answer.status_code, answer.json()["revoked_at"] is None) == (200, False)
    assert_problem(browse(secret).get("/api/v1/jobs"), 401, "TOKEN_NOT_VALID")
    again = admin.delete(f"/api/v1/tokens/{row.id}")
    assert again.json()["revoked_at"] == answer.json()["revoked_at"]
    assert_problem(admin.delete(f"/api/v1/tokens/{'0' * 16}"), 404, "UNKNOWN_TOKEN")


def test_an_expired_token_opens_nothing(browse, token):
    assert_problem(browse(token(days=1e-9)).get("/api/v1/jobs"), 401, "TOKEN_NOT_VALID")


@pytest.mark.parametrize(
    "asked",
    [{}, {"name": ""}, {"name": " "}, {"name": "x", "role": "root"}, {"name": "x", "days": 0}],
)
def test_a_token_that_cannot_be_is_refused(browse, token, asked):
    assert_problem(browse(token("admin")).post("/api/v1/tokens", json=asked), 422, "NOT_VALID")


def test_two_tokens_are_never_alike(store):
    made = {issue_token(store, "x", Role.VIEWER, "a test", None)[0] for _ in range(50)}
    assert len(made) == 50


@pytest.mark.parametrize(("name", "days"), [("", 1), ("  ", 1), ("x", 0), ("x", -1), ("x", 1e6)])
def test_what_is_asked_of_a_token_is_checked(store, name, days):
    with pytest.raises(ValueError, match="a token"):
        issue_token(store, name, Role.VIEWER, "a test", days)


def test_roles_are_in_order_and_named():
    assert [str(role) for role in sorted(Role)] == ["viewer", "operator", "admin"]
    assert Role.named("admin") is Role.ADMIN
    with pytest.raises(ValueError, match="no role"):
        Role.named("root")
