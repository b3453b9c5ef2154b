"""A person without a token gets nothing off loopback: every route is tried, with every method."""

import re

import pytest
from fastapi.routing import iter_route_contexts
from starlette.routing import Mount
from starlette.websockets import WebSocketDisconnect

from service.access import rules
from service.access.caller import Role
from tests.service.access.conftest import assert_problem

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND")
OPEN = {
    ("GET", "/livez"),
    ("HEAD", "/livez"),
    ("GET", "/readyz"),
    ("HEAD", "/readyz"),
    ("GET", "/static/console.css"),
    ("HEAD", "/static/console.css"),
    *((method, "/sign-in") for method in METHODS),
    ("GET", "/sign-in/oidc"),
    ("HEAD", "/sign-in/oidc"),
    ("GET", "/sign-in/callback"),
    ("HEAD", "/sign-in/callback"),
}
"""Everything that answers anybody, written down here a second time on purpose."""
READS_BY_POST = {"/find", "/chosen/csv", "/api/v1/studies/search"}
OF_ADMINS = re.compile(r"/settings|/api/v1/(settings|tokens|webhooks|audit)\b")


def routes(application, delivered):
    """Give an address for every route, of things that are really there."""
    given = {
        "study_uid": delivered.study_uid,
        "study": delivered.study_uid,
        "job_id": delivered.id,
        "name": "seg_1.dcm",
        "token_id": "0" * 16,
        "theme": "dark",
    }
    found = set()
    for route in iter_route_contexts(application.routes):
        if isinstance(route.original_route, Mount):
            found.add(f"{route.path}/console.css")
            continue
        path = re.sub(r":\w+}", "}", route.path)
        found.add(re.sub(r"{(\w+)}", lambda match: given.get(match[1], "1"), path))
    return sorted(found)


def tried(application, delivered):
    return [(m, path) for path in routes(application, delivered) for m in METHODS]


def test_there_are_routes_of_every_part(application, delivered):
    found = routes(application, delivered)
    assert len(found) > 40
    for part in ("/", "/settings", "/api/v1/studies", "/api/v1/tokens", "/dicom-web/studies"):
        assert part in found
    assert not [path for path in found if "{" in path]


def test_nobody_gets_anything_off_loopback(application, browse, delivered):
    client = browse(sign_ins_per_minute=1e6)
    answered = {}
    for method, path in tried(application, delivered):
        answer = client.request(method, path)
        if (method, path) in OPEN:
            assert answer.status_code not in (401, 403), (method, path)
            continue
        answered[method, path] = answer.status_code
        assert answer.status_code == 401, (method, path)
        assert answer.headers["www-authenticate"] == "Bearer"
        assert delivered.study_uid not in answer.text
        if method != "HEAD":
            assert_problem(answer, 401, "NOT_SIGNED_IN")
            assert set(answer.json()) <= {
                *("type", "title", "status", "detail", "instance", "code", "stage"),
                *("trace_id", "errors"),
            }
    assert len(answered) > 300


def test_open_routes_are_exactly_those_written_down(application, delivered):
    found = {
        (method, path)
        for method, path in tried(application, delivered)
        if rules.role_for(method, path) is None
    }
    assert found == OPEN


def test_a_viewer_changes_nothing(application, browse, token, delivered, store):
    client = browse(token("viewer"), calls_per_s=1e6, calls_at_once=10**6)
    before = store.job(delivered.id), store.jobs()
    changes = 0
    for method, path in tried(application, delivered):
        if method in rules.SAFE_METHODS or (method, path) in OPEN:
            continue
        if path == "/sign-out" or (path in READS_BY_POST and method == "POST"):
            continue
        assert_problem(client.request(method, path), 403, "ROLE")
        changes += 1
    assert changes > 150
    assert (store.job(delivered.id), store.jobs()) == before


def test_what_only_admins_may_is_closed_to_operators(application, browse, token, delivered):
    client = browse(token("operator"), calls_per_s=1e6, calls_at_once=10**6)
    refused = set()
    for method, path in tried(application, delivered):
        if OF_ADMINS.match(path) and rules.role_for(method, path) is Role.ADMIN:
            assert client.request(method, path).status_code == 403
            refused.add(path)
    assert {"/api/v1/tokens", "/api/v1/audit", "/api/v1/audit/export"} <= refused
    assert "/settings" in refused  # to change them; everybody may look
    assert client.get("/settings").status_code == 200


def test_an_operators_session_changes_nothing_without_the_token_of_its_forms(
    application, signed_in, delivered, store
):
    client = signed_in("admin", calls_per_s=1e6, calls_at_once=10**6).client
    before = store.job(delivered.id), store.jobs(), len(store.tokens())
    for method, path in tried(application, delivered):
        if method in rules.SAFE_METHODS or (method, path) in OPEN:
            continue
        assert_problem(client.request(method, path), 403, "CSRF")
    assert (store.job(delivered.id), store.jobs(), len(store.tokens())) == before


@pytest.mark.parametrize(
    "path", ["//api/v1/jobs", "/API/v1/jobs", "/livez/", "/static/../api/v1/jobs"]
)
def test_another_way_to_write_an_address_opens_nothing(browse, path):
    answer = browse().request("GET", f"http://osteon.example{path}")
    assert answer.status_code in (401, 404)
    assert "state" not in answer.text


def test_a_websocket_is_turned_away(browse):
    with pytest.raises(WebSocketDisconnect), browse().websocket_connect("/live"):
        pass


def test_metrics_are_open_only_where_that_is_set(browse, token):
    assert browse().get("/metrics").status_code == 401
    assert browse(token()).get("/metrics").status_code == 200
    assert browse(open_metrics=True).get("/metrics").status_code == 200
