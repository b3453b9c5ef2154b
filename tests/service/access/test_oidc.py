import base64
import hmac
import json
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwk

from service.access import sign_in
from service.access.caller import Role
from service.access.oidc import person_of
from service.access.oidc_errors import NoRole
from service.access.policy import Provider
from tests.service.access.conftest import assert_problem
from tests.service.access.signing_provider import CLIENT, SECRET, SigningProvider

PUBLIC = "http://osteon.example"


@pytest.fixture
def idp():
    sign_in.client_of.cache_clear()
    server = SigningProvider()
    yield server
    server.close()


def settings_of(idp, **changes):
    plain = {
        "issuer": idp.issuer,
        "client_id": CLIENT,
        "client_secret": SECRET,
        "scopes": ("openid", "profile"),
        "algorithms": ("RS256", "ES256"),
        "name_claim": "preferred_username",
        "role_claim": "groups",
        "roles": (("radiology", Role.VIEWER), ("it", Role.ADMIN)),
        "label": "Hospital account",
    }
    return Provider(**{**plain, **changes})


@pytest.fixture
def person(browse, idp):
    """A browser at an installation with this provider."""

    def opened(**changes):
        return browse(public_url=PUBLIC, provider=settings_of(idp, **changes))

    return opened


def come_back(client, idp, back="/", **changes):
    """Sign in as a browser does; `changes` are made to the way back."""
    begun = client.get("/sign-in/oidc", params={"back": back})
    assert begun.status_code == 303
    answer = {**idp.authorise(begun.headers["location"]), **changes}
    return client.get("/sign-in/callback", params=answer)


def test_a_person_signs_in_and_has_the_role_of_their_group(person, idp, store):
    client = person()
    assert "Hospital account" in client.get("/sign-in").text
    answer = come_back(client, idp, "/system?tab=ä")
    assert (answer.status_code, answer.headers["location"]) == (303, "/system?tab=%C3%A4")
    page = client.get("/", headers={"Accept": "text/html"}).text
    assert "jo, admin" in page
    assert "osteon_signing_in" not in client.cookies
    (row,) = [row for row in store.audit() if row.event == "sign_in"]
    assert (row.outcome, row.actor, row.role, row.detail) == ("success", "jo", "admin", "provider")


def test_what_the_provider_is_asked(person, idp):
    client = person()
    address = urlsplit(client.get("/sign-in/oidc").headers["location"])
    assert f"{address.scheme}://{address.netloc}{address.path}" == f"{idp.issuer}/authorise"
    asked = {name: value for name, (value,) in parse_qs(address.query).items()}
    assert asked.pop("tenant") == "1"
    secrets = {asked.pop(name) for name in ("state", "nonce", "code_challenge")}
    assert {len(one) for one in secrets} == {43}
    assert asked == {
        "response_type": "code",
        "client_id": CLIENT,
        "redirect_uri": f"{PUBLIC}/sign-in/callback",
        "scope": "openid profile",
        "code_challenge_method": "S256",
    }
    again = urlsplit(client.get("/sign-in/oidc").headers["location"])
    assert not secrets & {value for (value,) in parse_qs(again.query).values()}


def test_the_secret_of_the_client_stands_in_no_form_and_in_no_page(person, idp):
    client = person()
    answer = come_back(client, idp)
    assert SECRET not in json.dumps({k: v for k, v in idp.posted.items() if k != "authorization"})
    assert SECRET not in answer.text
    assert SECRET not in repr(settings_of(idp))


def test_claims_of_the_id_token_need_no_second_question(person, idp):
    idp.claims = {"groups": ["radiology", "choir"], "preferred_username": "kim"}
    client = person()
    assert come_back(client, idp).status_code == 303
    assert "/me" not in idp.asked
    assert "kim, viewer" in client.get("/", headers={"Accept": "text/html"}).text


def test_userinfo_of_another_person_is_not_believed(person, idp):
    idp.userinfo = {**idp.userinfo, "sub": "person-2"}
    answer = come_back(person(), idp)
    assert answer.status_code == 401
    assert "no role" in answer.text


