import ipaddress

import pytest

from jobs.errors import StoreUnavailable
from tests.service.access.conftest import ELSEWHERE, assert_problem

LOOPBACK = ("127.0.0.1", 40000)


def here(browse, **more):
    return browse(client=LOOPBACK, base_url="http://localhost", **more)


def test_this_host_needs_nothing_while_nobody_set_up_access(browse):
    assert here(browse).get("/api/v1/jobs").status_code == 200
    assert here(browse).post("/api/v1/tokens", json={"name": "x"}).status_code == 201


@pytest.mark.parametrize(
    "name",
    ["Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP"],
)
def test_a_proxy_on_this_host_is_not_this_host(browse, name):
    answer = here(browse).get("/api/v1/jobs", headers={name: "127.0.0.1"})
    assert_problem(answer, 401, "NOT_SIGNED_IN")


@pytest.mark.parametrize("name", ["evil.example", "127.0.0.1.evil.example", "localhost.evil", ""])
def test_a_name_that_was_made_to_mean_loopback_is_not_this_host(browse, name):
    answer = here(browse).get("/api/v1/jobs", headers={"Host": name})
    assert answer.status_code in (400, 401)


@pytest.mark.parametrize("name", ["127.0.0.1:8080", "LOCALHOST", "[::1]:8080", "[::1]"])
def test_names_of_this_host(browse, name):
    assert here(browse).get("/api/v1/jobs", headers={"Host": name}).status_code == 200


@pytest.mark.parametrize("peer", ["172.17.0.1", "10.88.0.1", "fe80::1", "testclient"])
def test_a_containers_bridge_is_not_this_host(browse, peer):
    client = browse(client=(peer, 1), base_url="http://localhost")
    assert client.get("/api/v1/jobs").status_code == 401


def test_a_page_elsewhere_cannot_use_a_browser_of_this_host(browse):
    evil = {"Origin": "https://evil.example"}
    answer = here(browse).post("/api/v1/tokens", json={"name": "x"}, headers=evil)
    assert_problem(answer, 403, "CROSS_SITE")


def test_the_first_token_closes_this_host_too(browse, token, store):
    assert here(browse).get("/api/v1/jobs").status_code == 200
    secret = token("admin")
    assert_problem(here(browse).get("/api/v1/jobs"), 401, "NOT_SIGNED_IN")
    assert here(browse, token=secret).get("/api/v1/jobs").status_code == 200
    store.revoke_token(store.tokens()[0].id)
    assert here(browse).get("/api/v1/jobs").status_code == 401


def test_until_then_everybody_else_is_told_how_to_make_it(browse, token):
    said = browse().get("/api/v1/jobs").json()["detail"]
    assert "osteon tokens create NAME --role admin" in said
    assert "osteon tokens create NAME" in browse().get("/sign-in").text
    token()
    assert "tokens create" not in browse().get("/api/v1/jobs").text
    assert "tokens create" not in browse().get("/sign-in").text


def test_a_token_opens_what_its_role_may(browse, token):
    assert browse(token("viewer")).get("/api/v1/jobs").status_code == 200
    assert browse(token("admin")).get("/api/v1/tokens").status_code == 200
    assert_problem(browse(token("operator")).get("/api/v1/tokens"), 403, "ROLE")


@pytest.mark.parametrize(
    "given", ["osteon_nonsense", "", "\u00e9", "osteon_" + "A" * 5000, "' OR 1=1 --"]
)
def test_a_token_that_is_none_opens_nothing(browse, given):
    headers = [(b"authorization", b"Bearer " + given.encode())]
    assert_problem(browse().get("/api/v1/jobs", headers=headers), 401, "TOKEN_NOT_VALID")


def test_another_scheme_is_no_token_and_no_local_admin(browse):
    headers = {"Authorization": "Basic b3N0ZW9uOm9zdGVvbg=="}
    assert_problem(here(browse).get("/api/v1/jobs", headers=headers), 401, "NOT_SIGNED_IN")


def test_a_person_is_sent_to_the_page_for_signing_in_and_back(browse):
    answer = browse().get("/studies/1.2?tab=files", headers={"Accept": "text/html"})
    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?back=%2Fstudies%2F1.2%3Ftab%3Dfiles"
    part = browse().get("/", headers={"Accept": "text/html", "HX-Request": "true"})
    assert (part.status_code, part.headers["hx-redirect"]) == (401, "/sign-in")


def test_refusals_have_the_headers_of_every_answer(browse):
    answer = browse().get("/api/v1/jobs")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"


def test_a_database_that_is_away_lets_nobody_in(browse, store, monkeypatch):
    def away(*_args):
        message = "the database does not answer"
        raise StoreUnavailable(message)

    monkeypatch.setattr(store, "has_tokens", away)
    assert_problem(here(browse).get("/api/v1/jobs"), 503, "STORE_UNAVAILABLE")
    assert browse().get("/livez").status_code == 200


def test_who_comes_too_often_waits(browse, token):
    secret = token()
    client = browse(secret, calls_per_s=0.1, calls_at_once=3)
    assert [client.get("/api/v1/jobs").status_code for _ in range(3)] == [200, 200, 200]
    answer = client.get("/api/v1/jobs")
    assert_problem(answer, 429, "TOO_OFTEN")
    assert 1 <= int(answer.headers["retry-after"]) <= 10
    assert browse(token(name="another")).get("/api/v1/jobs").status_code == 200


def test_who_guesses_tokens_waits_and_others_from_there_do_not(browse, token):
    guesses = [
        browse("osteon_wrong", sign_ins_per_minute=3).get("/api/v1/jobs").status_code
        for _ in range(5)
    ]
    assert guesses == [401, 401, 401, 429, 429]
    assert browse(token()).get("/api/v1/jobs").status_code == 200


def test_sign_ins_are_counted_by_the_address_that_a_known_proxy_tells(browse):
    policy = {
        "sign_ins_per_minute": 2,
        "proxies": (ipaddress.ip_network(f"{ELSEWHERE[0]}/32"),),
    }

    def tries(person):
        headers = {"X-Forwarded-For": f"192.0.2.99, {person}"}
        return browse(**policy).post("/sign-in", data={"token": "x"}, headers=headers).status_code

    assert [tries("192.0.2.1") for _ in range(3)] == [401, 401, 429]
    assert tries("192.0.2.2") == 401
