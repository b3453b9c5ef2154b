from dataclasses import replace
from types import SimpleNamespace

import pytest

from service.access.caller import Role
from service.access.issuing import issue_token
from service.access.policy import Policy
from service.api.app import create_app
from tests.service.sites import site_of
from tests.service.web import TestClient

ELSEWHERE = ("10.1.2.3", 40000)


@pytest.fixture
def site(store, tmp_path):
    """An installation that listens to others."""
    return site_of(
        store, tmp_path, model_dirs=(tmp_path / "model", tmp_path / "disease"), hosts=("*",)
    )


@pytest.fixture
def application(site):
    return create_app(site)


@pytest.fixture
def browse(application):
    """Opens clients of one application: `browse()` sits elsewhere, with no credentials."""

    def opened(token=None, client=ELSEWHERE, base_url="http://osteon.example", **policy):
        if policy:
            application.state.site = replace(application.state.site, access=Policy(**policy))
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        return TestClient(
            application,
            base_url=base_url,
            client=client,
            headers=headers,
            raise_server_exceptions=False,
            follow_redirects=False,
        )

    return opened


@pytest.fixture
def token(store):
    """Makes tokens; gives the secret."""

    def made(role="viewer", days=1.0, name=None):
        return issue_token(store, name or f"a {role}", Role.named(role), "a test", days)[0]

    return made


@pytest.fixture
def signed_in(browse, token):
    """Somebody who pasted a token at the console: the client, and the token of its forms."""

    def opened(role="operator", **policy):
        client = browse(**policy)
        answer = client.post("/sign-in", data={"token": token(role), "back": "/"})
        assert answer.status_code == 303
        page = client.get("/", headers={"Accept": "text/html"}).text
        (csrf_token,) = {
            part.split('"', 1)[0] for part in page.split('name="csrf_token" value="')[1:]
        }
        return SimpleNamespace(client=client, csrf_token=csrf_token)

    return opened


def assert_problem(answer, status, code):
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == code
