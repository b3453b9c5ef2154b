"""A person signs in at a real OpenID Connect provider, in both processes over real sockets."""

import html
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin

import httpx
import pytest

from jobs.store import JobStore
from tests.acceptance.peers import free_port, wait_for

pytestmark = pytest.mark.acceptance

PROVIDER = Path(__file__).parents[1] / "sign_in_provider"
PROJECT = Path(__file__).parents[2]
SECRET = "a secret: with & and %2B"  # noqa: S105 - of this test


@dataclass
class Installation:
    address: str
    issuer: str
    log: Path
    store: str


def _listens(address: str) -> bool:
    try:
        return httpx.get(address, timeout=2.0).status_code < 500
    except httpx.HTTPError:
        return False


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    """`osteon api` as anybody starts it, and the provider beside it."""
    ours, theirs = f"http://127.0.0.1:{(port := free_port())}", free_port()
    issuer = f"http://localhost:{theirs}"
    secret = tmp_path / "client_secret"
    secret.write_text(SECRET + "\n", encoding="utf-8")
    settings = {
        "OSTEON_DATA_DIR": str(tmp_path / "data"),
        "OSTEON_API__PORT": str(port),
        "OSTEON_ACCESS__PUBLIC_URL": ours,
        "OSTEON_ACCESS__OIDC__ISSUER": issuer,
        "OSTEON_ACCESS__OIDC__CLIENT_SECRET_FILE": str(secret),
        "OSTEON_ACCESS__OIDC__ROLES": '{"it": "admin"}',
    }
    if not (PROVIDER / "node_modules").is_dir():
        pytest.fail("the provider is not installed; run tests/install_peers.sh")
    log = tmp_path / "log"
    with log.open("w") as told:
        command = ["node", PROVIDER / "provider.mjs", str(theirs), ours, SECRET]
        provider = subprocess.Popen(command, stdout=told, stderr=told)
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("OSTEON_")}
        api = subprocess.Popen(
            [sys.executable, "-m", "service", "api"],
            cwd=PROJECT,
            env=inherited | settings,
            stdout=told,
            stderr=told,
        )
        try:
            discovery = f"{issuer}/.well-known/openid-configuration"
            wait_for("the provider listens", lambda: _listens(discovery), 60.0)
            wait_for("the console listens", lambda: _listens(f"{ours}/livez"), 60.0)
            store = f"sqlite:///{tmp_path / 'data/osteon.sqlite'}"
            yield Installation(ours, issuer, log, store)
        finally:
            for process in (api, provider):
                process.terminate()
                process.wait(30)


def follow(browser: httpx.Client, address: str, login: str) -> httpx.Response:
    """Do what a person does: follow, type the login, agree, until a page of ours is there."""
    answer = browser.get(address)
    for _ in range(20):
        if answer.is_redirect:
            answer = browser.get(urljoin(str(answer.url), answer.headers["location"]))
        elif form := re.search(r'<form[^>]*action="([^"]+)"', answer.text):
            if not str(answer.url).startswith("http://localhost:"):
                break
            fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', answer.text))
            if 'name="login"' in answer.text:
                fields |= {"login": login, "password": "anything"}
            to = urljoin(str(answer.url), html.unescape(form[1]))
            answer = browser.post(to, data=fields)
        else:
            break
    return answer


def test_a_person_signs_in_at_a_real_provider_and_out_again(installation):
    with httpx.Client(headers={"Accept": "text/html"}, timeout=30.0) as browser:
        first = browser.get(installation.address + "/")
        assert (first.status_code, first.headers["location"]) == (303, "/sign-in?back=%2F")
        page = follow(browser, installation.address + "/sign-in/oidc?back=/", "it-jo")
        assert page.status_code == 200
        assert "it-jo, admin" in page.text
        assert browser.get(installation.address + "/api/v1/tokens").json() == []
        csrf_token = page.text.split('name="csrf_token" value="')[1].split('"')[0]
        form = {"csrf_token": csrf_token}
        out = browser.post(installation.address + "/sign-out", data=form)
        leave = html.unescape(
            re.search(r'href="([^"]+)" data-testid="leave-provider"', out.text)[1]
        )
        assert leave.startswith(installation.issuer)
        assert browser.get(leave).status_code == 200  # the provider knows where to send back to
        assert browser.get(installation.address + "/").status_code == 303
    with JobStore(installation.store) as store:
        told = [(row.event, row.outcome, row.actor) for row in store.audit()]
        assert ("sign_in", "success", "it-jo") in told
        assert told[-1] == ("sign_out", "success", "it-jo")
        assert store.verify_audit().rows == len(told)
    assert SECRET not in installation.log.read_text()


def test_a_person_without_a_role_stays_out(installation):
    with httpx.Client(headers={"Accept": "text/html"}, timeout=30.0) as browser:
        page = follow(browser, installation.address + "/sign-in/oidc", "dr-kim")
        assert page.status_code == 401
        assert "you have no role in Osteon" in page.text
        assert browser.get(installation.address + "/").status_code == 303
