"""`osteon tokens` and `osteon audit`."""

import json
from xml.etree import ElementTree as ET

import pytest
from typer.testing import CliRunner

from jobs.store import JobStore
from service.access.credentials import digest_of
from service.cli.app import app
from tests.service.access.audit_schema import breaches


@pytest.fixture
def call(tmp_path):
    def run(*words):
        return CliRunner().invoke(app, ["--data", str(tmp_path / "data"), *map(str, words)])

    return run


@pytest.fixture
def kept(tmp_path):
    def opened():
        return JobStore(f"sqlite:///{tmp_path / 'data/osteon.sqlite'}")

    return opened


def test_the_first_token_is_one_command(call, kept):
    done = call("tokens", "create", "it", "--role", "admin")
    assert done.exit_code == 0
    (secret,) = done.stdout.splitlines()
    assert secret.startswith("osteon_")
    assert "not shown again" in done.stderr
    assert secret not in done.stderr
    with kept() as store:
        found = store.token_of(digest_of(secret))
        assert (found.name, found.role) == ("it", "admin")
        assert found.created_by.endswith("(command)")
        (row,) = store.audit()
    assert (row.event, row.detail) == ("token_create", f"admin token {found.id}")


def test_tokens_are_listed_and_revoked(call, kept):
    made = json.loads(call("tokens", "create", "RIS", "--days", 0, "--json").stdout)
    assert made["expires_at"] is None
    assert made["token"].startswith("osteon_")
    line = call("tokens", "list").stdout
    assert made["id"] in line
    assert "viewer    lasts  never used  RIS" in line
    assert made["token"] not in line + call("tokens", "list", "--json").stdout
    assert call("tokens", "revoke", made["id"]).exit_code == 0
    assert "revoked" in call("tokens", "list").stdout
    with kept() as store:
        assert store.token_of(digest_of(made["token"])) is None
    unknown = call("tokens", "revoke", "nothing")
    assert (unknown.exit_code, "UNKNOWN_TOKEN" in unknown.stderr) == (1, True)


def test_what_cannot_be_is_a_wrong_use(call):
    assert call("tokens", "create", " ").exit_code == 2
    assert call("tokens", "create", "x", "--role", "root").exit_code == 2
    assert call("tokens", "create", "x", "--days", "-1").exit_code == 2


def test_the_audit_is_exported_in_both_forms_and_holds(call, tmp_path):
    for name in ("one", "two"):
        call("tokens", "create", name)
    rows = [json.loads(line) for line in call("audit", "export").stdout.splitlines()]
    assert [row["event"] for row in rows] == ["token_create", "token_create"]
    done = call("audit", "export", "--format", "dicom", "--after", 1, "-o", tmp_path / "audit.xml")
    assert (done.exit_code, done.stdout) == (0, "")
    lines = (tmp_path / "audit.xml").read_text().splitlines()
    assert [breaches(line) for line in lines] == [[], []]
    messages = [ET.fromstring(line) for line in lines]  # noqa: S314 - our own
    codes = [found.find("EventIdentification/EventID").get("csd-code") for found in messages]
    assert codes == ["110113", "110101"]  # the export before is in it
    again = call("audit", "export", "-o", tmp_path / "audit.xml")
    assert (again.exit_code, "is there already" in again.stderr) == (1, True)
    holds = json.loads(call("audit", "verify", "--json").stdout)
    assert holds["rows"] == 4
    assert call("audit", "verify", "--contains", rows[0]["digest"]).exit_code == 0
    lost = call("audit", "verify", "--contains", "f" * 64)
    assert (lost.exit_code, "AUDIT_BROKEN" in lost.stderr) == (1, True)
