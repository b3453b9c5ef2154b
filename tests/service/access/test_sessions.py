import pytest

from service.access.credentials import digest_of
from tests.service.access.conftest import ELSEWHERE, assert_problem


def paste(client, secret, back="/", **headers):
    return client.post("/sign-in", data={"token": secret, "back": back}, headers=headers)


def cookie_of(answer):
    """Return what the last cookie of an answer says: name, value, and its attributes."""
    head, *rest = answer.headers.get_list("set-cookie")[-1].split("; ")
    name, _, value = head.partition("=")
    return name, value, {part.partition("=")[0].lower(): part.partition("=")[2] for part in rest}


def test_a_token_that_is_pasted_opens_a_session_with_its_role(browse, token):
    client = browse()
    assert paste(client, token("operator"), "/system").headers["location"] == "/system"
    page = client.get("/", headers={"Accept": "text/html"}).text
    assert "an operator" not in page
    assert "a operator, operator" in page
    assert_problem(client.get("/api/v1/tokens"), 403, "ROLE")


def test_a_token_that_is_none_opens_no_session(browse):
    client = browse()
    answer = paste(client, "osteon_wrong")
    assert answer.status_code == 401
    assert "is not known, or it ended" in answer.text
    assert "set-cookie" not in answer.headers
    assert "osteon_wrong" not in answer.text


def test_the_cookie_of_http_and_of_https(browse, token):
    name, value, how = cookie_of(paste(browse(), token()))
    assert name == "osteon_session"
    assert {"httponly", "samesite", "path"} <= set(how)
    assert (how["samesite"].lower(), how["path"], "secure" in how) == ("lax", "/", False)
    assert len(value) == 43
    behind = browse(public_url="https://osteon.example")
    for answer in (
        paste(behind, token(name="b")),
        paste(browse(base_url="https://osteon.example"), token(name="c")),
    ):
        name, _, how = cookie_of(answer)
        assert name == "__Host-osteon_session"
        assert ("secure" in how, how["path"], "domain" in how) == (True, "/", False)


def test_the_database_has_a_digest_of_the_cookie_only(browse, token, tmp_path):
    secret = token()
    _, value, _ = cookie_of(paste(browse(), secret))
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("store.sqlite*"))
    assert digest_of(value).encode() in stored
    assert digest_of(secret).encode() in stored
    assert value.encode() not in stored
    assert secret.encode() not in stored


def test_signing_in_again_ends_the_session_before(browse, token):
    client, secret = browse(), token()
    _, first, _ = cookie_of(paste(client, secret))
    _, second, _ = cookie_of(paste(client, secret))
    assert first != second
    old = browse()
    old.cookies.set("osteon_session", first)
    assert old.get("/api/v1/jobs").status_code == 401
    assert client.get("/api/v1/jobs").status_code == 200


def test_a_cookie_that_somebody_made_up_is_nobody_and_is_not_adopted(browse, token):
    client = browse()
    client.cookies.set("osteon_session", "A" * 43)
    assert client.get("/api/v1/jobs").status_code == 401
    _, value, _ = cookie_of(paste(client, token()))
    assert value != "A" * 43


def test_a_session_ends_when_nobody_is_there_and_after_its_longest_time(browse, token):
    client = browse(idle_s=1e-6)
    paste(client, token())
    assert client.get("/api/v1/jobs").status_code == 401
    client = browse(longest_s=1e-6)
    paste(client, token(name="b"))
    assert client.get("/api/v1/jobs").status_code == 401


def test_a_session_ends_with_its_token(browse, token, store):
    client = browse()
    paste(client, token("admin"))
    assert client.get("/api/v1/jobs").status_code == 200
    store.revoke_token(store.tokens()[0].id)
    assert client.get("/api/v1/jobs").status_code == 401


def test_a_change_needs_the_token_of_the_form_in_a_field_or_in_a_header(signed_in):
    who = signed_in("operator")
    change = "/api/v1/studies/1.2/reprocess"
    assert_problem(who.client.post(change), 403, "CSRF")
    assert_problem(who.client.post(change, data={"csrf_token": "x" * 43}), 403, "CSRF")
    assert_problem(who.client.post(change, headers={"X-CSRF-Token": ""}), 403, "CSRF")
    held = {"X-CSRF-Token": who.csrf_token}
    assert_problem(who.client.post(change, headers=held), 404, "UNKNOWN_STUDY")
    answer = who.client.post(change, data={"csrf_token": who.csrf_token})
    assert_problem(answer, 404, "UNKNOWN_STUDY")
    other = signed_in("operator")
    assert other.csrf_token != who.csrf_token
    assert_problem(who.client.post(change, headers={"X-CSRF-Token": other.csrf_token}), 403, "CSRF")


def test_a_form_is_whole_after_the_gate_looked_into_it(signed_in, delivered):
    who = signed_in("operator")
    fields = {"a": "x" * 30_000, "csrf_token": who.csrf_token, "study": delivered.study_uid}
    answer = who.client.post("/chosen/csv", data=fields)
    assert answer.status_code == 200
    assert delivered.study_uid in answer.text
    late = {"a": "x" * 200_000, "csrf_token": who.csrf_token}
    assert_problem(who.client.post("/chosen/csv", data=late), 403, "CSRF")


def test_a_token_in_the_header_needs_no_token_of_a_form(browse, token):
    answer = browse(token("operator")).post("/api/v1/studies/1.2/reprocess")
    assert_problem(answer, 404, "UNKNOWN_STUDY")


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "http://osteon.example.evil.example"},
    ],
)
def test_another_sites_page_can_neither_change_nor_sign_in(signed_in, token, headers):
    who = signed_in("operator")
    given = {"X-CSRF-Token": who.csrf_token, **headers}
    assert_problem(
        who.client.post("/api/v1/studies/1.2/reprocess", headers=given), 403, "CROSS_SITE"
    )
    assert_problem(paste(who.client, token(name="b"), **headers), 403, "CROSS_SITE")


def test_our_own_pages_origin_is_ours(browse, token):
    assert paste(browse(), token(), Origin="http://osteon.example").status_code == 303
    through = browse(public_url="https://console.example")
    assert paste(through, token(name="b"), Origin="https://console.example").status_code == 303


def test_signing_out_ends_the_session_and_needs_the_token_of_the_form(signed_in):
    who = signed_in("viewer")
    assert_problem(who.client.post("/sign-out"), 403, "CSRF")
    value = who.client.cookies["osteon_session"]
    answer = who.client.post("/sign-out", data={"csrf_token": who.csrf_token})
    assert "You are signed out" in answer.text
    assert 'data-testid="sign-out"' not in answer.text
    who.client.cookies.set("osteon_session", value)
    assert who.client.get("/api/v1/jobs").status_code == 401


@pytest.mark.parametrize(
    "back",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"],
)
def test_nobody_is_sent_to_another_site_after_signing_in(browse, token, back):
    answer = paste(browse(), token(), back)
    assert answer.status_code == 422
    assert browse().get("/sign-in", params={"back": back}).status_code == 422


def test_who_tries_too_often_waits(browse, token):
    client = browse(sign_ins_per_minute=2)
    assert [paste(client, "wrong").status_code for _ in range(3)] == [401, 401, 429]
    assert_problem(paste(client, token()), 429, "TOO_OFTEN")


def test_the_sign_in_page_says_nothing_of_the_installation(browse, token):
    token()
    page = browse().get("/sign-in").text
    assert "RESEARCH USE ONLY" in page
    for of_inside in ("OSTEON at", "0.1.0", "/system", ELSEWHERE[0]):
        assert of_inside not in page