def assert_refused(answer, code, store):
    assert answer.status_code == 401
    assert "Nobody is signed in" in answer.text
    cookies = answer.headers.get_list("set-cookie")
    assert not [one for one in cookies if one.startswith("osteon_session")]
    row = store.audit()[-1]
    assert (row.event, row.outcome, row.detail) == ("sign_in", "refused", f"provider: {code}")


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://evil.example"},
        {"aud": "another"},
        {"aud": ["another", "third"]},
        {"aud": None},
        {"aud": ["osteon", "another"], "azp": "another"},
        {"nonce": "x" * 43},
        {"nonce": None},
        {"exp": 1},
        {"exp": None},
        {"iat": None},
        {"iat": 4102444800},
        {"sub": None},
    ],
)
def test_an_id_token_that_is_not_for_this_sign_in_is_refused(person, idp, store, claims):
    idp.claims = claims
    assert_refused(come_back(person(), idp), "PROVIDER_WRONG", store)


def test_an_id_token_for_several_clients_of_which_we_are_the_one_is_taken(person, idp):
    idp.claims = {"aud": ["osteon", "another"], "azp": "osteon"}
    assert come_back(person(), idp).status_code == 303


def unsigned(idp, query):
    """Return an ID token with "alg": "none", as RFC 7519 section 6 writes it."""
    signed = idp.id_token(query)
    head = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    return f"{head}.{signed.split('.')[1]}."


def signed_with_the_public_key(idp, query):
    """Return one whose HMAC key is the public RSA key, which everybody knows."""
    head = base64.urlsafe_b64encode(b'{"alg":"HS256","kid":"one"}').rstrip(b"=").decode()
    signed = f"{head}.{idp.id_token(query).split('.')[1]}"
    made = hmac.digest(idp.key.as_pem(private=False), signed.encode(), "sha256")
    return f"{signed}.{base64.urlsafe_b64encode(made).rstrip(b'=').decode()}"


def changed(idp, query):
    """Return one whose signature is of other claims."""
    head, _, signature = idp.id_token(query).split(".")
    idp.claims = {"groups": ["it"]}
    return ".".join((head, idp.id_token(query).split(".")[1], signature))


def of_another_key(idp, query):
    """Return one that a key of the same name signed, which the provider does not publish."""
    idp.key = jwk.RSAKey.generate_key(2048, {"kid": "one"})
    return idp.id_token(query)


def with_another_algorithm(idp, query):
    """Return one that the right key signed in a way that is not on our list."""
    idp.algorithm = "RS512"
    return idp.id_token(query)


@pytest.mark.parametrize(
    "forged",
    [
        unsigned,
        signed_with_the_public_key,
        changed,
        of_another_key,
        with_another_algorithm,
        lambda *_: "nonsense",
        lambda *_: "",
    ],
)
def test_an_id_token_that_is_not_signed_as_agreed_is_refused(
    person, idp, store, monkeypatch, forged
):
    honest = SigningProvider.id_token
    monkeypatch.setattr(
        idp,
        "id_token",
        lambda query: _made(idp, monkeypatch, honest, forged, query),
    )
    assert_refused(come_back(person(), idp), "PROVIDER_WRONG", store)


def _made(idp, monkeypatch, honest, forged, query):
    monkeypatch.setattr(idp, "id_token", lambda asked: honest(idp, asked))
    return forged(idp, query)


def test_keys_that_were_changed_are_read_again_once_a_minute(person, idp, store, monkeypatch):
    client = person()
    assert come_back(client, idp).status_code == 303
    idp.key = jwk.ECKey.generate_key("P-256", {"kid": "two"})
    idp.published, idp.algorithm, idp.header = [idp.key], "ES256", {"kid": "two"}
    assert_refused(come_back(client, idp), "PROVIDER_WRONG", store)
    monkeypatch.setattr("service.access.oidc_provider._ASK_AGAIN_S", 0.0)
    assert come_back(client, idp).status_code == 303
    assert idp.asked.count("/keys") == 2


def test_the_way_back_must_be_of_a_sign_in_that_began_in_this_browser(person, idp, store):
    client = person()
    assert_refused(come_back(client, idp, state="x" * 43), "NOT_THIS_BROWSER", store)
    begun = client.get("/sign-in/oidc").headers["location"]
    stolen = idp.authorise(begun)
    assert_refused(person().get("/sign-in/callback", params=stolen), "NOT_THIS_BROWSER", store)
    assert client.get("/sign-in/callback", params=stolen).status_code == 303
    again = client.get("/sign-in/callback", params=stolen)
    assert_refused(again, "NOT_THIS_BROWSER", store)


def test_an_answer_of_another_issuer_is_refused(person, idp, store):
    assert_refused(come_back(person(), idp, iss="https://evil.example"), "PROVIDER_WRONG", store)
    idp.document = {"authorization_response_iss_parameter_supported": True}
    sign_in.client_of.cache_clear()
    assert_refused(come_back(person(), idp), "PROVIDER_WRONG", store)
    assert come_back(person(), idp, iss=idp.issuer).status_code == 303


def test_a_refusal_of_the_provider_is_told_in_our_words(person, idp, store):
    client = person()
    begun = client.get("/sign-in/oidc").headers["location"]
    state = idp.authorise(begun)["state"]
    given = {"state": state, "error": "access_denied", "error_description": "<b>DOE^JANE</b>"}
    answer = client.get("/sign-in/callback", params=given)
    assert_refused(answer, "PROVIDER_WRONG", store)
    assert "DOE" not in answer.text


def test_a_code_that_the_provider_does_not_know_signs_nobody_in(person, idp, store):
    assert_refused(come_back(person(), idp, code="guessed"), "PROVIDER_WRONG", store)


@pytest.mark.parametrize(
    "document",
    [
        {"issuer": "https://evil.example"},
        {"token_endpoint": "http://evil.example/token"},
        {"jwks_uri": None},
        {"authorization_endpoint": "javascript:alert(1)"},
    ],
)
def test_a_discovery_that_is_not_the_issuers_is_not_followed(person, idp, document):
    idp.document = document
    answer = person().get("/sign-in/oidc")
    assert answer.status_code == 401
    assert "location" not in answer.headers


def test_a_provider_that_is_away_is_503_and_tokens_still_work(person, idp, token):
    idp.close()
    answer = person().get("/sign-in/oidc")
    assert answer.status_code == 503
    assert "does not answer; try again" in answer.text
    client = person()
    assert client.post("/sign-in", data={"token": token()}).status_code == 303


def test_a_person_without_a_role_stays_out(person, idp, store):
    idp.userinfo = {**idp.userinfo, "groups": ["choir"]}
    client = person()
    assert_refused(come_back(client, idp), "NO_ROLE", store)
    assert_problem(client.get("/api/v1/jobs"), 401, "NOT_SIGNED_IN")


def test_signing_out_leads_to_the_providers_exit(person, idp):
    client = person()
    come_back(client, idp)
    page = client.get("/", headers={"Accept": "text/html"}).text
    csrf_token = page.split('name="csrf_token" value="')[1].split('"')[0]
    left = client.post("/sign-out", data={"csrf_token": csrf_token}).text
    assert f"{idp.issuer}/leave?client_id=osteon&amp;post_logout_redirect_uri=" in left


def test_a_provider_closes_this_host_too(browse, idp):
    policy = {"public_url": PUBLIC, "provider": settings_of(idp)}
    client = browse(client=("127.0.0.1", 1), base_url="http://localhost", **policy)
    assert client.get("/api/v1/jobs").status_code == 401


@pytest.mark.parametrize(
    ("claims", "role"),
    [
        ({"groups": ["radiology"]}, Role.VIEWER),
        ({"groups": ["radiology", "it"]}, Role.ADMIN),
        ({"groups": "it"}, Role.ADMIN),
    ],
)
def test_the_highest_role_counts(idp, claims, role):
    found = person_of({"sub": "x", **claims}, settings_of(idp))
    assert (found.name, found.role) == ("x", role)


@pytest.mark.parametrize("groups", [[], None, {"it": True}, ["IT"], [["it"]], 7])
def test_what_is_no_group_with_a_role_is_none(idp, groups):
    with pytest.raises(NoRole):
        person_of({"sub": "x", "groups": groups}, settings_of(idp))


def test_claims_that_are_nested_and_claims_with_dots(idp):
    nested = settings_of(idp, role_claim="realm_access.roles")
    assert person_of({"sub": "x", "realm_access": {"roles": ["it"]}}, nested).role is Role.ADMIN
    dotted = settings_of(idp, role_claim="https://hospital.example/roles")
    claims = {"sub": "x", "https://hospital.example/roles": ["it"]}
    assert person_of(claims, dotted).role is Role.ADMIN
